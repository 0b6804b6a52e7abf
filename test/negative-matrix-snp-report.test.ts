import { beforeAll, describe, expect, it } from 'vitest'
import { reportResponse } from '../src/simulator/envelopes.ts'
import { signedReport, type ReportFields } from '../src/simulator/report.ts'
import type { FakeVek } from '../src/simulator/veks.ts'
import { flipped, le72, P384_ORDER, scalarAt, snpLab, type Exhibit, type Lab } from './snp-lab.ts'

// Specification snp.md section 16, the rows about the report itself. Every report is signed by a VEK that verifies, after the change
// unless the row is about the signature: so nothing but the check that the row names stands in its way.

let lab: Lab
let milan: FakeVek
let turin: FakeVek
beforeAll(async () => {
  lab = await snpLab()
  milan = lab.amd.vcek({ product: 'Milan' })
  turin = lab.amd.vcek({ product: 'Turin' })
})

type Row = readonly [change: string, code: string, make: () => Exhibit]

const bytes = (...values: number[]) => Uint8Array.from(values)
/** A report of Milan with these fields, signed. */
const milanWith = (fields: Partial<ReportFields>): Exhibit => lab.genuine({ vek: milan, fields })
const turinWith = (fields: Partial<ReportFields>): Exhibit => lab.genuine({ vek: turin, fields })
const patched = (offset: number, value: Uint8Array, fields: Partial<ReportFields> = {}): Exhibit =>
  milanWith({ ...fields, patch: [[offset, value]] })
/** A genuine report, changed behind its signature. */
const tampered = (change: (report: Uint8Array) => Uint8Array): Exhibit => {
  const report = signedReport(milan)
  return { report: change(report), certificates: [milan.der] }
}
const withScalar = (report: Uint8Array, at: 0x2a0 | 0x2e8, value: bigint): Uint8Array => {
  const changed = report.slice()
  changed.set(le72(value), at)
  return changed
}
const bigEndian = (report: Uint8Array): Uint8Array => {
  const changed = report.slice()
  for (const at of [0x2a0, 0x2e8]) changed.set(report.subarray(at, at + 48).toReversed(), at)
  return changed
}

