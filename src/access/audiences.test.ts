import { describe, expect, it } from 'vitest'
import { policySetOf } from '../appraisal/policy-set.ts'
import { readPolicy } from '../appraisal/read-policy.ts'
import { strict } from '../appraisal/strict.ts'
import { audienceProblems, createAudiences, weakenedBeside, type Audience } from './audiences.ts'

const policy = (name: string, rest: object = {}) => readPolicy(JSON.stringify({ name, ...rest }), 'test')
const lax = policy('lax', { snp: { crl: { mode: 'DANGEROUSLY_OFF' } } })
const policies = policySetOf([strict, policy('eu'), lax, policy('warned', { issue_on: 'warning' })])

const audience = (overrides: Partial<Audience>): Audience => ({
  name: 'default',
  policies: ['strict'],
  profile: 'lean',
  alg: 'ES256',
  relyingPartyNonce: 'refuse',
  ...overrides,
})
const notAllowed = expect.objectContaining({ code: 'audience-not-allowed' })

describe('resolve', () => {
  const audiences = createAudiences([audience({}), audience({ name: 'https://rp.example', policies: ['eu', 'strict'] })])
  const resolved = (name?: string, policyName?: string): readonly string[] => {
    const found = audiences.resolve({ audience: name, policy: policyName }, policies)
    return [found.audience.name, found.policy.reference.name]
  }

  it('takes the audience default and its first policy for what is omitted', () => {
    expect(resolved()).toEqual(['default', 'strict'])
    expect(resolved('https://rp.example')).toEqual(['https://rp.example', 'eu'])
    expect(resolved('https://rp.example', 'strict')).toEqual(['https://rp.example', 'strict'])
    expect(audiences.all.map(({ name }) => name)).toEqual(['default', 'https://rp.example'])
  })

  it.each([
    ['an unknown audience', 'https://other.example', undefined],
    ['an empty audience', '', undefined],
    ['a wildcard', '*', undefined],
    ['another spelling', 'Default', undefined],
    ['a member that every object has', 'constructor', undefined],
    ['a policy that exists but is not listed', 'default', 'eu'],
    ['a policy that does not exist', 'default', 'none'],
    ['an empty policy', 'default', ''],
  ])('refuses %s', (_, name, policyName) => {
    expect(() => audiences.resolve({ audience: name, policy: policyName }, policies)).toThrow(notAllowed)
  })

  it('takes the policies of the moment', () => {
    const [one, other] = [policy('eu'), policy('eu', { issue_on: 'warning' })]
    const asked = { audience: 'https://rp.example' }
    expect(audiences.resolve(asked, policySetOf([one])).policy).toBe(one)
    expect(audiences.resolve(asked, policySetOf([other])).policy).toBe(other)
    expect(() => audiences.resolve(asked, policySetOf([strict]))).toThrow(notAllowed)
  })

  it('refuses the default audience where none is configured', () => {
    const only = createAudiences([audience({ name: 'cluster-a' })])
    expect(() => only.resolve({}, policies)).toThrow(notAllowed)
  })

  it('tells the caller nothing of what would be allowed', () => {
    expect(() => audiences.resolve({ audience: 'https://rp.example', policy: 'lax' }, policies)).toThrow(
      expect.objectContaining({ message: expect.not.stringMatching(/eu|strict|lax/) }),
    )
  })
})

const problemsOf = (...all: readonly Audience[]): readonly string[] =>
  audienceProblems(all, policies).map(({ path, message }) => `${path}: ${message}`)

const awaited = (...names: readonly string[]) => audienceProblems([audience({ policies: names })], policies, 'awaited')

describe('audienceProblems', () => {
  it('finds nothing wrong with one strict audience, nor with a weakened policy alone or repeated', () => {
    expect(problemsOf(audience({}))).toEqual([])
    expect(problemsOf(audience({ policies: ['lax'] }))).toEqual([])
    expect(problemsOf(audience({ policies: ['strict', 'lax'], DANGEROUSLY_WEAKENED_BY: ['lax'] }))).toEqual([])
  })

  it.each<[string, Partial<Audience>, RegExp]>([
    ['no policy', { policies: [] }, /policies: it is empty/],
    ['an unknown policy', { policies: ['strict', 'gone'] }, /there is no policy gone/],
    ['a dangerous policy beside others', { policies: ['strict', 'lax'] }, /lax is weakened \(snp\.crl\.mode: DANGEROUSLY_OFF\)/],
    ['a policy that takes warnings beside others', { policies: ['warned', 'eu'] }, /warned is weakened \(issue_on: warning\)/],
    ['another policy repeated', { policies: ['strict', 'lax'], DANGEROUSLY_WEAKENED_BY: ['strict'] }, /lax is weakened/],
    ['a wildcard', { name: '*' }, /not a usable name/],
    ['a pattern', { name: 'https://*.example' }, /not a usable name/],
    ['an empty name', { name: '' }, /not a usable name/],
    ['a blank', { name: 'a b' }, /not a usable name/],
    ['a control character', { name: 'a\0b' }, /not a usable name/],
    ['letters that look alike', { name: 'dеfault' }, /not a usable name/],
    ['a name that is too long', { name: 'a'.repeat(256) }, /not a usable name/],
  ])('refuses %s', (_, overrides, message) => {
    expect(problemsOf(audience(overrides))).toEqual([expect.stringMatching(message)])
  })

  it('waits for a policy that can still be written, but for no weakened one', () => {
    expect(awaited('strict', 'gone')).toEqual([])
    expect(awaited('gone', 'lax')).toEqual([expect.objectContaining({ message: expect.stringContaining('lax is weakened') })])
    expect(awaited()).toEqual([expect.objectContaining({ message: 'it is empty' })])
  })

  it('refuses none at all and the same name twice, and tells all problems at once', () => {
    expect(problemsOf()).toEqual(['audiences: there is none'])
    expect(problemsOf(audience({}), audience({ policies: [] }))).toEqual([
      'audiences.default: it is configured twice',
      'audiences.default.policies: it is empty',
    ])
  })
})

const beside = (overrides: Partial<Audience>) => weakenedBeside(lax, [audience({}), audience({ name: 'b', ...overrides })])

describe('weakenedBeside', () => {
  it('refuses a weakened policy beside others only, unless it is repeated', () => {
    expect(beside({ policies: ['strict', 'lax'] }).map(({ path }) => path)).toEqual(['audiences.b.policies'])
    expect(beside({ policies: ['lax'] })).toEqual([])
    expect(beside({ policies: ['strict', 'eu'] })).toEqual([])
    expect(beside({ policies: ['strict', 'lax'], DANGEROUSLY_WEAKENED_BY: ['lax'] })).toEqual([])
  })
})
