import { beforeAll, describe, expect, it } from 'vitest'
import { freshMemo } from '../../../test/snp-in-process.ts'
import { fakeAmd, type FakeAmd } from '../../simulator/amd.ts'
import { amdName } from '../../simulator/names.ts'
import type { CrlRequest } from '../../simulator/revocation.ts'
import { anchorsOf, pinnedAnchors } from '../anchors.ts'
import {
  genuineOnly,
  type AmdAnchor,
  type CollateralAddress,
  type Context,
  type Memo,
  type RollbackMark,
  type SnpRigour,
} from '../verifier.ts'
import { crlAddress } from './address.ts'
import { checkRevocation, type Revocation } from './revocation.ts'

const now = new Date('2026-11-23T12:00:00Z')
const hours = (count: number): Date => new Date(now.getTime() + count * 3_600_000)
const VCEK = crlAddress('Milan', 'vcek')
const VLEK = crlAddress('Milan', 'vlek')
const NULL = Uint8Array.of(0x05, 0x00)

let amd: FakeAmd
beforeAll(async () => {
  amd = await fakeAmd({ now, products: ['Milan', 'Turin'] })
})

const list = (request: Partial<CrlRequest> = {}): Uint8Array => amd.crl({ product: 'Milan', ...request })
const both = (der: Uint8Array): Map<CollateralAddress, Uint8Array> => new Map([VCEK, VLEK].map((address) => [address, der]))
const anchor = (role: AmdAnchor['role']): AmdAnchor => amd.anchors().find((a) => a.product === 'Milan' && a.role === role) ?? raise()
const raise = (): never => {
  throw new Error('the simulator lacks an authority')
}

type Trial = {
  readonly marks?: Map<CollateralAddress, RollbackMark>
  readonly rigour?: Partial<SnpRigour>
  readonly memo?: Memo
  readonly root?: AmdAnchor
  readonly anchors?: readonly AmdAnchor[]
  readonly now?: Date
  readonly mode?: Context['mode']
}
function judge(
  documents: Map<CollateralAddress, Uint8Array>,
  { marks = new Map(), rigour = {}, memo = freshMemo(), root = anchor('ark'), anchors = amd.anchors(), ...at }: Trial = {},
): Revocation {
  const context: Context = {
    now,
    mode: 'test',
    reportData: undefined,
    extraData: undefined,
    memo,
    ...at,
    rigour: { ...genuineOnly, snp: { ...genuineOnly.snp, revocation: 'require', ...rigour } },
  }
  const collateral = { documents, missing: new Map(), marks }
  return checkRevocation({ issuer: anchor('ask'), root, anchors: anchorsOf(anchors), collateral, context })
}
const codes = ({ checks }: Revocation): readonly string[] =>
  checks.map((check) => ('code' in check ? `${check.outcome} ${check.code}` : check.outcome))
const fail = (code: string): readonly string[] => [`fail ${code}`, `fail ${code}`]

/** The algorithm beside the signature says a salt of 20 bytes; what is signed, and the signature, are as they were. */
function withOuterSalt20(der: Uint8Array): Uint8Array {
  const changed = Buffer.from(der)
  changed[changed.lastIndexOf(Buffer.from('a203020130', 'hex')) + 4] = 20
  return new Uint8Array(changed)
}

