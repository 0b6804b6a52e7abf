import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConfigError, loadConfig, type ConfigProblem } from '../config.ts'
import { PRESET_NAMES } from '../appraisal/presets/names.ts'
import { loadPolicies } from './policies.ts'

const MEASUREMENT = 'ab'.repeat(48)
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assay-policies-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (name: string, text: string) => writeFileSync(join(folder, name), text)

const configured = (file: string) =>
  loadConfig({ environment: { ASSAY_CONFIG: 'file', ASSAY_POLICY_DIR: folder }, readText: () => file }).config

function problemsOf(file: string): readonly ConfigProblem[] {
  try {
    loadPolicies(configured(file))
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  throw new Error('the policies were accepted')
}

const names = (file: string) =>
  loadPolicies(configured(file))
    .all()
    .map(({ reference }) => reference.name)
const credentials = (role: string) => `credentials: [{name: ann, role: ${role}, token_sha256: ${'ab'.repeat(32)}}]`

describe('loadPolicies', () => {
  it('knows the presets without any file, but those below the floor only where they are lifted', () => {
    expect(names('')).toEqual(PRESET_NAMES.filter((name) => name !== 'lab'))
    expect(names('lift: [debug-guests]')).toEqual(PRESET_NAMES)
  })

  it('refuses a file below the floor, with what would lift it', () => {
    write('a.yaml', 'name: eu\nsnp: {guest_policy: {debug: DANGEROUSLY_ALLOW}, crl: {grace_seconds: 60}}\n')
    expect(problemsOf('audiences: {default: {policies: [strict]}}')).toEqual([
      expect.objectContaining({
        path: 'snp.guest_policy.debug',
        origin: join(folder, 'a.yaml'),
        message: expect.stringContaining('debug-guests'),
      }),
      expect.objectContaining({ path: 'snp.crl.grace_seconds', message: expect.stringContaining('collateral-grace') }),
    ])
    const lifted = configured('audiences: {default: {policies: [eu]}}\nlift: [debug-guests, collateral-grace]')
    expect(loadPolicies(lifted).get('eu')?.document.snp.crl.grace_seconds).toBe(60)
  })

  it('waits for a policy that is not there where somebody may write it', () => {
    const audiences = 'audiences: {default: {policies: [later]}}'
    expect(loadPolicies(configured(`${audiences}\n${credentials('policy-author')}`)).get('later')).toBeUndefined()
    expect(problemsOf(`${audiences}\n${credentials('policy-activator')}`)).toEqual([
      expect.objectContaining({ message: 'there is no policy later' }),
    ])
  })

  it('reads every policy file of the folder, and nothing else', () => {
    write('a.yaml', `name: eu\nsnp: {measurements: [${MEASUREMENT}]}\n`)
    write('b.json', JSON.stringify({ name: 'us', snp: { measurements: [MEASUREMENT] } }))
    write('.hidden.yaml', 'name: hidden')
    write('notes.txt', 'nothing')
    const set = loadPolicies(configured('audiences: {default: {policies: [eu, us]}}'))
    expect(set.all().map(({ reference }) => reference.name)).toEqual(expect.arrayContaining(['strict', 'eu', 'us']))
    expect(set.get('hidden')).toBeUndefined()
    expect(set.get('us')?.document.snp.measurements).toEqual([MEASUREMENT])
  })

  it('tells all problems of all files with file and line', () => {
    write('a.yaml', `name: eu\nsnp:\n  measurements: []\n`)
    write('b.yaml', `name: us\nsnp:\n  vmpl: [9]\n  vmlp: [0]\n`)
    const problems = problemsOf('audiences: {default: {policies: [strict]}}')
    expect(problems.map(({ path, origin }) => [path, origin])).toEqual(
      expect.arrayContaining([
        ['snp.measurements', join(folder, 'a.yaml:3')],
        ['snp.vmpl[0]', join(folder, 'b.yaml:3')],
        ['snp.vmlp', join(folder, 'b.yaml:4')],
      ]),
    )
    expect(problems).toHaveLength(3)
  })

  it('refuses two policies of one name, and one that stands in for strict', () => {
    write('a.yaml', 'name: eu')
    write('b.yaml', 'name: eu')
    write('c.yaml', 'name: strict')
    expect(problemsOf('mode: production').map(({ message }) => message)).toEqual([
      'two policies are named eu',
      'two policies are named strict',
    ])
  })

  it('refuses an audience whose policy is not there', () => {
    expect(problemsOf('audiences: {a: {policies: [strict, nowhere]}}')).toMatchObject([
      { path: 'audiences.a.policies', origin: 'audiences' },
    ])
  })

  it('refuses a weakened policy beside others, unless the audience repeats it', () => {
    write('any.yaml', 'name: any\nsnp: {measurements: DANGEROUSLY_ACCEPT_ANY}')
    expect(problemsOf('audiences: {a: {policies: [strict, any]}}')).toMatchObject([{ path: 'audiences.a.policies' }])
    expect(loadPolicies(configured('audiences: {a: {policies: [any]}}')).get('any')).toBeDefined()
    expect(loadPolicies(configured('audiences: {a: {policies: [strict, any], DANGEROUSLY_WEAKENED_BY: [any]}}')).get('any')).toBeDefined()
  })

  it('refuses a folder that is not there', () => {
    const { config } = loadConfig({ environment: { ASSAY_POLICY_DIR: join(folder, 'none') }, readText: () => '' })
    expect(() => loadPolicies(config)).toThrow(/policy_dir .*cannot be read/)
  })
})
