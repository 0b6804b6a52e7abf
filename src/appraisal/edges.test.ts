import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { genuineQuote, judgedUnder, soundSgx, soundTdx, type Options } from '../../test/intel-judged.ts'
import { genuine, soundClaims } from '../../test/snp-claims.ts'
import { PolicyError, type PolicyProblem } from './read-document.ts'
import { policySetOf } from './policy-set.ts'
import { readPolicy } from './read-policy.ts'
import { setsNamedBy } from './reference-lists.ts'
import { readReferenceSet } from './reference-values.ts'
import { warnCheck } from './rule-paths.ts'
import { strict } from './strict.ts'
import { isTolerated } from './verdict.ts'
import { weakeningsOf } from './weakenings.ts'
import { withWarnings } from './whole.ts'

/** What is wrong with a text, in words with their place; nothing where it is taken. */
function problemsOf(read: () => unknown): readonly string[] {
  try {
    read()
    return []
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    return error.problems.map(({ path, message }: PolicyProblem) => `${path}: ${message}`)
  }
}

const policy = (members: object) => problemsOf(() => readPolicy(JSON.stringify({ name: 'edge', ...members }), 'edge'))
const snp = (members: object) => policy({ snp: members })

describe('values at the edges of their ranges', () => {
  it.each<object>([
    { min_report_version: 4, max_report_version: 4 },
    { policy_values: [0, '0x1'], guest_policy: { smt: 'deny' } },
    { min_api_version: '255.255' },
    { csp_ids: ['CN=*.example'] },
    { host_data: ['0123456789abcdef'.repeat(4).replace('0', '1')] },
    { min_tcb: { reported: { cpuid: { '19_01': { snp: 1 }, '1a_02': { fmc: 1 }, '19_11': 'any' } } } },
    { measurements: [{ set: 'a' }, { set: 'b' }] },
  ])('are taken: %o', (members) => expect(snp(members)).toEqual([]))

  it.each<readonly [object, string]>([
    [{ min_report_version: 4, max_report_version: 3 }, 'snp.max_report_version: must not be below min_report_version'],
    [{ policy_values: [-1] }, 'snp.policy_values[0]: expected hex digits behind 0x, at most 16, in quotes'],
    [{ policy_values: [2 ** 53] }, 'snp.policy_values[0]: expected hex digits behind 0x, at most 16, in quotes'],
    [{ policy_values: [true] }, 'snp.policy_values[0]: expected hex digits behind 0x, at most 16, in quotes'],
    [{ min_api_version: '256.0' }, 'snp.min_api_version: expected "major.minor", each 0 to 255, in quotes'],
    [{ min_api_version: '0.256' }, 'snp.min_api_version: expected "major.minor", each 0 to 255, in quotes'],
    [{ csp_ids: ['CN=*.*'] }, 'snp.csp_ids[0]: a pattern has one `*` at most'],
    [{ measurements: [{ set: 'a' }, { set: 'a' }] }, 'snp.measurements: the list holds an entry twice'],
    [
      { host_data: ['00112233445566778899aabbccddeeff'.repeat(2)] },
      'snp.host_data[0]: this is a placeholder: put the value of what you run in its place',
    ],
    [
      { min_tcb: { reported: { cpuid: { '19_01': { snp: 1 }, '19_11': { fmc: 1 } } } } },
      'snp.min_tcb.reported.cpuid: fmc exists on family 1a only',
    ],
    [
      { min_tcb: { reported: { cpuid: { '19_11': { fmc: 1 }, '1a_02': 'any' } } } },
      'snp.min_tcb.reported.cpuid: fmc exists on family 1a only',
    ],
  ])('are refused: %o', (members, problem) => expect(snp(members)).toEqual([problem]))

  it('are told of lists that are none', () => {
    expect(policy({ tdx: { td_attributes: 'deny' } })).toHaveLength(1)
    expect(policy({ tdx: 7 })).toHaveLength(1)
  })
})

const set = (members: object) =>
  problemsOf(() =>
    readReferenceSet(
      JSON.stringify({
        name: 'nodes',
        owner: 'ops',
        provenance: { by: 'ci', from: 'build 1', at: '2026-01-01T00:00:00Z' },
        snp: { measurements: ['ab'.repeat(48)] },
        ...members,
      }),
      'set',
    ),
  )

describe('the validity of a set', () => {
  const at = '2026-06-01T00:00:00.000Z'

  it('ends after it begins', () => {
    expect(set({ valid: { from: at, until: '2026-06-01T00:00:00.001Z' } })).toEqual([])
    expect(set({ valid: { from: at, until: at } })).toEqual(['valid.until: must be after from: a set that is never valid accepts nothing'])
  })
})

describe('policies of one name', () => {
  it('are named, and only those', () => {
    const [a, b] = ['a', 'b'].map((name) => readPolicy(JSON.stringify({ name }), name))
    if (a === undefined || b === undefined) throw new Error('two policies')
    expect(() => policySetOf([strict, a, b, a, b])).toThrow('two policies are named a, b; `strict` is built in')
  })
})

describe('sets that a policy names', () => {
  it('are entries that name one, and no values', () => {
    const value = 'ab'.repeat(48)
    const { document } = readPolicy(
      JSON.stringify({ name: 'a', snp: { measurements: [value, { set: 'x' }] }, tdx: { rtmr1: [{ set: 'y' }] } }),
      'a',
    )
    expect(setsNamedBy(document)).toEqual([
      { set: 'x', place: 'snp.measurements' },
      { set: 'y', place: 'tdx.rtmr1' },
    ])
  })
})