const STRUCTURE: readonly Row[] = [
  ['1: one byte short', 'snp-report-size', () => tampered((r) => r.subarray(0, 1183))],
  ['2: one byte long', 'snp-report-size', () => tampered((r) => Buffer.concat([r, bytes(0)]))],
  ['3: empty', 'snp-report-size', () => tampered(() => new Uint8Array())],
  ['4: version 1', 'snp-report-version-unsupported', () => milanWith({ version: 1 })],
  ['5: version 6', 'snp-report-version-unsupported', () => milanWith({ version: 6 })],
  ['6: version 3 rewritten to 2, and signed', 'snp-reserved-nonzero', () => patched(0x00, bytes(2), { version: 3 })],
  ['8: byte 4Ch set', 'snp-reserved-nonzero', () => patched(0x4c, bytes(1))],
  ['9: byte 18Bh set', 'snp-reserved-nonzero', () => patched(0x18b, bytes(1))],
  ['9: byte 19Fh set', 'snp-reserved-nonzero', () => patched(0x19f, bytes(1))],
  ['10: byte 1EBh set', 'snp-reserved-nonzero', () => patched(0x1eb, bytes(1))],
  ['10: byte 1EFh set', 'snp-reserved-nonzero', () => patched(0x1ef, bytes(1))],
  ['11: byte 208h set in version 5', 'snp-reserved-nonzero', () => patched(0x208, bytes(1))],
  ['11: byte 29Fh set in version 5', 'snp-reserved-nonzero', () => patched(0x29f, bytes(1))],
  ['11: byte 1F8h set in version 3', 'snp-reserved-nonzero', () => patched(0x1f8, bytes(1), { version: 3 })],
  ['12: last byte set behind a valid signature', 'snp-reserved-nonzero', () => tampered((r) => flipped(r, 0x49f))],
  ['12: first byte behind the signature set', 'snp-reserved-nonzero', () => tampered((r) => flipped(r, 0x330))],
  ['22: signature_algo 0', 'snp-signature-algo-unsupported', () => milanWith({ signatureAlgo: 0 })],
  ['22: signature_algo 2', 'snp-signature-algo-unsupported', () => milanWith({ signatureAlgo: 2 })],
  ['23: policy bit 17 cleared', 'snp-policy-reserved-bits', () => milanWith({ policy: 0x10000n })],
  ['24: policy bit 26 set', 'snp-policy-reserved-bits', () => milanWith({ policy: 0x30000n | (1n << 26n) })],
  ['24: policy bit 63 set', 'snp-policy-reserved-bits', () => milanWith({ policy: 0x30000n | (1n << 63n) })],
  ['27: KEY_INFO bit 5 set', 'snp-key-info-reserved-bits', () => milanWith({ keyInfo: 1 << 5 })],
  ['27: KEY_INFO bit 31 set', 'snp-key-info-reserved-bits', () => milanWith({ keyInfo: 0x80000000 })],
  ['28: SIGNING_KEY 3', 'snp-signing-key-reserved', () => milanWith({ keyInfo: 3 << 2 })],
  ['29: SIGNING_KEY NONE', 'snp-report-unsigned', () => milanWith({ keyInfo: 7 << 2 })],
  ['30: MASK_CHIP_KEY set', 'snp-report-unsigned', () => milanWith({ keyInfo: 1 << 1 })],
  ['36: CPUID family 1Bh', 'snp-product-unknown', () => milanWith({ cpuid: { family: 0x1b, model: 1, stepping: 1 } })],
  ['37: CPUID of Venice', 'snp-product-unsupported', () => milanWith({ cpuid: { family: 0x1a, model: 0x50, stepping: 0 } })],
  ['41: byte 8 of a Turin CHIP_ID set', 'snp-chip-id-malformed', () => turinWith({ patch: [[0x1a8, bytes(1)]] })],
  ['20 of section 15: a Turin report of version 2', 'snp-product-mismatch', () => turinWith({ version: 2 })],
  ['20 of section 15: a Milan report of version 2 with a chip id like Turin’s', 'snp-product-mismatch', () => turinLike()],
  ['71: VMPL FFFFFFFFh', 'snp-vmpl-out-of-range', () => milanWith({ vmpl: 0xffffffff })],
  ['71: VMPL 4', 'snp-vmpl-out-of-range', () => milanWith({ vmpl: 4 })],
  ['78: author key without digest', 'snp-id-block-inconsistent', () => milanWith({ keyInfo: 1, idKeyDigest: new Uint8Array(48).fill(1) })],
  [
    '78: author digest without key',
    'snp-id-block-inconsistent',
    () => milanWith({ authorKeyDigest: new Uint8Array(48).fill(1), idKeyDigest: new Uint8Array(48).fill(1) }),
  ],
  [
    '78: author key without ID key',
    'snp-id-block-inconsistent',
    () => milanWith({ keyInfo: 1, authorKeyDigest: new Uint8Array(48).fill(1) }),
  ],
  ['80: the parsed report as JSON in the response form', 'snp-envelope-not-raw', () => parsed('report_response')],
  ['80: the parsed report as JSON in place of the report', 'snp-envelope-not-raw', () => parsed('report')],
  ['80: the HCL report of Azure in place of the report', 'snp-envelope-not-raw', () => hcl(Buffer.alloc(2600 - 32 - 1184))],
  ['80: an HCL report that ends early', 'snp-envelope-not-raw', () => tampered(() => Buffer.from('HCLA'))],
  ['2 of section 15: JSON that is as long as a report', 'snp-report-version-unsupported', () => tampered((r) => r.fill(0x7b))],
  ['80: a response of the driver that failed', 'snp-envelope-not-raw', () => failedResponse()],
]

const turinLike = (): Exhibit => {
  const vek = lab.amd.vcek({ product: 'Milan', hwid: new Uint8Array(64).fill(7, 0, 8) })
  return { ...lab.genuine({ vek, fields: { version: 2 } }), policy: { min_report_version: 2 } }
}
const parsed = (form: 'report' | 'report_response'): Exhibit => ({
  report: Buffer.from(JSON.stringify({ version: 5, guest_svn: 0, policy: 0x30000 })),
  form,
  certificates: [milan.der],
})
/** Header of 32 bytes, report, runtime data (section 13.1). */
const hcl = (rest: Uint8Array): Exhibit =>
  tampered((r) => Buffer.concat([Buffer.from('HCLA'), bytes(2, 0, 0, 0), new Uint8Array(24), r, rest]))