describe('a list (SNP-36)', () => {
  it('passes when it is current, and says when it ends', () => {
    const revocation = judge(both(list()))
    expect(codes(revocation)).toEqual(['pass', 'pass'])
    expect(revocation.validUntil).toEqual([hours(720), hours(720)])
  })

  it.each([
    ['garbage', () => Uint8Array.of(1, 2, 3), 'snp-crl-signature'],
    ['nothing', () => new Uint8Array(0), 'snp-crl-signature'],
    ['a list of another root', () => list({ product: 'Turin' }), 'snp-crl-issuer'],
    ['a list in another name', () => list({ overrides: { issuer: amdName('ARK-Turin') } }), 'snp-crl-issuer'],
    ['a list signed by the ASK', () => list({ overrides: { signWith: amd.authority('Milan', 'ask') } }), 'snp-crl-signature'],
    ['PKCS#1 v1.5', () => list({ overrides: { scheme: 'pkcs1-sha384' } }), 'snp-crl-signature'],
    ['another algorithm outside than inside', () => withOuterSalt20(list()), 'snp-crl-signature'],
    ['a salt of 20 bytes', () => list({ overrides: { scheme: 'pss-sha384-salt20' } }), 'snp-crl-signature'],
    [
      'an unknown critical extension',
      () => list({ overrides: { extensions: (all) => [...all, { oid: '1.2.3', critical: true, value: NULL }] } }),
      'snp-crl-unavailable',
    ],
    [
      'a partial list',
      () => list({ overrides: { extensions: (all) => [...all, { oid: '2.5.29.28', critical: false, value: NULL }] } }),
      'snp-crl-unavailable',
    ],
    ['the ASK on it', () => list({ revoked: [anchor('ask').serial] }), 'snp-intermediate-revoked'],
    ['the ARK on it', () => list({ revoked: [anchor('ark').serial] }), 'snp-root-revoked'],
    ['both on it', () => list({ revoked: [anchor('ask').serial, anchor('ark').serial] }), 'snp-root-revoked'],
    ['the ASK on an expired one', () => list({ revoked: [anchor('ask').serial], nextUpdate: hours(-1) }), 'snp-intermediate-revoked'],
    ['a list of tomorrow', () => list({ thisUpdate: hours(24) }), 'snp-crl-not-yet-valid'],
    ['a list of yesterday', () => list({ thisUpdate: hours(-48), nextUpdate: hours(-24) }), 'snp-crl-expired'],
    ['a list without end', () => list({ nextUpdate: 'absent' }), 'snp-crl-expired'],
  ])('is refused for %s', (_, make, code) => {
    for (const revocation of ['require', 'prefer'] as const)
      expect(codes(judge(both(make()), { rigour: { revocation } }))).toEqual(fail(code))
  })

  it('that another endpoint serves revokes as well', () => {
    const revoked = list({ revoked: [anchor('ask').serial] })
    for (const address of [VCEK, VLEK]) expect(codes(judge(both(list()).set(address, revoked)))).toContain('fail snp-intermediate-revoked')
  })

  it('on which the ASVK stands, or serial 0 as every VEK has, does not revoke a VCEK', () => {
    expect(codes(judge(both(list({ revoked: [anchor('asvk').serial, 0n] }))))).toEqual(['pass', 'pass'])
  })

  it('is in time to the second, with the policy’s grace and the clocks’ tolerance', () => {
    const window = both(list({ thisUpdate: hours(0), nextUpdate: hours(1) }))
    const at = (ms: number, rigour: Trial['rigour'] = {}) => codes(judge(window, { now: new Date(hours(0).getTime() + ms), rigour }))
    const HOUR = 3_600_000
    expect(at(0)).toEqual(['pass', 'pass'])
    expect(at(-1)).toEqual(fail('snp-crl-not-yet-valid'))
    expect(at(-1000, { skewSeconds: 1 })).toEqual(['pass', 'pass'])
    expect(at(-301_000, { skewSeconds: 100_000 })).toEqual(fail('snp-crl-not-yet-valid'))
    expect(at(0, { skewSeconds: NaN })).toEqual(fail('snp-crl-not-yet-valid'))
    expect(at(0, { crlGraceSeconds: NaN })).toEqual(fail('snp-crl-expired'))
    expect(at(NaN)).toEqual(fail('snp-crl-not-yet-valid'))
    expect(at(HOUR - 1)).toEqual(['pass', 'pass'])
    expect(at(HOUR)).toEqual(fail('snp-crl-expired'))
    expect(at(HOUR, { skewSeconds: 300 })).toEqual(fail('snp-crl-expired'))
    expect(at(HOUR, { crlGraceSeconds: 60 })).toEqual(['pass', 'pass'])
    expect(at(HOUR + 60_000, { crlGraceSeconds: 60 })).toEqual(fail('snp-crl-expired'))
    expect(judge(window, { rigour: { crlGraceSeconds: 60 } }).validUntil[0]).toEqual(new Date(hours(1).getTime() + 60_000))
  })
})

