import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bindingInput, reportDataOf } from '../access/binding.ts'
import { assay, tempFiles, type Files } from '../../test/cli.ts'
import { DESCRIBED } from '../../test/reference-sets.ts'
import { PRESET_NAMES } from '../appraisal/presets/names.ts'
import { presetPolicy } from '../appraisal/presets.ts'
import { intelBundle } from '../simulator/bundle.ts'
import { pem } from '../simulator/envelopes.ts'
import { fakeTdxHost, type TdxHostOptions } from '../simulator/intel-hosts.ts'
import { platformAt } from '../simulator/intel-levels.ts'
import { fakeIntel, type FakeIntel } from '../simulator/intel.ts'
import { SIM_MRTD } from '../simulator/td-report.ts'
import type { Trial } from './policy-trial.ts'
import type { Linted } from './policy-lint.ts'

const MRTD = Buffer.from(SIM_MRTD).toString('hex')
const a48 = 'a1'.repeat(48)
const NONCE = new Uint8Array(32).fill(9)

let files: Files
let sound: string
beforeAll(() => {
  files = tempFiles()
  sound = files.write('sound.yaml', `name: sound\nkey_binding: DANGEROUSLY_OPTIONAL\ntdx: {mr_td: ['${MRTD}']}\n`)
})
afterAll(() => files.remove())

const policy = (name: string, text: string) => files.write(`${name}.yaml`, `name: ${name}\n${text}\n`)

const lint = async (paths: readonly string[], flags: readonly string[] = [], environment: Record<string, string> = {}) => {
  const ran = await assay(['policy', 'lint', ...paths, ...flags, '--json'], environment)
  return { ...ran, linted: JSON.parse(ran.out) as readonly Linted[] }
}

const config = (audience: string) => ({ ASSAY_CONFIG: files.write('assay.yaml', `audiences: {default: ${audience}}`) })

