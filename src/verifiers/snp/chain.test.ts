import { generateKeyPairSync } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { freshMemo } from '../../../test/snp-in-process.ts'
import { fakeAmd, type FakeAmd } from '../../simulator/amd.ts'
import { amdName } from '../../simulator/names.ts'
import { signedReport, type ReportFields } from '../../simulator/report.ts'
import type { FakeVek } from '../../simulator/veks.ts'
import { anchorsOf, pinnedAnchors } from '../anchors.ts'
import { genuineOnly, type Anchors, type Collateral, type CollateralAddress, type Context, type Memo } from '../verifier.ts'
import { verifyEndorsement, type Endorsement } from './chain.ts'
import { parseReport } from './report.ts'
import { vcekAddressOfReport } from './vek-select.ts'

const now = new Date('2026-11-23T12:00:00Z')
const year = 365 * 86_400_000
let amd: FakeAmd
let other: FakeAmd
let anchors: Anchors
let vcek: FakeVek
let vlek: FakeVek
beforeAll(async () => {
  amd = await fakeAmd({ now, products: ['Milan', 'Turin'] })
  other = await fakeAmd({ now, products: ['Milan'] })
  anchors = anchorsOf(amd.anchors())
  vcek = amd.vcek({ product: 'Milan' })
  vlek = amd.vlek({ product: 'Milan' })
})

const none: Collateral = { documents: new Map(), missing: new Map(), marks: new Map() }
type Trial = {
  readonly vek?: FakeVek
  readonly fields?: Partial<ReportFields>
  readonly certificates?: readonly Uint8Array[]
  readonly anchors?: Anchors
  readonly collateral?: Collateral
  readonly context?: Partial<Context>
}

function endorse({ vek = vcek, fields = {}, certificates = [vek.der], ...trial }: Trial): Promise<Endorsement> {
  const context: Context = {
    now,
    mode: 'test',
    reportData: undefined,
    extraData: undefined,
    rigour: genuineOnly,
    memo: freshMemo(),
    ...trial.context,
  }
  const report = parseReport(signedReport(vek, fields))
  return verifyEndorsement({ certificates, report, anchors: trial.anchors ?? anchors, collateral: trial.collateral ?? none, context })
}

const failures = ({ checks }: Endorsement): readonly string[] =>
  checks.flatMap((check) => (check.outcome === 'fail' ? [`${check.id} ${check.code}`] : []))
const outcomeOf = ({ checks }: Endorsement, id: string): string =>
  checks
    .filter((check) => check.id === id)
    .map(({ outcome }) => outcome)
    .join()

describe('a genuine endorsement', () => {
  it.each([
    ['VCEK', () => endorse({})],
    ['VLEK', () => endorse({ vek: vlek })],
    ['Turin VCEK', () => endorse({ vek: amd.vcek({ product: 'Turin' }) })],
  ])('%s is accepted, and every check of SNP-22 to SNP-47 is told', async (_, run) => {
    const endorsement = await run()
    expect(failures(endorsement)).toEqual([])
    expect(endorsement.fact?.vek.kind).toBe(endorsement.checks.find(({ id }) => id === 'SNP-44')?.outcome === 'pass' ? 'vlek' : 'vcek')
    const ids = [22, 23, 24, 25, 30, 31, 32, 33, 34, 35, 36, 36, 40, 41, 42, 43, 44, 46, 47].map((number) => `SNP-${number}`)
    expect(endorsement.checks.map(({ id }) => id)).toEqual(ids)
  })

  it('is good until the first of its certificates ends', async () => {
    const { validUntil, fact, product } = await endorse({ vek: vlek })
    expect(validUntil).toEqual(fact?.vek.notAfter)
    expect(product).toBe('Milan')
  })

  it('is good no longer than its root', async () => {
    const end = new Date('2027-01-01T00:00:00Z')
    const short = amd.anchors().map((anchor) => (anchor.role === 'ark' ? { ...anchor, notAfter: end } : anchor))
    expect((await endorse({ anchors: anchorsOf(short) })).validUntil).toEqual(end)
  })
})

const end = now.getTime() + year
const start = now.getTime() - 86_400_000
/** A VLEK from `start` to `end`, looked at at a time. */
const at = (time: number, skewSeconds = 0) => {
  const dated = amd.vlek({ product: 'Milan', overrides: { notBefore: new Date(start), notAfter: new Date(end) } })
  return endorse({ vek: dated, context: { now: new Date(time), rigour: { ...genuineOnly, snp: { ...genuineOnly.snp, skewSeconds } } } })
}

const shipped = (overrides: Parameters<FakeAmd['vcek']>[0]['overrides']) => {
  const changed = amd.vcek({ product: 'Milan', hwid: vcek.hwid, ...(overrides === undefined ? {} : { overrides }) })
  return endorse({ certificates: [changed.der] })
}

