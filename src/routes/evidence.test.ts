import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { AttestationError } from '../verifiers/problems.ts'
import { evidenceItem } from './evidence-items.ts'
import { evidenceDigest, evidenceOf, refuseLongLogs } from './evidence.ts'
import { appraisalRequest, parseRequest } from './requests.ts'

const base64 = (...bytes: number[]) => Buffer.from(bytes).toString('base64')
const item = (value: unknown) => evidenceItem.parse(value)

function refusal(evidence: unknown, more: object = {}): string {
  try {
    parseRequest(appraisalRequest, { evidence, ...more })
    return 'read'
  } catch (error) {
    return error instanceof AttestationError ? `${error.code} at ${error.at}: ${error.message}` : String(error)
  }
}

describe('evidence items', () => {
  it('become evidence', () => {
    const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
    expect(evidenceOf(item({ type: 'snp', report: 'AQI=', cert_table: '', certificates: [pem, 'MAA'] }))).toEqual({
      type: 'snp',
      form: 'report',
      bytes: Uint8Array.of(1, 2),
      certTable: new Uint8Array(),
      certificates: [new Uint8Array(Buffer.from(pem)), Uint8Array.of(0x30, 0)],
    })
    expect(evidenceOf(item({ type: 'snp', report_response: 'AQI' }))).toEqual({
      type: 'snp',
      form: 'report_response',
      bytes: Uint8Array.of(1, 2),
      certificates: [],
    })
    const tsm = { type: 'tsm', provider: 'sev_guest', outblob: 'AQ==', auxblob: '', manifestblob: 'Ag==' }
    expect(evidenceOf(item(tsm))).toEqual({
      type: 'tsm',
      provider: 'sev_guest',
      outblob: Uint8Array.of(1),
      auxblob: new Uint8Array(),
      manifestblob: Uint8Array.of(2),
    })
  })

  it('of Intel become evidence, members that were not sent being absent', () => {
    const sent = { type: 'tdx', quote: 'AQI=', certificates: ['MAA'], event_log: 'Aw==', runtime_log: 'W10=', initdata: '' }
    expect(evidenceOf(item(sent))).toStrictEqual({
      type: 'tdx',
      quote: Uint8Array.of(1, 2),
      certificates: [Uint8Array.of(0x30, 0)],
      eventLog: Uint8Array.of(3),
      runtimeLog: new Uint8Array(Buffer.from('[]')),
      initdata: new Uint8Array(),
    })
    expect(evidenceOf(item({ type: 'tdx', quote: '' }))).toStrictEqual({ type: 'tdx', quote: new Uint8Array(), certificates: [] })
    expect(evidenceOf(item({ type: 'sgx', quote: 'AQI=' }))).toStrictEqual({
      type: 'sgx',
      quote: Uint8Array.of(1, 2),
      certificates: [],
    })
    const tsm = { type: 'tsm', provider: 'tdx_guest', outblob: Buffer.alloc(65_536).toString('base64') }
    expect(evidenceOf(item(tsm))).toStrictEqual({ type: 'tsm', provider: 'tdx_guest', outblob: new Uint8Array(65_536) })
  })

  it.each<[string, unknown, unknown]>([
    ['no items', [], 'request-malformed at evidence: evidence: needs an item'],
    [
      'nine items',
      Array.from({ length: 9 }, () => ({ type: 'snp', report: '' })),
      'request-malformed at evidence: evidence: has more than 8 items',
    ],
    [
      'an unknown type',
      [{ type: 'nitro', document: '' }],
      'evidence-type-unsupported at evidence[0].type: the type of this item is not supported',
    ],
    [
      'a parsed report, whatever else is wrong',
      [{ type: 'snp', report_response: { version: 5 }, cert_chain: [] }],
      'snp-envelope-not-raw at evidence[0].report_response: is a parsed form instead of the signed bytes in base64',
    ],
    ['no report', [{ type: 'snp' }], 'request-malformed at evidence[0]: evidence[0]: needs exactly one of report and report_response'],
    [
      'two reports',
      [{ type: 'snp', report: '', report_response: '' }],
      'request-malformed at evidence[0]: evidence[0]: needs exactly one of report and report_response',
    ],
    [
      'an unknown member',
      [{ type: 'snp', report: '', vcek: '' }],
      'request-malformed at evidence[0]: evidence[0]: has unknown members: vcek',
    ],
    [
      'an unknown member that is no word',
      [{ type: 'snp', report: '', 'a b\n': 1 }],
      'request-malformed at evidence[0]: evidence[0]: has unknown members',
    ],
    [
      'bad base64',
      [{ type: 'snp', report: 'AB' }],
      'request-malformed at evidence[0].report: evidence[0].report: not standard base64 with padding, or URL-safe without, in canonical form',
    ],
    [
      'a report that is far too long',
      [{ type: 'snp', report: 'A'.repeat(21_852) }],
      'request-malformed at evidence[0].report: evidence[0].report: longer than 16384 bytes',
    ],
    [
      'a table that is too long',
      [{ type: 'snp', report: '', cert_table: 'A'.repeat(87_388) }],
      'request-malformed at evidence[0].cert_table: evidence[0].cert_table: longer than 65536 bytes',
    ],
    [
      'seventeen certificates',
      [{ type: 'snp', report: '', certificates: Array(17).fill('AAAA') }],
      'request-malformed at evidence[0].certificates: evidence[0].certificates: Too big: expected array to have <=16 items',
    ],
    [
      'a certificate that is neither',
      [{ type: 'snp', report: '', certificates: ['MAA', 'hello!'] }],
      'request-malformed at evidence[0].certificates[1]: evidence[0].certificates[1]: neither PEM nor standard base64 with padding, or URL-safe without, in canonical form',
    ],
    ['no quote', [{ type: 'tdx' }], expect.stringMatching(/^request-malformed at evidence\[0\]\.quote: /)],
    ['a parsed quote', [{ type: 'sgx', quote: { header: {} } }], expect.stringMatching(/^request-malformed at evidence\[0\]\.quote: /)],
    [
      'a log of an enclave',
      [{ type: 'sgx', quote: '', event_log: '' }],
      'request-malformed at evidence[0]: evidence[0]: has unknown members: event_log',
    ],
    [
      'a quote that is far too long',
      [{ type: 'tdx', quote: 'A'.repeat(87_388) }],
      'request-malformed at evidence[0].quote: evidence[0].quote: longer than 65536 bytes',
    ],
    [
      'a log that no service takes',
      [{ type: 'tdx', quote: '', event_log: 'A'.repeat(5_592_412) }],
      'request-malformed at evidence[0].event_log: evidence[0].event_log: longer than 4194304 bytes',
    ],
    [
      'an initdata document that is too long',
      [{ type: 'tdx', quote: '', initdata: 'A'.repeat(87_388) }],
      'request-malformed at evidence[0].initdata: evidence[0].initdata: longer than 65536 bytes',
    ],
    [
      'a chain of ten thousand certificates',
      [{ type: 'tdx', quote: '', certificates: Array(10_000).fill('AAAA') }],
      'request-malformed at evidence[0].certificates: evidence[0].certificates: Too big: expected array to have <=16 items',
    ],
    [
      'no provider',
      [{ type: 'tsm', outblob: '' }],
      'request-malformed at evidence[0].provider: evidence[0].provider: Invalid option: expected one of "sev_guest"|"tdx_guest"',
    ],
  ])('refuse %s', (_, evidence, expected) => {
    expect(refusal(evidence)).toEqual(expected)
  })

  it('are refused beside members that nobody knows', () => {
    expect(refusal([{ type: 'snp', report: '' }], { challenge: 'x' })).toBe(
      'request-malformed at body: body: has unknown members: challenge',
    )
  })
})

