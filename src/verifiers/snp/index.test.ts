import { beforeAll, describe, expect, it } from 'vitest'
import { attempt, contextAt, verdictOf, type Outcome, type Trial } from '../../../test/snp-in-process.ts'
import { fakeAmd, type FakeAmd } from '../../simulator/amd.ts'
import { CERT_GUID, certTable, pem, reportResponse } from '../../simulator/envelopes.ts'
import { signedReport, type ReportFields } from '../../simulator/report.ts'
import type { FakeVek } from '../../simulator/veks.ts'
import { anchorsOf } from '../anchors.ts'
import type { Anchors, Collateral, CollateralAddress, Context, SnpEvidence } from '../verifier.ts'
import { crlAddress, vcekAddress } from './address.ts'
import { snp } from './index.ts'

const NOW = new Date('2026-11-24T00:00:00Z')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const nothing: Collateral = { documents: new Map(), missing: new Map(), marks: new Map() }

let amd: FakeAmd
let anchors: Anchors
let milan: FakeVek
let turin: FakeVek
let vlek: FakeVek

beforeAll(async () => {
  amd = await fakeAmd({ now: NOW })
  anchors = anchorsOf(amd.anchors())
  milan = amd.vcek({ product: 'Milan' })
  turin = amd.vcek({ product: 'Turin' })
  vlek = amd.vlek({ product: 'Genoa' })
})

const evidenceBy = (vek: FakeVek, fields: Partial<ReportFields> = {}, more: Partial<SnpEvidence> = {}): SnpEvidence => ({
  type: 'snp',
  form: 'report',
  bytes: signedReport(vek, fields),
  certificates: [vek.der],
  ...more,
})

const trial = (context: Partial<Context> = {}, documents: readonly (readonly [CollateralAddress, Uint8Array])[] = []): Trial => ({
  anchors,
  collateral: { ...nothing, documents: new Map(documents) },
  context: contextAt(NOW, context),
})

const lists = (product: 'Milan' | 'Genoa' | 'Turin'): readonly (readonly [CollateralAddress, Uint8Array])[] =>
  (['vcek', 'vlek'] as const).map((endpoint) => [crlAddress(product, endpoint), amd.crl({ product, endpoint })])

/** The check with an id, of those that an outcome lists. */
const checkOf = ({ checks }: Outcome, id: string) => checks.find((check) => check.id === id)

const read = (evidence: SnpEvidence) => snp(evidence, anchors)
const crls = (product: 'Milan' | 'Genoa' | 'Turin') => [crlAddress(product, 'vcek'), crlAddress(product, 'vlek')]

describe('what evidence needs and offers', () => {
  it('needs the lists of both endpoints, and offers the VCEK that came along', async () => {
    const address = vcekAddress('Milan', hex(milan.hwid), milan.tcb)
    const { needs, offers } = await read(evidenceBy(milan))
    expect(needs).toEqual(crls('Milan'))
    expect([...offers]).toEqual([[address, milan.der]])
  })

  it('needs the VCEK first when none came along', async () => {
    const { needs, offers } = await read(evidenceBy(turin, {}, { certificates: [] }))
    expect(needs).toEqual([vcekAddress('Turin', hex(turin.hwid), turin.tcb), ...crls('Turin')])
    expect(offers.size).toBe(0)
  })

  it('needs the VCEK when only authorities came along', async () => {
    const { needs, offers } = await read(evidenceBy(milan, {}, { certificates: [amd.intermediate('Milan', 'ask'), amd.root('Milan')] }))
    expect(needs[0]).toBe(vcekAddress('Milan', hex(milan.hwid), milan.tcb))
    expect(offers.size).toBe(0)
  })

  it('offers the one that fits when several came along', async () => {
    const older = amd.vcek({ product: 'Milan', hwid: milan.hwid, tcb: { ...milan.tcb, microcode: 1 } })
    const { offers } = await read(evidenceBy(milan, {}, { certificates: [older.der, milan.der] }))
    expect([...offers.values()]).toEqual([milan.der])
  })

  it('can name no VCEK for a VLEK, a masked chip or version 2', async () => {
    expect((await read(evidenceBy(vlek, {}, { certificates: [] }))).needs).toEqual(crls('Genoa'))
    expect((await read(evidenceBy(vlek))).offers.size).toBe(0)
    const masked = evidenceBy(milan, { chipId: new Uint8Array(64) }, { certificates: [] })
    expect((await read(masked)).needs).toEqual(crls('Milan'))
    expect((await read(evidenceBy(milan, { version: 2 }, { certificates: [] }))).needs).toEqual([])
  })

  it('takes the lists of version 2 from what the certificate says of itself', async () =>
    expect((await read(evidenceBy(milan, { version: 2 }))).needs).toEqual(crls('Milan')))
})