/** The VCEK with bytes replaced by others from the same place on. */
function patched(from: string, to: string): Promise<Endorsement> {
  const der = Buffer.from(vcek.der)
  Buffer.from(to, 'hex').copy(der, der.indexOf(Buffer.from(from, 'hex')))
  return endorse({ certificates: [new Uint8Array(der)] })
}

/** The first byte of X, which stands behind the curve's identifier and 04, is another one. */
function offTheCurve(): Promise<Endorsement> {
  const der = Buffer.from(vcek.der)
  const x = der.indexOf(Buffer.from('2b8104002203620004', 'hex')) + 9
  der[x] = (der[x] ?? 0) ^ 1
  return endorse({ certificates: [new Uint8Array(der)] })
}

const address = (): CollateralAddress => vcekAddressOfReport(parseReport(signedReport(vcek))) ?? 'amd/none'
const fetched = (der: Uint8Array): Collateral => ({ ...none, documents: new Map([[address(), der]]) })

/** All three certificates are late and early. */
const NEITHER = ['expired', 'not-yet-valid'].flatMap((code) => Array.from({ length: 3 }, () => `SNP-33 snp-cert-${code}`))

describe('dates (SNP-33)', () => {
  it.each([
    ['at its first second', () => at(start), []],
    ['before it', () => at(start - 1000), ['SNP-33 snp-cert-not-yet-valid']],
    ['before it within the clocks’ tolerance', () => at(start - 1000, 1), []],
    ['before the tolerance', () => at(start - 301_000, 100_000), ['SNP-33 snp-cert-not-yet-valid']],
    ['at its last second', () => at(end), []],
    ['after it', () => at(end + 1000), ['SNP-33 snp-cert-expired']],
    ['after it within the clocks’ tolerance', () => at(end + 1000, 1), []],
    ['after the tolerance', () => at(end + 301_000, 100_000), ['SNP-33 snp-cert-expired']],
    ['with a tolerance that is negative', () => at(end, -1000), []],
    ['with a tolerance that is no number', () => at(now.getTime(), NaN), NEITHER],
  ])('%s', async (_, run, expected) => {
    const certain = (await run()).checks.filter(({ id }) => id === 'SNP-33')
    expect(certain.flatMap((check) => (check.outcome === 'fail' ? [`${check.id} ${check.code}`] : []))).toEqual(expected)
  })

  it.each([
    ['ark', 'notAfter', 'SNP-33 snp-cert-expired'],
    ['ark', 'notBefore', 'SNP-33 snp-cert-not-yet-valid'],
    ['ask', 'notAfter', 'SNP-33 snp-cert-expired'],
    ['ask', 'notBefore', 'SNP-33 snp-cert-not-yet-valid'],
  ] as const)('of the %s count: %s', async (role, field, expected) => {
    const shifted = new Date(now.getTime() + (field === 'notAfter' ? -1000 : 1000))
    const changed = amd.anchors().map((anchor) => (anchor.role === role ? { ...anchor, [field]: shifted } : anchor))
    expect(failures(await endorse({ anchors: anchorsOf(changed) }))).toEqual([expected])
  })
})

describe('roots and modes (SNP-30 to SNP-32)', () => {
  it.each([
    [
      'simulated evidence in production',
      () => endorse({ anchors: pinnedAnchors, context: { mode: 'production' } }),
      'SNP-30 snp-root-untrusted',
    ],
    ['a test root in production', () => endorse({ context: { mode: 'production' } }), 'SNP-30 snp-root-untrusted'],
    [
      'a test root in production, without the marker',
      () => endorse({ vek: amd.vcek({ product: 'Milan', overrides: { marker: 'omit' } }), context: { mode: 'production' } }),
      'SNP-30 snp-root-untrusted',
    ],
    [
      'the marker under a root that is not of a test',
      () => endorse({ anchors: anchorsOf(amd.anchors().map((anchor) => ({ ...anchor, origin: 'pinned' }))) }),
      'SNP-30 snp-root-untrusted',
    ],
    [
      'an intermediate whose root is not pinned',
      () => endorse({ anchors: anchorsOf(amd.anchors().filter(({ role }) => role !== 'ark')) }),
      'SNP-30 snp-root-untrusted',
    ],
    ['another simulator', () => endorse({ anchors: anchorsOf(other.anchors()) }), 'SNP-32 snp-chain-invalid'],
    ['simulated evidence under AMD’s keys, in a test', () => endorse({ anchors: pinnedAnchors }), 'SNP-32 snp-chain-invalid'],
    ['no anchors at all', () => endorse({ anchors: anchorsOf([]) }), 'SNP-31 snp-chain-invalid'],
    [
      'only the root',
      () => endorse({ anchors: anchorsOf(amd.anchors().filter(({ role }) => role === 'ark')) }),
      'SNP-31 snp-chain-invalid',
    ],
  ])('refuse %s', async (_, run, expected) => {
    const endorsement = await run()
    expect(failures(endorsement)).toEqual([expected])
    expect([endorsement.fact, endorsement.product, endorsement.validUntil]).toEqual([undefined, undefined, now])
  })

  it('accept certificates without the marker under a test root', async () => {
    expect(failures(await endorse({ vek: amd.vcek({ product: 'Milan', overrides: { marker: 'omit' } }) }))).toEqual([])
  })

  it('keep test roots beside pinned ones apart', async () => {
    expect(failures(await endorse({ anchors: anchorsOf([...pinnedAnchors.amd, ...amd.anchors()]) }))).toEqual([])
  })
})

