import { describe, expect, it } from 'vitest'
import { GUID, certTableBytes, outlineDer } from '../../../test/cert-table-bytes.ts'
import { reportBytes } from '../../../test/snp-report-bytes.ts'
import { AttestationError } from '../problems.ts'
import type { SnpEvidence } from '../verifier.ts'
import { rawReport, readEvidence } from './structure-evidence.ts'

/** MSG_REPORT_RSP: status, size, 24 reserved bytes, the report. */
function response({ status = 0, size = 1184, reserved = 0 }: { status?: number; size?: number; reserved?: number } = {}): Uint8Array {
  const bytes = Buffer.alloc(32 + 1184)
  bytes.writeUInt32LE(status, 0)
  bytes.writeUInt32LE(size, 4)
  bytes[8] = reserved
  bytes.set(reportBytes(), 32)
  return new Uint8Array(bytes)
}
const inForm = (form: SnpEvidence['form'], bytes: Uint8Array): SnpEvidence => ({ type: 'snp', form, bytes, certificates: [] })

/** The error with which evidence is refused. */
function refusal(evidence: SnpEvidence): AttestationError | undefined {
  try {
    readEvidence(evidence)
    return undefined
  } catch (error) {
    if (error instanceof AttestationError) return error
    throw error
  }
}

describe('evidence that is not the raw report', () => {
  it.each([
    [response({ status: 0x16 }), 'status 22, size 1184, reserved bytes zero'],
    [response({ size: 1183 }), 'status 0, size 1183, reserved bytes zero'],
    [response({ reserved: 1 }), 'status 0, size 1184, reserved bytes set'],
    [response().subarray(1), '1215 bytes'],
    [new Uint8Array([...response(), 0]), '1217 bytes'],
    [reportBytes(), '1184 bytes'],
    [Buffer.from('{"report":"…"}'), '16 bytes'],
  ])('is refused as a response: %#', (bytes, found) => {
    expect(refusal(inForm('report_response', bytes))).toMatchObject({
      code: 'snp-envelope-not-raw',
      at: 'report_response',
      message: `The report response holds the raw report: expected 1216 bytes: status 0, size 1184, 24 zero bytes, the report, found ${found}`,
      checks: [{ id: 'SNP-01', outcome: 'fail', actual: found }],
    })
  })

  it.each([
    ['{"version":2}', 'JSON'],
    ['{', 'JSON'],
    ['HCLA\u0001', 'an HCL report'],
  ])('is refused as a report by its form: %s', (text, found) => {
    expect(refusal(inForm('report', Buffer.from(text)))).toMatchObject({
      code: 'snp-envelope-not-raw',
      at: 'report',
      message: `The report is the raw report: expected the signed bytes, 1184 of them, found ${found}`,
      checks: [{ id: 'SNP-01', outcome: 'fail', actual: found }],
    })
  })

  it.each(['HCL', ' {', 'SNP'])('is refused by its length where its form is no known one: %s', (text) => {
    expect(refusal(inForm('report', Buffer.from(text)))?.code).toBe('snp-report-size')
  })

  it('is a report whatever it begins with, where it has a report’s length', () => {
    const bytes = new Uint8Array(1184).fill(0x7b)
    expect(rawReport({ form: 'report', bytes })).toBe(bytes)
    expect(refusal(inForm('report', bytes))?.code).toBe('snp-report-version-unsupported')
  })
})

describe('evidence that is', () => {
  it('is the bytes of the report, out of its response', () => {
    expect(rawReport({ form: 'report', bytes: reportBytes() })).toEqual(reportBytes())
    expect(rawReport({ form: 'report_response', bytes: response() })).toEqual(reportBytes())
  })

  it.each([[GUID.vcek], [GUID.vlek]])('brings the endorsement key of its table (%s) before those beside it, each once', (guid) => {
    const [ark, ask, vek, other] = [outlineDer(1), outlineDer(2), outlineDer(3), outlineDer(4)]
    const certTable = certTableBytes([
      { guid: GUID.ark, blob: ark },
      { guid: GUID.ask, blob: ask },
      { guid, blob: vek },
    ])
    const { certificates } = readEvidence({ ...inForm('report', reportBytes()), certificates: [other, vek, other], certTable })
    expect(certificates).toEqual([vek, other])
  })

  it('may bring as a certificate what its table calls an authority', () => {
    const ask = outlineDer(2)
    const certTable = certTableBytes([{ guid: GUID.ask, blob: ask }])
    expect(readEvidence({ ...inForm('report', reportBytes()), certTable }).certificates).toEqual([])
    expect(readEvidence({ ...inForm('report', reportBytes()), certTable, certificates: [ask] }).certificates).toEqual([ask])
  })

  it.each([
    ['cert_table.vcek', { certTable: certTableBytes([{ guid: GUID.vcek, blob: Buffer.from('text') }]) }],
    ['cert_table.ark', { certTable: certTableBytes([{ guid: GUID.ark, blob: Buffer.from('text') }]) }],
    ['certificates[0]', { certificates: [Buffer.from('text')] }],
    ['certificates[1]', { certificates: [outlineDer(1), Buffer.from('text')] }],
  ])('is refused by the place of what is no certificate: %s', (at, more) => {
    const error = refusal({ ...inForm('report', reportBytes()), ...more })
    expect(error).toMatchObject({ code: 'snp-certificate-malformed', at })
    expect(error?.checks.at(-1)?.actual).toBe(`${at}: ${at} is neither DER nor one PEM block`)
  })
})