describe('the verification of a report', () => {
  it.each(['Milan', 'Genoa', 'Turin'] as const)('accepts %s with either kind of key', async (product) => {
    const outcomes = await Promise.all(
      [amd.vcek({ product }), amd.vlek({ product })].map((vek) => attempt(evidenceBy(vek), trial({}, lists(product)))),
    )
    expect(outcomes.map((outcome) => [verdictOf(outcome), outcome.codes])).toEqual([
      ['pass', []],
      ['pass', []],
    ])
    expect(outcomes.map(({ finding }) => finding?.claims?.snp?.product)).toEqual([product, product])
  })

  it('takes the VCEK from the collateral when none came along', async () => {
    const address = vcekAddress('Milan', hex(milan.hwid), milan.tcb)
    const outcome = await attempt(evidenceBy(milan, {}, { certificates: [] }), trial({}, [[address, milan.der], ...lists('Milan')]))
    expect(verdictOf(outcome)).toBe('pass')
  })

  it('has no verdict while a VCEK could still be fetched, and a refusal once the vendor has none', async () => {
    const address = vcekAddress('Milan', hex(milan.hwid), milan.tcb)
    const evidence = evidenceBy(milan, {}, { certificates: [] })
    const missing = (why: 'unavailable' | 'not-found'): Trial => ({
      ...trial(),
      collateral: { ...nothing, missing: new Map([[address, why]]) },
    })
    const [open, closed] = await Promise.all([attempt(evidence, missing('unavailable')), attempt(evidence, missing('not-found'))])
    expect([open.finding?.undecided, open.codes, verdictOf(open)]).toEqual(['collateral-unavailable', ['snp-vek-missing'], 'fail'])
    expect([closed.finding?.undecided, closed.codes, verdictOf(closed)]).toEqual([undefined, ['snp-vek-missing'], 'fail'])
  })

  it('verifies the signature over the bytes as received', async () => {
    const outcome = await attempt(evidenceBy(milan, { tamper: [[0x90, Uint8Array.of(1)]] }), trial())
    expect(outcome.codes).toEqual(['snp-signature-invalid'])
    expect(outcome.finding?.claims).toBeUndefined()
    expect(outcome.checks.at(-1)).toMatchObject({ id: 'SNP-50', outcome: 'fail' })
  })

  it('refuses a signature in big-endian order', async () => {
    const bytes = signedReport(milan)
    const r = bytes.slice(0x2a0, 0x2d0).toReversed()
    const s = bytes.slice(0x2e8, 0x318).toReversed()
    bytes.set(r, 0x2a0)
    bytes.set(s, 0x2e8)
    const outcome = await attempt(evidenceBy(milan, {}, { bytes }), trial())
    expect(outcome.codes).toEqual(['snp-signature-invalid'])
  })

  it('reads the TCBs of version 2 once the chain has told the product', async () => {
    const good = await attempt(evidenceBy(milan, { version: 2 }), trial())
    expect([verdictOf(good), checkOf(good, 'SNP-11')?.outcome]).toEqual(['pass', 'pass'])
    const patch = [[0x1f2, Uint8Array.of(1)] as const]
    const bad = await attempt(evidenceBy(milan, { version: 2, patch }), trial())
    expect(bad.error?.code).toBe('snp-tcb-malformed')
    expect(bad.checks.at(-1)).toMatchObject({ id: 'SNP-11', outcome: 'fail', actual: 'LAUNCH_TCB 04000100000018db' })
  })

  it('makes every check of the specification up to the binding', async () => {
    const { checks } = await attempt(evidenceBy(milan), trial({ reportData: new Uint8Array(64) }, lists('Milan')))
    const made = new Set(checks.map(({ id }) => id))
    const wanted = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 30, 31, 32, 33, 34, 35, 36]
    const others = [40, 41, 42, 43, 44, 46, 47, 50, 60, 61]
    expect([...wanted, ...others].map((n) => `SNP-${String(n).padStart(2, '0')}`).filter((id) => !made.has(id))).toEqual([])
  })

  it('says whether revocation was checked', async () => {
    const [checked, unchecked] = await Promise.all([
      attempt(evidenceBy(milan), trial({}, lists('Milan'))),
      attempt(evidenceBy(milan), trial()),
    ])
    expect(checked.finding?.claims?.snp?.revocation).toBe('checked')
    expect(unchecked.finding?.claims?.snp?.revocation).toBe('not-checked')
  })
})