describe('the certificate’s form', () => {
  it.each([
    ['bytes that are no certificate', () => endorse({ certificates: [Uint8Array.of(0x30, 0)] }), 'SNP-23 snp-vek-algorithm'],
    ['another version', () => patched('a003020102', 'a003020101'), 'SNP-23 snp-vek-algorithm'],
    ['a key on P-256', () => shipped({ keys: generateKeyPairSync('ec', { namedCurve: 'P-256' }) }), 'SNP-23 snp-vek-algorithm'],
    ['a key that is no point of the curve', offTheCurve, 'SNP-23 snp-vek-algorithm'],
    ['a point that is compressed', () => patched('2b8104002203620004', '2b8104002203620002'), 'SNP-23 snp-vek-algorithm'],
    ['another algorithm inside than outside', () => shipped({ innerScheme: 'pkcs1-sha384' }), 'SNP-23 snp-vek-algorithm'],
    ['the name VCEK, which is not AMD’s', () => shipped({ commonName: 'VCEK' }), 'SNP-25 snp-vek-subject'],
    ['the name of an authority', () => shipped({ commonName: 'SEV-Milan' }), 'SNP-24 snp-vek-kind-mismatch'],
    ['an issuer of no product', () => shipped({ issuer: amdName('SEV-Rome') }), 'SNP-31 snp-chain-invalid'],
    [
      'a key of another certificate',
      () => shipped({ signedBy: { ...amd.authority('Milan', 'ask'), privateKey: other.authority('Milan', 'ask').privateKey } }),
      'SNP-32 snp-chain-invalid',
    ],
  ])('refuses %s', async (_, run, expected) => expect(failures(await run())).toEqual([expected]))
})

describe('chip, TCB and kind', () => {
  const tcb = { bootloader: 4, tee: 0, snp: 24, microcode: 219 }
  const chip = () => amd.vcek({ product: 'Milan', tcb })

  it.each(Object.keys(tcb))('compares %s of the TCB', async (part) => {
    const signer = chip()
    const lower = amd.vcek({ product: 'Milan', hwid: signer.hwid, tcb: { ...tcb, [part]: 1 } })
    expect(failures(await endorse({ vek: signer, certificates: [lower.der] }))).toEqual(['SNP-41 snp-vek-tcb-mismatch'])
  })

  it('tells everything that is wrong, in the order of the checks', async () => {
    const late = new Date(now.getTime() + 30 * year)
    expect(failures(await endorse({ vek: chip(), certificates: [vlek.der], context: { now: late } }))).toEqual([
      'SNP-24 snp-vek-kind-mismatch',
      'SNP-33 snp-cert-expired',
      'SNP-33 snp-cert-expired',
      'SNP-33 snp-cert-expired',
    ])
  })

  it('refuses another chip, and a masked one unless the policy allows it', async () => {
    expect(failures(await endorse({ certificates: [chip().der] }))).toContain('SNP-46 snp-vcek-hwid-mismatch')
    const masked: Trial = { fields: { chipId: new Uint8Array(64) } }
    expect(failures(await endorse(masked))).toEqual(['SNP-47 snp-chip-id-masked'])
    const allowed = await endorse({
      ...masked,
      context: { rigour: { ...genuineOnly, snp: { ...genuineOnly.snp, maskedChipId: 'allow' } } },
    })
    expect([failures(allowed), outcomeOf(allowed, 'SNP-46'), outcomeOf(allowed, 'SNP-47')]).toEqual([[], 'skip', 'pass'])
  })

  it('asks no chip of a VLEK', async () => {
    const endorsement = await endorse({ vek: vlek, fields: { chipId: new Uint8Array(64) } })
    expect([failures(endorsement), outcomeOf(endorsement, 'SNP-46'), outcomeOf(endorsement, 'SNP-47')]).toEqual([[], 'skip', 'skip'])
  })

  it('refuses version 2 under a Turin chain', async () => {
    const turin = amd.vcek({ product: 'Turin' })
    const wide = new Uint8Array(64).fill(7)
    expect(failures(await endorse({ vek: turin, fields: { version: 2, chipId: wide } }))).toContain('SNP-34 snp-product-mismatch')
  })

  it('does not look at lists where the products differ', async () => {
    const turin = amd.vcek({ product: 'Turin' })
    const rigour = { ...genuineOnly, snp: { ...genuineOnly.snp, revocation: 'require' } } as const
    const endorsement = await endorse({ certificates: [turin.der], context: { rigour } })
    expect([failures(endorsement).includes('SNP-34 snp-product-mismatch'), outcomeOf(endorsement, 'SNP-36')]).toEqual([true, 'skip'])
  })
})