const marked = (number: bigint, thisUpdate: Date): Trial => ({
  marks: new Map([VCEK, VLEK].map((address) => [address, { number, thisUpdate }])),
})

describe('rollback', () => {
  it.each([
    ['the same list', () => judge(both(list({ number: 5n })), marked(5n, hours(-1))), ['pass', 'pass']],
    ['a newer list', () => judge(both(list({ number: 6n })), marked(5n, hours(-2))), ['pass', 'pass']],
    ['a lower number', () => judge(both(list({ number: 4n })), marked(5n, hours(-2))), fail('snp-crl-rollback')],
    ['an older date', () => judge(both(list({ number: 6n })), marked(5n, hours(0))), fail('snp-crl-rollback')],
    [
      'no number, after one',
      () => judge(both(list({ overrides: { extensions: () => [] } })), marked(1n, hours(-2))),
      fail('snp-crl-rollback'),
    ],
    [
      'a mark that could not be read',
      () => judge(both(list({ number: 9n })), { marks: new Map([VCEK, VLEK].map((a) => [a, 'strictest'])) }),
      fail('snp-crl-rollback'),
    ],
  ])('%s', (_, run, expected) => expect(codes(run())).toEqual(expected))

  it('is never denied by a mark whose date is none', () => {
    expect(() => judge(both(list({ number: 6n })), marked(5n, new Date(NaN)))).toThrow(RangeError)
  })

  it('is asked for each endpoint by its own mark', () => {
    const marks = new Map([[VLEK, { number: 9n, thisUpdate: hours(-9) }]])
    expect(codes(judge(both(list({ number: 5n })), { marks }))).toEqual(['pass', 'fail snp-crl-rollback'])
  })
})

describe('modes', () => {
  const absent = new Map<CollateralAddress, Uint8Array>()
  const mark = { number: 1n, thisUpdate: hours(-9) }

  it.each([
    ['require, none', () => judge(absent), fail('snp-crl-unavailable')],
    ['require, one of two', () => judge(new Map([[VCEK, list()]])), ['pass', 'fail snp-crl-unavailable']],
    ['prefer, none', () => judge(absent, { rigour: { revocation: 'prefer' } }), ['warn snp-crl-unavailable', 'warn snp-crl-unavailable']],
    [
      'prefer, none, one seen before',
      () => judge(absent, { rigour: { revocation: 'prefer' }, marks: new Map([[VCEK, mark]]) }),
      ['fail snp-crl-unavailable', 'warn snp-crl-unavailable'],
    ],
    [
      'prefer, none, a mark that could not be read',
      () => judge(absent, { rigour: { revocation: 'prefer' }, marks: new Map([[VLEK, 'strictest']]) }),
      ['warn snp-crl-unavailable', 'fail snp-crl-unavailable'],
    ],
    ['off, none', () => judge(absent, { rigour: { revocation: 'DANGEROUSLY_OFF' } }), ['skip', 'skip']],
    ['off, a list', () => judge(both(list()), { rigour: { revocation: 'DANGEROUSLY_OFF' } }), ['skip', 'skip']],
  ])('%s', (_, run, expected) => expect(codes(run())).toEqual(expected))
})

const ask = () => anchor('ask').serial