describe('assay policy lint', () => {
  it('finds nothing wrong with a policy, and names it', async () => {
    const file = policy('fleet', `snp: {measurements: ['${a48}']}`)
    const { code, linted } = await lint([file])
    expect(code).toBe(0)
    expect(linted).toMatchObject([{ file, policy: { name: 'fleet' }, problems: [], weakenings: [], weakened_audiences: [] }])
    const { out } = await assay(['policy', 'lint', file])
    expect(out).toMatch(/fleet\.yaml: usable \(fleet, sha256 [0-9a-f]{64}\)$/)
  })

  it('tells all problems of all files at once, with path and line', async () => {
    const wrong = files.write('wrong.yaml', `name: wrong\nsnp:\n  vmpl: [7]\n  colour: red\n`)
    const torn = files.write('torn.yaml', `name: torn\nname: again\n`)
    const { code, out } = await assay(['policy', 'lint', wrong, torn, sound])
    expect(code).toBe(1)
    expect(out).toContain(`${wrong}:3: snp.vmpl[0]: expected a whole number from 0 to 3\n`)
    expect(out).toContain(`${wrong}:4: snp.colour: unknown member\n`)
    expect(out).toContain(`${wrong}: 2 problems\n`)
    expect(out).toMatch(new RegExp(`^${torn}:2: \\(document\\): .*unique`, 'm'))
    expect(out).toContain(`${sound}: usable (sound`)
  })

  it('refuses what is below the floor, unless it is lifted by name', async () => {
    const file = policy('debug', `tdx: {mr_td: ['${MRTD}'], td_attributes: {debug: DANGEROUSLY_ALLOW}}`)
    const { code, linted } = await lint([file])
    expect(code).toBe(1)
    expect(linted[0]?.problems).toMatchObject([{ path: 'tdx.td_attributes.debug', remedy: expect.stringContaining('debug-guests') }])
    expect((await lint([file], ['--lift', 'collateral-grace'])).code).toBe(1)
    const lifted = await lint([file], ['--lift', 'collateral-grace', '--lift', 'debug-guests'])
    expect([lifted.code, lifted.linted[0]?.problems]).toEqual([0, []])
    expect(lifted.linted[0]?.weakenings).toEqual(['tdx.td_attributes.debug: DANGEROUSLY_ALLOW'])
    const configured = await lint([file], [], { ASSAY_CONFIG: files.write('lifted.yaml', 'lift: [debug-guests]') })
    expect([configured.code, configured.linted[0]?.problems]).toEqual([0, []])
    expect((await assay(['policy', 'lint', file, '--lift', 'everything'])).code).toBe(2)
  })

  it('names the audiences that would be as weak, and refuses a back door beside others', async () => {
    const alone = await lint([sound], [], config('{policies: [sound]}'))
    expect([alone.code, alone.linted[0]?.weakened_audiences]).toEqual([0, ['default']])
    const beside = await lint([sound], [], config('{policies: [strict, sound]}'))
    expect(beside.code).toBe(1)
    expect(beside.linted[0]?.problems).toMatchObject([
      { path: 'audiences.default.policies', remedy: expect.stringContaining('DANGEROUSLY_WEAKENED_BY') },
    ])
    const repeated = await lint([sound], [], config('{policies: [strict, sound], DANGEROUSLY_WEAKENED_BY: [sound]}'))
    expect([repeated.code, repeated.linted[0]?.weakened_audiences]).toEqual([0, ['default']])
    const strong = await lint([policy('strong', `snp: {measurements: ['${a48}']}`)], [], config('{policies: [strong]}'))
    expect(strong.linted[0]).toMatchObject({ weakenings: [], weakened_audiences: [] })
    const unusable = await lint([sound], [], config('{policies: 7}'))
    expect(unusable.code).toBe(0)
    expect(unusable.err).toContain('nothing is known of lifts and audiences')
  })

  it('names TCB statuses that lack something, which an audience may have beside others', async () => {
    const lists = 'accepted_tcb_statuses: [UpToDate, SWHardeningNeeded]'
    const file = policy('lacking', `tdx: {mr_td: ['${MRTD}'], ${lists}}\nsgx: {${lists}}`)
    const { code, linted } = await lint([file], [], config('{policies: [strict, lacking]}'))
    expect([code, linted[0]?.weakenings, linted[0]?.weakened_audiences]).toEqual([
      0,
      ['tdx.accepted_tcb_statuses: SWHardeningNeeded', 'sgx.accepted_tcb_statuses: SWHardeningNeeded'],
      ['default'],
    ])
  })

  it('refuses two policies of one name, and files that cannot be read', async () => {
    const twin = files.write('twin.yaml', 'name: sound\n')
    const { code, linted } = await lint([sound, twin])
    expect([code, linted.map(({ problems }) => problems.map(({ path }) => path))]).toEqual([1, [[], ['name']]])
    expect((await assay(['policy', 'lint', files.path('none.yaml')])).code).toBe(2)
    expect((await assay(['policy', 'lint'])).code).toBe(2)
  })
})