const missing = (why: 'not-found' | 'unavailable'): Collateral => ({ ...none, missing: new Map([[address(), why]]) })

describe('no certificate (SNP-22)', () => {
  it.each([
    [
      'is no verdict while the VCEK may be had',
      () => endorse({ certificates: [], collateral: missing('unavailable') }),
      'collateral-unavailable',
    ],
    ['is no verdict when nobody asked', () => endorse({ certificates: [] }), 'collateral-unavailable'],
    ['is a refusal when the vendor has none', () => endorse({ certificates: [], collateral: missing('not-found') }), undefined],
    ['is a refusal for a VLEK', () => endorse({ vek: vlek, certificates: [] }), undefined],
    ['is a refusal for a masked chip', () => endorse({ fields: { chipId: new Uint8Array(64) }, certificates: [] }), undefined],
    ['is a refusal for version 2', () => endorse({ fields: { version: 2 }, certificates: [] }), undefined],
  ])('%s', async (_, run, undecided) => {
    const endorsement = await run()
    expect([failures(endorsement), endorsement.undecided]).toEqual([['SNP-22 snp-vek-missing'], undecided])
  })

  it('is made up for by a fetched one, which is judged like any other', async () => {
    expect(failures(await endorse({ certificates: [], collateral: fetched(vcek.der) }))).toEqual([])
    expect(failures(await endorse({ certificates: [], collateral: fetched(amd.vcek({ product: 'Milan' }).der) }))).not.toEqual([])
    const authorities = [amd.intermediate('Milan', 'ask'), amd.root('Milan')]
    expect(failures(await endorse({ certificates: authorities, collateral: fetched(vcek.der) }))).toEqual([])
    expect(failures(await endorse({ certificates: authorities }))).toEqual(['SNP-22 snp-vek-missing'])
  })
})

describe('the memo', () => {
  it('keeps what was proven, and gives the same answer', async () => {
    const memo = freshMemo()
    const first = await endorse({ context: { memo } })
    const second = await endorse({ context: { memo } })
    expect(second.fact).toBe(first.fact)
    expect(second).toEqual(first)
  })

  it('keeps no failure', async () => {
    const kept: string[] = []
    const fresh = freshMemo()
    const memo: Memo = { ...fresh, snp: { ...fresh.snp, vek: { get: () => undefined, set: (key) => void kept.push(key) } } }
    await endorse({ context: { memo, mode: 'production' } })
    await endorse({ context: { memo }, certificates: [Uint8Array.of(0x30, 0)] })
    expect(kept).toEqual([])
    await endorse({ context: { memo } })
    expect(kept).toHaveLength(1)
  })

  it('knows what came with evidence by its bytes, also where somebody has changed them', async () => {
    const [memo, der] = [freshMemo(), vcek.der.slice()]
    const endorsed = () => endorse({ certificates: [der], context: { memo } })
    expect(failures(await endorsed())).toEqual([])
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1
    expect(failures(await endorsed())).toEqual(['SNP-32 snp-chain-invalid'])
  })

  it('keeps nothing that depends on time, mode, anchors or report', async () => {
    const memo = freshMemo()
    await endorse({ context: { memo } })
    expect(failures(await endorse({ context: { memo, now: new Date(now.getTime() + 8 * year) } }))).toContain('SNP-33 snp-cert-expired')
    expect(failures(await endorse({ context: { memo, mode: 'production' } }))).toEqual(['SNP-30 snp-root-untrusted'])
    expect(failures(await endorse({ anchors: anchorsOf(other.anchors()), context: { memo } }))).toEqual(['SNP-32 snp-chain-invalid'])
    expect(failures(await endorse({ fields: { chipId: new Uint8Array(64).fill(1) }, context: { memo } }))).toEqual([
      'SNP-46 snp-vcek-hwid-mismatch',
    ])
  })
})
