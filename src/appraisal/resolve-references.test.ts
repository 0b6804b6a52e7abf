import { describe, expect, it } from 'vitest'
import { digestOf, documentOf, setText, versionOf } from '../../test/reference-sets.ts'
import { isListed } from './listed.ts'
import { readPolicy } from './read-policy.ts'
import type { VersionStanding } from './reference-standing.ts'
import { resolveReferences, type ReferenceSets, type ReferenceVersion } from './resolve-references.ts'

const NOW = new Date('2026-06-01T00:00:00Z')
const [PAST, LATER, LATEST] = ['2026-05-01T00:00:00.000Z', '2026-07-01T00:00:00.000Z', '2026-08-01T00:00:00.000Z']
const own = digestOf(99)

const policy = (measurements: readonly unknown[], members: object = {}) =>
  readPolicy(JSON.stringify({ name: 'edge', snp: { measurements }, ...members }), 'edge.yaml').document

const nodes = (...versions: readonly ReferenceVersion[]): ReferenceSets => new Map([['nodes', versions]])

const resolved = (sets: ReferenceSets, now = NOW) => resolveReferences(policy([own, { set: 'nodes' }]), sets, now)
const listed = (sets: ReferenceSets, now = NOW) => resolved(sets, now).document.snp.measurements

const active: VersionStanding = { state: 'active' }

const named = (members: object) => Object.fromEntries(Object.keys(members).map((key) => [key, [{ set: 'nodes' }]]))

const untilOf = (...versions: readonly ReferenceVersion[]) => resolved(nodes(...versions)).until?.toISOString()

const few = versionOf(1, active)

/** A version with ten thousand values from this number on, made without reading a megabyte of text. */
const many = (from: number): ReferenceVersion => ({
  ...few,
  document: { ...documentOf(setText([1])), snp: { measurements: Array.from({ length: 10_000 }, (_, at) => digestOf(from + at)) } },
})

const ms = (time: string) => Date.parse(time)

const ends = (...versions: readonly ReferenceVersion[]) =>
  [...resolved(nodes(...versions)).ends].map(([place, values]) => [place, [...values]])

const drafts = (count: number) => nodes(...Array.from({ length: count }, (_, at) => versionOf(at + 1, { state: 'draft' })))