describe('a policy that turns revocation off', () => {
  const off = { rigour: { revocation: 'DANGEROUSLY_OFF' } } as const

  it.each([
    ['the ASK', () => list({ revoked: [ask()] }), 'snp-intermediate-revoked'],
    ['the ARK', () => list({ revoked: [ask(), anchor('ark').serial] }), 'snp-root-revoked'],
    ['the ASK, and has expired', () => list({ revoked: [ask()], nextUpdate: hours(-1) }), 'snp-intermediate-revoked'],
  ])('cannot turn off what is found on a list that names %s', (_, make, code) => {
    for (const marks of [new Map(), new Map([[VCEK, 'strictest']] as const)])
      expect(codes(judge(both(make()), { ...off, marks }))).toEqual(fail(code))
  })

  it('refuses for one of two lists, whether the other is there or not', () => {
    const revoked = list({ revoked: [ask()] })
    expect(codes(judge(new Map([[VLEK, revoked]]), off))).toEqual(['skip', 'fail snp-intermediate-revoked'])
    expect(codes(judge(both(list()).set(VCEK, revoked), off))).toEqual(['fail snp-intermediate-revoked', 'skip'])
  })

  it.each([
    ['names others', () => list({ revoked: [anchor('asvk').serial, 0n] })],
    ['is none', () => Uint8Array.of(1, 2, 3)],
    ['somebody else signed', () => list({ revoked: [ask()], overrides: { signWith: amd.authority('Milan', 'ask') } })],
    ['has expired', () => list({ nextUpdate: hours(-1) })],
    [
      'is not understood',
      () => list({ revoked: [ask()], overrides: { extensions: (all) => [...all, { oid: '1.2.3', critical: true, value: NULL }] } }),
    ],
  ])('asks nothing else of a list that %s, and relies on none', (_, make) => {
    const revocation = judge(both(make()), off)
    expect(codes(revocation)).toEqual(['skip', 'skip'])
    expect(revocation.validUntil).toEqual([])
  })
})

describe('the memo', () => {
  it('keeps proven lists, no others, and nothing that time decides', () => {
    const memo = freshMemo()
    const kept: string[] = []
    const { crl } = memo.snp
    const counted: Memo = { ...memo, snp: { ...memo.snp, crl: { get: crl.get, set: (key, fact) => (kept.push(key), crl.set(key, fact)) } } }
    judge(both(Uint8Array.of(1)), { memo: counted })
    expect(kept).toEqual([])
    const good = both(list())
    judge(good, { memo: counted })
    judge(good, { memo: counted })
    expect(new Set(kept).size).toBe(2)
    expect(kept).toHaveLength(2)
    expect(codes(judge(good, { memo: counted, now: hours(1000) }))).toEqual(fail('snp-crl-expired'))
  })

  it('keeps a list for the mode in which it was proven', () => {
    const keys = new Set<string>()
    const memo = freshMemo()
    const good = both(list())
    const { crl } = memo.snp
    const counted: Memo = { ...memo, snp: { ...memo.snp, crl: { get: crl.get, set: (key, fact) => (keys.add(key), crl.set(key, fact)) } } }
    for (const mode of ['test', 'demo'] as const) expect(codes(judge(good, { memo: counted, mode }))).toEqual(['pass', 'pass'])
    expect(keys.size).toBe(4)
  })

  it('keeps a list for the root that signed it alone', () => {
    const memo = freshMemo()
    const good = both(list())
    expect(codes(judge(good, { memo }))).toEqual(['pass', 'pass'])
    const pinned = pinnedAnchors.amd.find(({ commonName }) => commonName === 'ARK-Milan')
    expect(codes(judge(good, { memo, root: pinned ?? anchor('asvk') }))).toEqual(fail('snp-crl-signature'))
  })

  it('keeps a list for the anchors under which it was proven: roots of two tests have one name', async () => {
    const memo = freshMemo()
    const other = (await fakeAmd({ now, products: ['Milan'] })).anchors()
    const good = both(list())
    expect(codes(judge(good, { memo }))).toEqual(['pass', 'pass'])
    const ark = other.find(({ role }) => role === 'ark') ?? raise()
    expect(codes(judge(good, { memo, anchors: other, root: ark }))).toEqual(fail('snp-crl-signature'))
  })
})