describe('the binding of REPORT_DATA', () => {
  const reportData = new Uint8Array(64).fill(7)

  it('passes when all 64 bytes are equal', async () => {
    const outcome = await attempt(evidenceBy(milan, { reportData }), trial({ reportData }))
    expect([verdictOf(outcome), checkOf(outcome, 'SNP-60')?.outcome]).toEqual(['pass', 'pass'])
  })

  it.each([0, 63])('fails when byte %i differs, and releases no claims', async (index) => {
    const outcome = await attempt(evidenceBy(milan, { reportData }), trial({ reportData: reportData.with(index, 8) }))
    expect(outcome.codes).toEqual(['snp-report-data-mismatch'])
    expect(outcome.finding?.claims).toBeUndefined()
    expect(checkOf(outcome, 'SNP-60')).toMatchObject({ actual: hex(reportData), expected: hex(reportData.with(index, 8)) })
  })

  it.each([0, 32, 63, 65])('never pads or cuts an expected value of %i bytes', async (length) => {
    const outcome = await attempt(evidenceBy(milan), trial({ reportData: new Uint8Array(length) }))
    expect(outcome.codes).toEqual(['snp-report-data-profile-invalid'])
    expect(outcome.finding?.claims).toBeUndefined()
  })

  it('is skipped, not passed, when nobody asks', async () => {
    const outcome = await attempt(evidenceBy(milan), trial())
    expect([checkOf(outcome, 'SNP-60')?.outcome, checkOf(outcome, 'SNP-61')?.outcome]).toEqual(['skip', 'skip'])
  })
})

describe('envelopes', () => {
  it('accepts the response of the guest driver', async () => {
    const evidence = evidenceBy(milan, {}, { form: 'report_response', bytes: reportResponse(signedReport(milan)) })
    expect(verdictOf(await attempt(evidence, trial()))).toBe('pass')
  })

  it.each([
    ['a status', 0, 1],
    ['another size', 4, 0xa1],
    ['a reserved byte', 8, 1],
    ['the last reserved byte', 31, 1],
  ])('refuses a response with %s', async (_, offset, value) => {
    const bytes = reportResponse(signedReport(milan)).with(offset, value)
    const { error } = await attempt(evidenceBy(milan, {}, { form: 'report_response', bytes }), trial())
    expect(error?.code).toBe('snp-envelope-not-raw')
  })

  it.each([0, 1184, 1215, 1217])('refuses a response of %i bytes', async (length) => {
    const { error } = await attempt(evidenceBy(milan, {}, { form: 'report_response', bytes: new Uint8Array(length) }), trial())
    expect(error?.code).toBe('snp-envelope-not-raw')
  })

  it('refuses a response where a report was announced', async () => {
    const { error } = await attempt(evidenceBy(milan, {}, { bytes: reportResponse(signedReport(milan)) }), trial())
    expect(error?.code).toBe('snp-report-size')
  })

  it('takes the VCEK from the table, as PEM, and ignores the authorities in it', async () => {
    const table = certTable([
      { guid: CERT_GUID.ark, bytes: Buffer.from(pem(amd.root('Milan'))) },
      { guid: CERT_GUID.ask, bytes: amd.intermediate('Milan', 'ask') },
      { guid: CERT_GUID.vcek, bytes: Buffer.from(pem(milan.der)) },
    ])
    const outcome = await attempt(evidenceBy(milan, {}, { certificates: [], certTable: table }), trial())
    expect(verdictOf(outcome)).toBe('pass')
  })

  it('takes nothing for an endorsement key that the table calls an authority', async () => {
    const table = certTable([{ guid: CERT_GUID.ask, bytes: milan.der }])
    const { needs, offers } = await snp(evidenceBy(milan, {}, { certificates: [], certTable: table }), anchors)
    expect(needs[0]).toBe(vcekAddress('Milan', hex(milan.hwid), milan.tcb))
    expect(offers.size).toBe(0)
  })

  it('takes one certificate that came twice as one', async () => {
    const table = certTable([{ guid: CERT_GUID.vcek, bytes: milan.der }])
    const { offers } = await snp(evidenceBy(milan, {}, { certTable: table }), anchors)
    expect([...offers.values()]).toEqual([milan.der])
  })

  it('refuses a table whose ASK is no certificate, although nothing uses it', async () => {
    const table = certTable([
      { guid: CERT_GUID.vcek, bytes: milan.der },
      { guid: CERT_GUID.ask, bytes: Buffer.from('nothing') },
    ])
    const { error } = await attempt(evidenceBy(milan, {}, { certTable: table }), trial())
    expect(error?.code).toBe('snp-certificate-malformed')
  })
})
