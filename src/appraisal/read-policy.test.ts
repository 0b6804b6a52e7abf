import { describe, expect, it } from 'vitest'
import { contentDigest } from './canonical.ts'
import type { PolicyProblem } from './read-policy.ts'
import { PolicyError, readPolicy } from './read-policy.ts'
import { strict } from './strict.ts'

const problems = (text: string): readonly PolicyProblem[] => {
  try {
    readPolicy(text, 'edge.yaml')
  } catch (error) {
    if (error instanceof PolicyError) return error.problems
    throw error
  }
  return []
}

const digest = (text: string): string => readPolicy(text, 'a').reference.sha256
const snp = (members: object): string => JSON.stringify({ name: 'edge', snp: members })
const [a48, zero48] = ['aa'.repeat(48), '00'.repeat(48)]

describe('readPolicy', () => {
  it('reads YAML and JSON alike, whatever the order of members', () => {
    const yaml = readPolicy(`# comment\nsnp:\n  vmpl: [0, 1]\n  measurements:\n    - ${a48}\nname: edge\n`, 'a')
    const json = readPolicy(`{\n\t"name": "edge",\n\t"snp": {"measurements": ["${a48}"], "vmpl": [0, 1]}\n}`, 'b')
    expect(yaml).toEqual(json)
    expect(yaml.reference).toEqual({ name: 'edge', version: 1, sha256: contentDigest(yaml.document) })
  })

  it('names content: defaults written out change nothing, any other value does', () => {
    const written = JSON.stringify(strict.document)
    expect(digest(written)).toBe(strict.reference.sha256)
    expect(digest('name: strict')).toBe(strict.reference.sha256)
    expect(digest(snp({ vmpl: [1] }))).not.toBe(digest(snp({ vmpl: [0] })))
  })

  it('takes one value for one, however it is written', () => {
    expect(readPolicy('name: a\nsnp: {policy_values: [0x30000]}', 'a')).toEqual(
      readPolicy('name: a\nsnp: {policy_values: ["0x00030000"]}', 'a'),
    )
  })

  it('gives what nobody can change afterwards', () => {
    const { document } = readPolicy(snp({ measurements: [a48] }), 'a')
    expect(Object.isFrozen(document.snp.measurements)).toBe(true)
    expect(Object.isFrozen(document.snp.guest_policy)).toBe(true)
  })

  it('tells everything that is wrong at once, with path, line and what is expected', () => {
    const found = problems(
      [
        'name: edge',
        'key_binding: no',
        'snp:',
        '  measurements: [aa]',
        '  bogus: 1',
        '  min_report_version: 5',
        '  max_report_version: 3',
        '  min_build: 3',
        '  guest_policy: {debug: allow, min_abi: 1.55}',
        '  min_tcb: {reported: {milan: {fmc: 1, snp: 300}}}',
      ].join('\n'),
    )
    expect(found).toEqual(
      expect.arrayContaining([
        { path: 'key_binding', line: 2, message: 'expected `required` or `DANGEROUSLY_OPTIONAL`' },
        { path: 'snp.measurements[0]', line: 4, message: 'expected lower-case hex of 48 bytes, in quotes' },
        { path: 'snp.bogus', line: 5, message: 'unknown member' },
        { path: 'snp.max_report_version', line: 7, message: 'must not be below min_report_version' },
        { path: 'snp.min_build', line: 8, message: 'needs min_api_version: builds compare within one version only' },
        { path: 'snp.guest_policy.debug', line: 9, message: 'expected `deny` or `DANGEROUSLY_ALLOW`' },
        { path: 'snp.guest_policy.min_abi', line: 9, message: 'expected "major.minor", each 0 to 255, in quotes' },
        { path: 'snp.min_tcb.reported.milan.fmc', line: 10, message: 'unknown member' },
        { path: 'snp.min_tcb.reported.milan.snp', line: 10, message: 'expected a whole number from 0 to 127' },
      ]),
    )
    expect(found).toHaveLength(9)
  })

  it('names its origin in the text of the error', () => {
    expect(() => readPolicy('{}', 'edge.yaml')).toThrow(/^edge\.yaml: the policy cannot be used\n {2}edge\.yaml name: expected a name/)
  })

  it.each([
    ['a member twice', 'name: a\nname: b', { line: 2, message: /unique/ }],
    ['a JSON member twice', '{"name": "a", "snp": {"vmpl": [0], "vmpl": [0]}}', { line: 1, message: /unique/ }],
    ['a number and a text that are one member', '1: a\n"1": b', { line: 2, message: /unique/ }],
    ['a mapping as a key', '{a: 1}: b', { line: 1, message: /key must be text/ }],
    ['two documents', 'name: a\n---\nname: b', { line: 2, message: /multiple documents/ }],
    ['a tag', 'name: !secret a', { line: 1, message: /tag/ }],
    ['no YAML', 'name: [a', { line: 1, message: /./ }],
    ['nothing', '', { line: undefined, message: /expected members/ }],
    ['a list', '[]', { line: 1, message: /expected members/ }],
  ])('refuses %s', (_, text, { line, message }) => {
    const [first] = problems(text)
    expect(first).toMatchObject({ path: '', message: expect.stringMatching(message), ...(line === undefined ? {} : { line }) })
  })

  it.each(['', ' null', ' strict', ' []', ' 5'])('refuses "snp:%s", which is no mapping', (value) => {
    expect(problems(`name: edge\nsnp:${value}\n`)).toEqual([
      { path: 'snp', line: 2, message: 'expected members (a YAML mapping, a JSON object)' },
    ])
  })

  it('refuses what other YAML readers would merge', () => {
    expect(problems('name: edge\nsnp:\n  guest_policy:\n    <<: {debug: DANGEROUSLY_ALLOW}')).toEqual([
      { path: 'snp.guest_policy["<<"]', line: 4, message: 'unknown member' },
    ])
  })

  it('refuses aliases, by which a small file could become a large document', () => {
    expect(problems('name: &a edge\nsnp: {csp_ids: [*a]}')).toEqual([{ path: '', message: expect.stringContaining('aliases') }])
  })

  it('refuses a text that is too long before reading it', () => {
    expect(problems(`name: edge #${' '.repeat(4 * 1024 * 1024)}`)).toEqual([{ path: '', message: expect.stringContaining('longer than') }])
  })

  const MEGABYTE = 1024 * 1024
  it.each([
    ['flow', '['.repeat(MEGABYTE)],
    ['flow mappings', '{a: '.repeat(MEGABYTE / 4)],
    ['flow that is closed', `a: ${'['.repeat(MEGABYTE / 2)}${']'.repeat(MEGABYTE / 2)}`],
    ['lists in one line', '- '.repeat(MEGABYTE / 2)],
    ['keys in one line', '? '.repeat(MEGABYTE / 2)],
    ['indentation', Array.from({ length: 1400 }, (_, at) => `${' '.repeat(at)}a:`).join('\n')],
    ['33 levels', `${'['.repeat(33)}${']'.repeat(33)}`],
  ])('refuses deep nesting (%s) without reading on', (_, text) => {
    const start = performance.now()
    expect(problems(text)).toEqual([{ path: '', message: 'nested deeper than 32 levels' }])
    expect(performance.now() - start).toBeLessThan(250)
  })

  it('reads 32 levels, and brackets in texts', () => {
    const levels = `name: "${'['.repeat(64)}" # ${'['.repeat(64)}\nx: ${'['.repeat(31)}1${']'.repeat(31)}`
    expect(problems(levels).map(({ message }) => message)).not.toContainEqual(expect.stringContaining('nested'))
  })

  it('tells the first hundred of many problems', () => {
    const found = problems(snp({ measurements: Array.from({ length: 150 }, (_, at) => `x${at}`) }))
    expect(found).toHaveLength(101)
    expect(found.at(-1)).toEqual({ path: '', message: expect.stringMatching(/^and \d+ more problems$/) })
  })

  it('takes no time over a mapping of many members', () => {
    const start = performance.now()
    const found = problems(Array.from({ length: 20_000 }, (_, at) => `k${at}: 1`).join('\n'))
    expect(found).toContainEqual({ path: 'k9', line: 10, message: 'unknown member' })
    expect(performance.now() - start).toBeLessThan(3_000)
  })

  it('refuses members that would reach a prototype', () => {
    expect(problems('{"name": "edge", "__proto__": {"a": 1}}')).toEqual([{ path: '__proto__', line: 1, message: 'unknown member' }])
    const models = '{"name": "edge", "snp": {"min_tcb": {"reported": {"cpuid": {"19_a0": "any", "__proto__": {"snp": 1}}}}}}'
    expect(problems(models)).toEqual([
      { path: 'snp.min_tcb.reported.cpuid', line: 1, message: expect.stringContaining('family and model') },
    ])
  })
})