describe('assay policy test', () => {
  let intel: FakeIntel
  let trust: readonly string[]
  beforeAll(() => {
    intel = fakeIntel()
    const root = files.write('root.pem', Buffer.from(pem(intel.authority('root').der)))
    trust = ['--insecure-test-root', root, '--collateral', files.write('bundle.json', intelBundle(intel, [{}]))]
  })
  const reportData = reportDataOf(bindingInput({ nonce: NONCE, audience: 'default' }))
  const nonce = ['--nonce', Buffer.from(NONCE).toString('hex')]
  const evidence = (options: TdxHostOptions = {}) => [
    '--evidence',
    files.write('tdx.json', fakeTdxHost(intel, options).evidence(reportData)),
  ]
  const test = (...args: readonly string[]) => assay(['policy', 'test', ...args, ...nonce, ...trust])

  it('accepts what the policy accepts', async () => {
    const { code, out } = await test(sound, ...evidence())
    expect(code).toBe(0)
    expect(out).toMatch(/^ACCEPTED {2}/)
    expect(out).toMatch(/^policy +sound, sha256 [0-9a-f]{64}$/m)
  })

  it('names the rule that refuses, what it expects, what it found, and what mends it', async () => {
    const file = policy('other', `key_binding: DANGEROUSLY_OPTIONAL\ntdx: {mr_td: ['${a48}']}`)
    const { code, out } = await test(file, ...evidence())
    expect(code).toBe(1)
    expect(out).toMatch(/^REFUSED {2}tdx-mrtd-not-allowed/)
    expect(out).toMatch(/^ +rule +tdx\.mr_td$/m)
    expect(out).toMatch(new RegExp(`^ +expected +${a48}$`, 'm'))
    expect(out).toMatch(new RegExp(`^ +actual +${MRTD}$`, 'm'))
    expect(out).toMatch(/^ +remedy +.*Start what the policy lists/m)
  })

  it('shows what is different under another policy, and only that; the exit code is its own', async () => {
    const lenient = policy(
      'lenient',
      `key_binding: DANGEROUSLY_OPTIONAL\ntdx: {mr_td: ['${MRTD}'], accepted_tcb_statuses: [UpToDate, OutOfDate]}`,
    )
    const late = evidence({ pck: platformAt('OutOfDate') })
    const weaker = await test(lenient, ...late, '--against', sound)
    expect(weaker.code).toBe(0)
    expect(weaker.out).toMatch(/^against +sound, sha256 [0-9a-f]{64}\nREFUSED {2}tdx-tcb-status-not-accepted/m)
    expect(weaker.out).toMatch(/^TDX-61 {2}.*\(tdx\.accepted_tcb_statuses\): fail → pass$/m)
    expect(weaker.out).toMatch(/^ +expected +UpToDate → one of UpToDate, OutOfDate$/m)
    const stricter = await assay(['policy', 'test', sound, ...late, '--against', lenient, '--json', ...nonce, ...trust])
    expect(stricter.code).toBe(1)
    const { verdict, against } = JSON.parse(stricter.out) as Trial
    expect([verdict.code, against?.verdict.code]).toEqual(['tdx-tcb-status-not-accepted', null])
    expect(against?.differences).toMatchObject([{ id: 'TDX-61', before: { outcome: 'pass' }, after: { outcome: 'fail' } }])
    expect((await test(sound, ...evidence(), '--against', lenient)).out).toMatch(/^TDX-61 .*: pass → pass$/m)
    expect((await test(sound, ...evidence(), '--against', sound)).out).toMatch(/\nevery check ends alike$/)
  })

  it('compares with a preset by name', async () => {
    const { out } = await test(sound, ...evidence(), '--against', 'strict')
    expect(out).toMatch(/^against +strict, sha256/m)
    expect(out).toMatch(/^TDX-74 .*: fail → pass$/m)
  })

  it('takes sets of reference values from a folder, as they stand', async () => {
    const file = policy('named', `key_binding: DANGEROUSLY_OPTIONAL\ntdx: {mr_td: [{set: nodes}]}`)
    const without = await test(file, ...evidence())
    expect(without.code).toBe(1)
    expect(without.out).toMatch(/^ +expected +values of the set nodes \(unknown\)$/m)
    const set = (standing: object) => files.write('sets/nodes.json', { name: 'nodes', ...DESCRIBED, tdx: { mr_td: [MRTD] }, standing })
    set({ state: 'active' })
    const folder = ['--reference-dir', files.path('sets')]
    expect((await test(file, ...evidence(), ...folder)).code).toBe(0)
    expect((await test(sound, ...evidence(), ...folder, '--against', file)).out).toMatch(/\nevery check ends alike$/)
    set({ state: 'revoked', reason: 'leaked build' })
    const revoked = await test(file, ...evidence(), ...folder)
    expect(revoked.code).toBe(1)
    expect(revoked.out).toContain('revoked: leaked build')
    expect((await test(file, ...evidence(), '--reference-dir', files.path('nowhere'))).code).toBe(2)
  })

  it('says that it cannot decide without collateral, whatever the time', async () => {
    const [root = '', path = ''] = trust
    const bare = await assay(['policy', 'test', sound, ...evidence(), root, path, ...nonce])
    expect(bare.code).toBe(3)
    const later = await test(sound, ...evidence(), '--at', '2040-01-01T00:00:00Z')
    expect(later.code).not.toBe(0)
    const unasked = await assay(['policy', 'test', sound, ...evidence(), ...trust])
    expect(unasked.err).toContain('freshness and binding are not asked')
    expect(unasked.err).toContain('worth nothing outside tests')
  })

  it('takes a wrong command line, and a policy that cannot be used, for usage', async () => {
    expect((await assay(['policy', 'test', sound])).code).toBe(2)
    expect((await test(files.write('bad.yaml', 'name: bad\nfoo: 1\n'), ...evidence())).code).toBe(2)
    expect((await test(sound, ...evidence(), '--against', 'nowhere')).code).toBe(2)
  })
})

