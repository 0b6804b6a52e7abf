import { beforeAll, describe, expect, it } from 'vitest'
import { endorsementChecks } from '../../../test/snp-endorsed.ts'
import { fakeAmd, type FakeAmd } from '../../simulator/amd.ts'
import type { CrlRequest } from '../../simulator/revocation.ts'
import type { FakeVek } from '../../simulator/veks.ts'
import { genuineOnly, type Check, type CollateralAddress, type RollbackMark } from '../verifier.ts'
import { crlAddress } from './address.ts'

const now = new Date('2026-11-23T12:00:00Z')
const hours = (count: number): Date => new Date(now.getTime() + count * 3_600_000)
const [VCEK, VLEK] = [crlAddress('Milan', 'vcek'), crlAddress('Milan', 'vlek')]

let amd: FakeAmd
let vek: FakeVek
beforeAll(async () => {
  amd = await fakeAmd({ now, products: ['Milan', 'Turin'] })
  vek = amd.vcek({ product: 'Milan' })
})

type Mode = 'require' | 'prefer' | 'DANGEROUSLY_OFF'
type Lists = ReadonlyMap<CollateralAddress, Uint8Array>
type Marks = ReadonlyMap<CollateralAddress, RollbackMark>
const list = (request: Partial<CrlRequest> = {}): Uint8Array => amd.crl({ product: 'Milan', ...request })
const both = (der: Uint8Array): Lists => new Map([VCEK, VLEK].map((address) => [address, der]))

/** The two checks of revocation. */
async function judged(documents: Lists, revocation: Mode = 'require', marks: Marks = new Map()): Promise<readonly Check[]> {
  const rigour = { ...genuineOnly, snp: { ...genuineOnly.snp, revocation } }
  const checks = await endorsementChecks(amd, vek, { collateral: { documents, marks }, context: { rigour } })
  return checks.filter(({ id }) => id === 'SNP-36')
}
const actualOf = async (documents: Lists, mode?: Mode, marks?: Marks): Promise<readonly (string | undefined)[]> =>
  (await judged(documents, mode, marks)).map(({ outcome, actual }) => `${outcome}: ${actual}`)
const serial = (role: string): bigint | undefined => amd.anchors().find((a) => a.product === 'Milan' && a.role === role)?.serial
const marked = (mark: RollbackMark): Marks => new Map([VCEK, VLEK].map((address) => [address, mark]))
const unknown: CrlRequest['overrides'] = { extensions: (all) => [...all, { oid: '1.2.3', critical: true, value: Uint8Array.of(5, 0) }] }

describe('the checks of both lists (SNP-36)', () => {
  it('name their endpoint, what is expected, and what to do', async () => {
    const rule = {
      id: 'SNP-36',
      outcome: 'fail',
      code: 'snp-crl-unavailable',
      expected: 'a current list, signed by the root, on which neither root nor intermediate stand',
      remedy: expect.stringContaining('refresh the revocation lists'),
    }
    expect(await judged(new Map())).toMatchObject([
      { ...rule, title: 'Revocation list of the vcek endpoint' },
      { ...rule, title: 'Revocation list of the vlek endpoint' },
    ])
  })

  it('say number and window of a list that is good', async () => {
    const text = 'pass: number 7, thisUpdate 2026-11-23T11:00:00.000Z, nextUpdate 2026-12-23T12:00:00.000Z'
    expect(await actualOf(both(list({ number: 7n })))).toEqual([text, text])
  })

  it.each<[string, () => Uint8Array]>([
    ['not signed by the pinned key of ARK-Milan', () => list({ overrides: { signWith: amd.authority('Milan', 'ask') } })],
    ['signed with another algorithm than AMD’s', () => list({ overrides: { scheme: 'pkcs1-sha384' } })],
    ['the list has extension 1.2.3, which is not understood', () => list({ overrides: unknown })],
    ['number 1, thisUpdate 2026-11-24T12:00:00.000Z, nextUpdate 2026-12-23T12:00:00.000Z', () => list({ thisUpdate: hours(24) })],
    ['number 1, thisUpdate 2026-11-23T11:00:00.000Z, nextUpdate none', () => list({ nextUpdate: 'absent' })],
  ])('say of a list that is not: %s', async (why, make) => {
    expect(await actualOf(both(make()))).toEqual([`fail: ${why}`, `fail: ${why}`])
  })

  it('say who was revoked', async () => {
    const [ask = 0n, ark = 0n] = [serial('ask'), serial('ark')]
    const asks = `fail: SEV-Milan, serial ${ask}, is revoked`
    const arks = `fail: ARK-Milan, serial ${ark}, is revoked`
    expect(await actualOf(both(list({ revoked: [ask] })))).toEqual([asks, asks])
    expect(await actualOf(both(list({ revoked: [ark] })))).toEqual([arks, arks])
    expect(await actualOf(both(list({ revoked: [ask] })), 'DANGEROUSLY_OFF')).toEqual([asks, asks])
  })

  it('say which newer list was seen before', async () => {
    const text = 'number 1, thisUpdate 2026-11-23T11:00:00.000Z, nextUpdate 2026-12-23T12:00:00.000Z'
    const number = `fail: ${text}; number 9 of 2026-11-23T10:00:00.000Z was seen before`
    expect(await actualOf(both(list()), 'require', marked({ number: 9n, thisUpdate: hours(-2) }))).toEqual([number, number])
    const unreadable = `fail: ${text}; a list of unknown number was seen before`
    expect(await actualOf(both(list()), 'require', marked('strictest'))).toEqual([unreadable, unreadable])
  })
})

describe('lists that are not at hand', () => {
  const seen: Marks = new Map([[VCEK, { number: 1n, thisUpdate: hours(-9) }]])

  it.each<[Mode, Marks, string, string]>([
    ['require', new Map(), 'fail: no list is at hand', 'fail: no list is at hand'],
    ['require', seen, 'fail: no list is at hand, though one was seen before', 'fail: no list is at hand'],
    ['prefer', seen, 'fail: no list is at hand, though one was seen before', 'warn: no list is at hand, and none was ever seen'],
    ['DANGEROUSLY_OFF', seen, 'skip: not asked: the policy turns revocation off', 'skip: not asked: the policy turns revocation off'],
  ])('under %s', async (mode, marks, ...expected) => expect(await actualOf(new Map(), mode, marks)).toEqual(expected))

  it('are a warning with its code and remedy where the policy prefers them', async () => {
    const [first] = await judged(new Map(), 'prefer')
    expect(first).toEqual({
      id: 'SNP-36',
      title: 'Revocation list of the vcek endpoint',
      outcome: 'warn',
      code: 'snp-crl-unavailable',
      actual: 'no list is at hand, and none was ever seen',
      expected: 'a current list, signed by the root, on which neither root nor intermediate stand',
      origin: 'specification',
      remedy: expect.stringContaining('refresh the revocation lists'),
    })
  })
})