/** A member of `snp`, and the path of the one problem that it has. */
const REFUSED: readonly (readonly [members: object, path: string])[] = [
  [{ measurements: [] }, 'snp.measurements'],
  [{ measurements: 'any' }, 'snp.measurements'],
  [{ measurements: [a48.toUpperCase()] }, 'snp.measurements[0]'],
  [{ measurements: [a48.slice(2)] }, 'snp.measurements[0]'],
  [{ measurements: [zero48] }, 'snp.measurements[0]'],
  [{ measurements: [a48, a48] }, 'snp.measurements'],
  [{ min_report_version: 1 }, 'snp.min_report_version'],
  [{ max_report_version: 6 }, 'snp.max_report_version'],
  [{ policy_values: ['30000'] }, 'snp.policy_values[0]'],
  [{ policy_values: ['0x3', '0x03'] }, 'snp.policy_values'],
  [{ policy_values: [-1] }, 'snp.policy_values[0]'],
  [{ policy_values: [2 ** 60] }, 'snp.policy_values[0]'],
  [{ min_guest_svn: -1 }, 'snp.min_guest_svn'],
  [{ host_data: [] }, 'snp.host_data'],
  [{ host_data: ['aa'] }, 'snp.host_data[0]'],
  [{ chip_ids: ['00'.repeat(64)] }, 'snp.chip_ids[0]'],
  [{ chip_ids: ['aa'.repeat(32)] }, 'snp.chip_ids[0]'],
  [{ min_tcb: {} }, 'snp.min_tcb'],
  [{ min_tcb: { reported: {} } }, 'snp.min_tcb.reported'],
  [{ min_tcb: { reported: { milan: {} } } }, 'snp.min_tcb.reported.milan'],
  [{ min_tcb: { reported: { milan: 'none' } } }, 'snp.min_tcb.reported.milan'],
  [{ min_tcb: { reported: { milan: { fmc: 1 } } } }, 'snp.min_tcb.reported.milan.fmc'],
  [{ min_tcb: { reported: { cpuid: { '19-a0': 'any' } } } }, 'snp.min_tcb.reported.cpuid["19-a0"]'],
  [{ min_tcb: { reported: { cpuid: { '19_a0': { fmc: 1 } } } } }, 'snp.min_tcb.reported.cpuid'],
  [{ min_tcb: { reported: { cpuid: {} } } }, 'snp.min_tcb.reported.cpuid'],
  [{ min_tcb: { best: { milan: 'any' } } }, 'snp.min_tcb.best'],
  [{ permit_provisional_firmware: 'sometimes' }, 'snp.permit_provisional_firmware'],
  [{ min_api_version: '1.256' }, 'snp.min_api_version'],
  [{ min_api_version: '01.5' }, 'snp.min_api_version'],
  [{ platform_info: { tsme: 'off' } }, 'snp.platform_info.tsme'],
  [{ vmpl: [4] }, 'snp.vmpl[0]'],
  [{ vmpl: [0, 0] }, 'snp.vmpl'],
  [{ trusted_id_key_digests: [zero48] }, 'snp.trusted_id_key_digests[0]'],
  [{ trusted_author_key_digests: [zero48] }, 'snp.trusted_author_key_digests[0]'],
  [{ allowed_signing_keys: [] }, 'snp.allowed_signing_keys'],
  [{ csp_ids: ['CN=a\nb'] }, 'snp.csp_ids[0]'],
  [{ denied_hwids: ['00'.repeat(8)] }, 'snp.denied_hwids[0]'],
  [{ denied_vek_spki: ['00'.repeat(32)] }, 'snp.denied_vek_spki[0]'],
  [{ advisories: { 'amd-sb-3019': 'ignore' } }, 'snp.advisories["amd-sb-3019"]'],
  [{ advisories: { 'amd-sb-9999': 'warn' } }, 'snp.advisories["amd-sb-9999"]'],
  [{ crl: { mode: 'off' } }, 'snp.crl.mode'],
  [{ crl: { skew_seconds: 301 } }, 'snp.crl.skew_seconds'],
  [{ crl: { grace_seconds: -1 } }, 'snp.crl.grace_seconds'],
]