const logs = (members: object) => () =>
  refuseLongLogs([item({ type: 'tsm', provider: 'tdx_guest', outblob: '' }), item({ type: 'tdx', quote: '', ...members })], {
    eventLogBytes: 3,
  })

describe('event logs', () => {
  it('may be as long as the service takes', () => {
    expect(logs({})).not.toThrow()
    expect(logs({ event_log: 'AAAA', runtime_log: 'AAAA', initdata: 'AAAAAAAA' })).not.toThrow()
  })

  it.each(['event_log', 'runtime_log'])('may not be longer: %s', (name) => {
    const at = `evidence[1].${name}`
    const error = new AttestationError('request-malformed', `${at}: longer than 3 bytes`, { at })
    expect(logs({ [name]: 'AAAAAA==' })).toThrow(error)
    expect(logs({ [name]: 'AAAAAA==' })).toThrow(expect.objectContaining({ code: 'request-malformed', at }))
  })
})

const framed = (...parts: (string | Uint8Array)[]): string => {
  const hash = createHash('sha256')
  for (const part of parts.map((p) => Buffer.from(p))) {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(part.length)
    hash.update(Buffer.concat([length, part]))
  }
  return hash.digest('hex')
}

describe('the evidence digest', () => {
  it('is over type, names and decoded bytes in the order of the schema', () => {
    const value = item({ certificates: ['MAA='], report: base64(1, 2), type: 'snp' })
    expect(evidenceDigest([value])).toBe(framed('type', 'snp', 'report', Uint8Array.of(1, 2), 'certificates', '1', Uint8Array.of(0x30, 0)))
  })

  it('holds what came along with a quote', () => {
    const value = item({ initdata: base64(4), event_log: base64(2), type: 'tdx', runtime_log: base64(3), quote: base64(1) })
    const parts = ['quote', Uint8Array.of(1), 'event_log', Uint8Array.of(2), 'runtime_log', Uint8Array.of(3), 'initdata', Uint8Array.of(4)]
    expect(evidenceDigest([value])).toBe(framed('type', 'tdx', ...parts))
  })

  it('does not depend on how bytes were spelled', () => {
    expect(evidenceDigest([item({ type: 'snp', report: '-_8' })])).toBe(evidenceDigest([item({ type: 'snp', report: '+/8=' })]))
  })

  it('tells apart what a plain concatenation would not', () => {
    const digests = [
      { type: 'snp', report: base64(1, 2) },
      { type: 'snp', report: base64(1), cert_table: base64(2) },
      { type: 'tdx', quote: base64(1, 2) },
      { type: 'sgx', quote: base64(1, 2) },
      { type: 'tdx', quote: base64(1, 2), event_log: '' },
      { type: 'tdx', quote: base64(1, 2), runtime_log: '' },
      { type: 'tdx', quote: base64(1, 2), initdata: '' },
      { type: 'snp', report_response: base64(1, 2) },
      { type: 'snp', report: base64(1, 2), certificates: [] },
      { type: 'snp', report: base64(1, 2), certificates: ['', 'AAAA'] },
      { type: 'snp', report: base64(1, 2), certificates: ['AAAA', ''] },
    ].map((value) => evidenceDigest([item(value)]))
    expect(new Set(digests).size).toBe(digests.length)
  })
})