const failedResponse = (): Exhibit => ({
  report: flipped(reportResponse(signedReport(milan)), 0x00, 0x16),
  form: 'report_response',
  certificates: [milan.der],
})

const SIGNATURE: readonly Row[] = [
  ['13: R padding set', 'snp-signature-out-of-range', () => tampered((r) => flipped(r, 0x2a0 + 48))],
  ['13: last byte of the R padding set', 'snp-signature-out-of-range', () => tampered((r) => flipped(r, 0x2e7))],
  ['14: S padding set', 'snp-signature-out-of-range', () => tampered((r) => flipped(r, 0x2e8 + 48))],
  ['15: R = 0', 'snp-signature-out-of-range', () => tampered((r) => withScalar(r, 0x2a0, 0n))],
  ['15: S = 0', 'snp-signature-out-of-range', () => tampered((r) => withScalar(r, 0x2e8, 0n))],
  ['16: all-zero signature', 'snp-signature-out-of-range', () => tampered((r) => r.fill(0, 0x2a0, 0x330))],
  ['17: S + n', 'snp-signature-out-of-range', () => tampered((r) => withScalar(r, 0x2e8, scalarAt(r, 0x2e8) + P384_ORDER))],
  ['18: R = n', 'snp-signature-out-of-range', () => tampered((r) => withScalar(r, 0x2a0, P384_ORDER))],
  ['19: a byte of R flipped', 'snp-signature-invalid', () => tampered((r) => flipped(r, 0x2a0))],
  ['19: a byte of S flipped', 'snp-signature-invalid', () => tampered((r) => flipped(r, 0x2e8))],
  ['19: the signature of another report', 'snp-signature-invalid', () => foreignSignature()],
  ['20: a byte of the measurement flipped', 'snp-signature-invalid', () => tampered((r) => flipped(r, 0x90))],
  ['21: R and S in big-endian order', 'snp-signature-invalid', () => tampered(bigEndian)],
]

const foreignSignature = (): Exhibit =>
  tampered((r) => {
    const other = signedReport(milan, { guestSvn: 1 })
    return Buffer.concat([r.subarray(0, 0x2a0), other.subarray(0x2a0)])
  })

describe('what the matrix starts from is accepted:', () => {
  it.each([3, 4, 5])('a report of version %i', async (version) => {
    expect((await lab.judge(milanWith({ version }))).code).toBe('accepted')
  })
  it('version 2 where the policy allows it', async () => {
    expect((await lab.judge({ ...milanWith({ version: 2 }), policy: { min_report_version: 2 } })).code).toBe('accepted')
  })
  it.each(['Milan', 'Genoa', 'Turin'] as const)('a VCEK and a VLEK of %s', async (product) => {
    for (const kind of ['vcek', 'vlek'] as const) {
      const answer = await lab.judge(lab.genuine({ vek: lab.amd[kind]({ product }) }))
      expect(answer.code).toBe('accepted')
      expect(answer.claims).toBe(true)
    }
  })
  it('the wrapped form of the guest driver', async () => {
    const report = reportResponse(signedReport(milan))
    expect((await lab.judge({ report, form: 'report_response', certificates: [milan.der] })).code).toBe('accepted')
  })
  it('the other of the two signatures that ECDSA always allows (high S is legal)', async () => {
    const mirrored = tampered((r) => withScalar(r, 0x2e8, P384_ORDER - scalarAt(r, 0x2e8)))
    expect((await lab.judge(mirrored)).code).toBe('accepted')
  })
})

describe.each([
  ['structure', STRUCTURE],
  ['signature', SIGNATURE],
] as const)('section 16, %s', (_, rows) => {
  it.each(rows)('row %s → %s', async (_change, code, make) => {
    const answer = await lab.judge(make())
    expect(answer.code).toBe(code)
    expect(answer.claims).toBe(false)
    expect(answer.checks.some((check) => check.outcome === 'fail' && check.code === code)).toBe(true)
  })
})