describe('the document', () => {
  it.each(REFUSED)('refuses snp %o', (members, path) => {
    // What is left of a member whose parts were refused may be refused as empty, too, so the first problem counts.
    expect(problems(snp(members))[0]?.path).toBe(path)
  })

  it.each([
    [{ name: 'a/b' }, 'name'],
    [{ name: 'a', key_binding: 'optional' }, 'key_binding'],
    [{ name: 'a', issue_on: 'contraindicated' }, 'issue_on'],
    [{ name: 'a', token: { lifetime_seconds: 901 } }, 'token.lifetime_seconds'],
    [{ name: 'a', relying_party_nonce: true }, 'relying_party_nonce'],
    [{ name: 'a', explain: 'some' }, 'explain'],
  ])('refuses %o', (document, path) => {
    expect(problems(JSON.stringify(document)).map((problem) => problem.path)).toEqual([path])
  })

  it('takes every option of specification snp.md section 9', () => {
    const all = {
      measurements: [a48],
      policy_values: ['0x30000'],
      min_guest_svn: 4294967295,
      host_data: ['00'.repeat(32)],
      family_id: ['00'.repeat(16)],
      image_id: ['aa'.repeat(16)],
      report_id: ['aa'.repeat(32)],
      report_id_ma: ['ff'.repeat(32)],
      chip_ids: ['aa'.repeat(64), 'aa'.repeat(8)],
      min_tcb: {
        reported: { milan: { snp: 24 }, turin: { fmc: 1 }, genoa: 'any', cpuid: { '19_a0': { microcode: 27 }, '1a_02': { fmc: 1 } } },
      },
      min_api_version: '1.55',
      min_build: 22,
      trusted_id_key_digests: [a48],
      trusted_author_key_digests: [a48],
      id_key_enforcement: 'warn',
      min_launch_mit_vector: '0xb',
      min_current_mit_vector: 11,
      csp_ids: ['CN=cc-us-east-2.amazonaws.com'],
      denied_hwids: ['bb'.repeat(64)],
      denied_vek_spki: ['aa'.repeat(32)],
    }
    const { document } = readPolicy(snp(all), 'a')
    expect(document.snp).toMatchObject({
      ...all,
      policy_values: ['0x0000000000030000'],
      min_launch_mit_vector: '0x000000000000000b',
      min_current_mit_vector: '0x000000000000000b',
    })
  })
})