describe('assay policy diff', () => {
  it('names what is weaker first, and fails on it', async () => {
    const [old, young] = [
      policy('old', `snp: {measurements: ['${a48}'], vmpl: [0, 1], min_guest_svn: 2}`),
      policy('young', `snp: {measurements: ['${a48}', '${MRTD}'], vmpl: [0], min_guest_svn: 2, host_data: ['${'a1'.repeat(32)}']}`),
    ]
    const { code, out } = await assay(['policy', 'diff', old, young])
    expect(code).toBe(1)
    expect(out).toMatch(new RegExp(`weaker: accepts what was refused\n +snp\\.measurements +\\+\\s+${MRTD}$`, 'm'))
    expect(out).toMatch(/stricter: refuses what was accepted\n +snp\.host_data +nothing written → a1a1[^\n]*\n +snp\.vmpl +- 1$/m)
    expect(out).not.toContain('min_guest_svn')
    expect(out.indexOf('weaker:')).toBeLessThan(out.indexOf('stricter:'))
    const back = await assay(['policy', 'diff', young, old, '--json'])
    expect(back.code).toBe(1)
    expect(JSON.parse(back.out)).toMatchObject({
      from: { name: 'young' },
      changes: [
        { path: 'name', direction: 'neither' },
        { path: 'snp.measurements', direction: 'stricter' },
        { path: 'snp.host_data', direction: 'weaker' },
        { path: 'snp.vmpl', direction: 'weaker', before: [0], after: [0, 1] },
      ],
    })
  })

  it('is content with what is only stricter, or alike', async () => {
    const [old, young] = [policy('o', `snp: {measurements: ['${a48}']}`), policy('y', `snp: {measurements: ['${a48}'], min_guest_svn: 2}`)]
    expect((await assay(['policy', 'diff', old, young])).code).toBe(0)
    expect(await assay(['policy', 'diff', old, old])).toMatchObject({ code: 0, out: expect.stringMatching(/\nno difference$/) })
    expect(await assay(['policy', 'diff', sound, 'strict'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^ +tdx +judged → refused/m),
    })
    expect((await assay(['policy', 'diff', old])).code).toBe(2)
  })
})

describe('assay policy explain', () => {
  it('says in words what a policy asks for', async () => {
    const { code, out } = await assay(['policy', 'explain', sound])
    expect(code).toBe(0)
    expect(out).toMatch(/^TDX quotes\n {2}asked for\n {4}tdx\.mr_td +MRTD:$/m)
    expect(out).toMatch(/^SEV-SNP reports\n {2}all are refused: snp\.measurements lists nothing$/m)
    const json = await assay(['policy', 'explain', 'strict', '--json'])
    expect(JSON.parse(json.out)).toMatchObject({ policy: { name: 'strict' }, chapters: [{ about: 'general' }, {}, {}, {}, {}] })
  })
})

describe('assay policy presets', () => {
  it('lists them, and prints each as a policy that reads as it judges', async () => {
    const { out } = await assay(['policy', 'presets'])
    expect(out.split('\n')).toEqual(PRESET_NAMES)
    for (const name of PRESET_NAMES) {
      const { out: text } = await assay(['policy', 'presets', name])
      const file = files.write(`preset-${name}.yaml`, text)
      const { chapters } = JSON.parse((await assay(['policy', 'explain', file, '--json'])).out) as { chapters: unknown }
      expect(chapters).toEqual((JSON.parse((await assay(['policy', 'explain', name, '--json'])).out) as { chapters: unknown }).chapters)
      expect((await assay(['policy', 'diff', file, name])).out).toContain(presetPolicy(name).reference.sha256)
    }
  })

  it('names them all where there is no such preset', async () => {
    expect(await assay(['policy', 'presets', 'none'])).toMatchObject({ code: 2, err: expect.stringContaining('strict, azure-cvm') })
  })
})