describe('resolveReferences', () => {
  it('leaves a policy alone that names no set', () => {
    const plain = policy([own])
    expect(resolveReferences(plain, nodes(versionOf(1, active)), NOW)).toEqual({ document: plain, used: [], ends: new Map() })
  })

  it('takes what one version has for a list where another has nothing', () => {
    const other = { ...few, version: 2, document: { ...documentOf(setText([1])), snp: undefined, tdx: { mr_td: [digestOf(7)] } } }
    expect(listed(nodes(few, other))).toEqual([own, digestOf(1)])
    expect(listed(nodes(other))).toEqual([{ set: 'nodes', state: 'has no snp.measurements' }, own])
  })

  it('tells of three versions why they give nothing, and how many more there are', () => {
    expect(listed(drafts(3))).toEqual([{ set: 'nodes', state: 'version 3 draft; version 2 draft; version 1 draft' }, own])
    expect(listed(drafts(4))).toEqual([{ set: 'nodes', state: 'version 4 draft; version 3 draft; version 2 draft; … (4 versions)' }, own])
    expect(listed(new Map())).toEqual([{ set: 'nodes', state: 'unknown' }, own])
  })

  it('puts the values of every version in force beside those of the policy itself', () => {
    const sets = nodes(
      versionOf(1, { state: 'deprecated', until: LATER }),
      versionOf(2, active),
      versionOf(3, active),
      versionOf(4, { state: 'draft' }),
    )
    expect(listed(sets)).toEqual([own, digestOf(1), digestOf(2), digestOf(3)])
    expect(resolved(sets).used.map(({ name, version, sha256 }) => `${name} ${version} ${sha256}`)).toEqual(
      [1, 2, 3].map((version) => `nodes ${version} ${versionOf(version, active).sha256}`),
    )
  })

  it.each<readonly [string, ReferenceSets, string]>([
    ['unknown', new Map(), 'unknown'],
    ['draft', nodes(versionOf(1, { state: 'draft' })), 'version 1 draft'],
    ['revoked', nodes(versionOf(1, { state: 'revoked', reason: 'leaked build' })), 'version 1 revoked: leaked build'],
    ['no longer tolerated', nodes(versionOf(1, { state: 'deprecated', until: PAST })), `version 1 deprecated until ${PAST}`],
    [
      'at its end',
      nodes(versionOf(1, { state: 'deprecated', until: NOW.toISOString() })),
      `version 1 deprecated until ${NOW.toISOString()}`,
    ],
    ['expired', nodes(versionOf(1, active, setText([1], { valid: { until: PAST } }))), `version 1 expired ${PAST}`],
    [
      'just expired',
      nodes(versionOf(1, active, setText([1], { valid: { until: NOW.toISOString() } }))),
      `version 1 expired ${NOW.toISOString()}`,
    ],
    ['not yet valid', nodes(versionOf(1, active, setText([1], { valid: { from: LATER } }))), `version 1 valid from ${LATER}`],
    ['unreadable', nodes({ ...versionOf(1, active), document: undefined }), 'version 1 unreadable'],
    [
      'dead in several ways',
      nodes(...[1, 2, 3].map((version) => versionOf(version, { state: 'draft' })), versionOf(4, { state: 'revoked', reason: 'x' })),
      'version 4 revoked: x; version 3 draft; version 2 draft; … (4 versions)',
    ],
  ])('takes nothing of a set that is %s, and says so in front', (_, sets, state) => {
    expect(listed(sets)).toEqual([{ set: 'nodes', state }, own])
    expect(resolved(sets).used).toEqual([])
    expect(isListed(listed(sets) as readonly string[], digestOf(1))).toBe(false)
  })

  it('takes nothing of a set for a measurement that it does not have', () => {
    const { document } = resolveReferences(policy([own], { tdx: { mr_td: [{ set: 'nodes' }] } }), nodes(versionOf(1, active)), NOW)
    expect(document.tdx.mr_td).toEqual([{ set: 'nodes', state: 'has no tdx.mr_td' }])
  })

  it('fills every list that may name a set', () => {
    const [d48, d32] = [digestOf(5), digestOf(5, 32)]
    const tdx = { mr_td: [d48], rtmr0: [d48], rtmr1: [d48], rtmr2: [d48], rtmr3: [d48], mr_seam: [d48] }
    const sgx = { mr_enclave: [d32], mr_signer: [d32] }
    const { document } = resolveReferences(
      policy([{ set: 'nodes' }], { tdx: named(tdx), sgx: named(sgx) }),
      nodes(versionOf(1, active, setText([5], { tdx, sgx }))),
      NOW,
    )
    expect(document.snp.measurements).toEqual([d48])
    expect(document.tdx).toMatchObject(tdx)
    expect(document.sgx).toMatchObject(sgx)
  })

  it('leaves `accept any` and absent lists as they are', () => {
    const { document } = resolveReferences(
      policy([{ set: 'nodes' }], { tdx: { mr_td: 'DANGEROUSLY_ACCEPT_ANY' } }),
      nodes(versionOf(1, active)),
      NOW,
    )
    expect([document.tdx.mr_td, document.tdx.rtmr0]).toEqual(['DANGEROUSLY_ACCEPT_ANY', undefined])
  })

  it('says from when on the answer may be another', () => {
    expect(untilOf(versionOf(1, active))).toBeUndefined()
    expect(untilOf(versionOf(1, active, setText([1], { valid: { until: LATEST } })))).toBe(LATEST)
    expect(
      untilOf(versionOf(1, { state: 'deprecated', until: LATER }), versionOf(2, active, setText([2], { valid: { until: LATEST } }))),
    ).toBe(LATER)
    expect(untilOf(versionOf(1, active, setText([1], { valid: { from: LATER, until: LATEST } })))).toBe(LATER)
    expect(untilOf(versionOf(1, active, setText([1], { valid: { from: PAST } })))).toBeUndefined()
  })

  it('says when each value ends: the one that several versions give with the last of them, and what has no end not at all', () => {
    expect(ends(versionOf(1, active))).toEqual([])
    const ending = setText([1, 2], { valid: { until: LATEST } })
    expect(ends(versionOf(1, { state: 'deprecated', until: LATER }, ending), versionOf(2, active, setText([2])))).toEqual([
      ['snp.measurements', [[digestOf(1), ms(LATER)]]],
    ])
    expect(ends(versionOf(1, { state: 'deprecated', until: LATER }), versionOf(2, active, ending))).toEqual([
      [
        'snp.measurements',
        [
          [digestOf(1), ms(LATEST)],
          [digestOf(2), ms(LATEST)],
        ],
      ],
    ])
    // The one that ends first may also come last.
    const first = versionOf(1, active, setText([1], { valid: { until: LATEST } }))
    expect(ends(first, versionOf(2, { state: 'deprecated', until: LATER }, setText([1])))).toEqual([
      ['snp.measurements', [[digestOf(1), ms(LATEST)]]],
    ])
    expect(ends(versionOf(1, active, setText([99], { valid: { until: LATER } })))).toEqual([])
  })

  it('agrees with itself at that time: what it took before, it does not take then', () => {
    const sets = nodes(versionOf(1, { state: 'deprecated', until: LATER }))
    const { until = NOW } = resolved(sets)
    expect(listed(sets, new Date(until.getTime() - 1))).toContain(digestOf(1))
    expect(listed(sets, until)).not.toContain(digestOf(1))
  })

  it('takes at most 100,000 values in one list, and refuses a set that has more', () => {
    const versions = Array.from({ length: 10 }, (_, at) => many(at * 10_000))
    const { document } = resolveReferences(policy([{ set: 'nodes' }]), nodes(...versions), NOW)
    expect(document.snp.measurements).toHaveLength(100_000)
    // One value more, that of the policy itself, and the set goes as a whole.
    expect(listed(nodes(...versions))).toEqual([{ set: 'nodes', state: 'more than 100000 values in one list' }, own])
  })
})