describe('what a policy tolerates', () => {
  const question = { id: 'TDX-36', title: 'x', code: 'tdx-crl-expired' } as const

  it('is a warning with a code that it may tolerate, and no failure', () => {
    expect(isTolerated({ ...question, outcome: 'warn' })).toBe(true)
    expect(isTolerated({ ...question, outcome: 'fail' })).toBe(false)
    expect(isTolerated({ ...question, code: 'snp-vmpl-mismatch', outcome: 'warn' })).toBe(false)
  })
})

/** A refusal of a rule. */
const failed = (rule?: string) =>
  ({ id: 'a', title: 'b', outcome: 'fail', code: 'snp-vmpl-mismatch', ...(rule === undefined ? {} : { rule }) }) as const

const outcomes = (...rules: readonly (string | undefined)[]) =>
  withWarnings(
    rules.map((rule) => failed(rule)),
    { ...strict.document, warn: ['snp.vmpl', 'snp.guest_policy'] },
  ).map(({ outcome }) => outcome)

describe('rules of which a policy only warns', () => {
  it('are each of those that are named, and those below them', () => {
    expect(outcomes('snp.vmpl', 'snp.guest_policy.smt', 'snp.guest_policy')).toEqual(['warn', 'warn', 'warn'])
    expect(outcomes('snp.vmpl2', 'snp.guest', undefined, 'tdx.mr_td')).toEqual(['fail', 'fail', 'fail', 'fail'])
  })
})

const SECTIONS = z.strictObject({
  snp: z.strictObject({
    vmpl: z.number(),
    group: z.strictObject({
      word: z.enum(['deny', 'DANGEROUSLY_ALLOW']),
      any: z.union([z.literal('DANGEROUSLY_ANY'), z.number()]),
      plain: z.enum(['NOT_DANGEROUSLY_']),
    }),
    crl: z.strictObject({ mode: z.enum(['require', 'DANGEROUSLY_OFF']) }),
    min_tcb: z.strictObject({}),
  }),
})
const weakened = (rule: string): string => `\`${rule}\` is weakened by its own word \`DANGEROUSLY_…\` only; name rules one by one`
const NO_RULE = 'expected the path of a rule, such as `snp.vmpl`'

describe('paths of rules', () => {
  it.each([
    ['snp.vmpl', undefined],
    ['snp.group.plain', undefined],
    ['snp.group.word', weakened('snp.group.word')],
    ['snp.group.any', weakened('snp.group.any')],
    ['snp.group', weakened('snp.group.word')],
    ['snp.crl', 'decides no rule, so there is nothing to warn of'],
    ['snp.crl.mode', 'decides no rule, so there is nothing to warn of'],
    ['snp', NO_RULE],
    ['', NO_RULE],
    ['snp.grou', NO_RULE],
    ['snp.vmpl.x', NO_RULE],
    ['snp.min_tcb', undefined],
    ['snp.min_tcb.reported.cpuid.19_01', undefined],
    ['snp.min_tcb.reported.cpuid.1a_a0.microcode', undefined],
    ['snp.min_tcb.reported.cpuid.18_01', NO_RULE],
    ['snp.min_tcb.reported.cpuid.19_01.fmc1', NO_RULE],
    ['x.snp.min_tcb.reported.cpuid.19_01', NO_RULE],
  ])('%s: %s', (path, message) => expect(warnCheck(SECTIONS)(path)).toBe(message))
})

describe('weakenings', () => {
  it('are words anywhere in a document, with their path', () => {
    const { document } = readPolicy(
      JSON.stringify({ name: 'a', issue_on: 'warning', tdx: { mr_td: 'DANGEROUSLY_ACCEPT_ANY' }, sgx: { mr_enclave: ['ab'.repeat(32)] } }),
      'a',
    )
    expect(weakeningsOf(document)).toEqual(['issue_on: warning', 'tdx.mr_td: DANGEROUSLY_ACCEPT_ANY'])
  })
})

const checkOf = (members: Options, id: string, finding = genuine(soundClaims)) =>
  judgedUnder(members, finding).appraisal.evidence[0]?.checks.find((one) => one.id === id)

describe('what is told of a whole', () => {
  it('names the kinds of evidence and of composition', () => {
    expect(checkOf({ evidence: ['tdx', 'sgx'] }, 'TYPE')).toMatchObject({ outcome: 'fail', actual: 'snp', expected: 'one of tdx, sgx' })
    expect(checkOf({ compositions: ['azure-hcl'] }, 'COMPOSITION')).toMatchObject({
      outcome: 'fail',
      actual: 'single',
      expected: 'azure-hcl',
    })
    const both = genuineQuote({ tdx: soundTdx, sgx: soundSgx })
    expect(checkOf({ evidence: ['tdx'] }, 'TYPE', both)).toMatchObject({ outcome: 'fail', actual: 'tdx, sgx' })
  })

  it('names what a name lacks', () => {
    const token = { subject: 'x-{snp.report_id}', groups: ['g', 'h-{sgx.platform.ppid}', 'i-{tdx.platform.ppid}'] }
    expect(checkOf({ token }, 'NAMES')).toMatchObject({
      actual: 'all but 2',
      expected: 'x-{snp.report_id}, g, h-{sgx.platform.ppid}, i-{tdx.platform.ppid}',
      remedy: expect.stringMatching(/^not h-\{sgx\.platform\.ppid\}, i-\{tdx\.platform\.ppid\}: /),
    })
    expect(checkOf({ token: { subject: 'x-{snp.report_id}' } }, 'NAMES')).toMatchObject({ outcome: 'pass', actual: 'all' })
  })
})
