import { describe, expect, it } from 'vitest'
import { fakeIntel } from '../../simulator/intel.ts'
import { fakeSgxHost, fakeTdxHost, type QuoteChanges } from '../../simulator/intel-hosts.ts'
import { attempt } from '../der-attempt.ts'
import { AttestationError } from '../problems.ts'
import { readQuote, type Quote } from './quote.ts'

const intel = fakeIntel()
const data = new Uint8Array(64).fill(7)
const v4 = fakeTdxHost(intel)
const v5 = fakeTdxHost(intel, { version: 5 })
const td15 = fakeTdxHost(intel, { body: 'td-report-1.5' })
const extended = fakeTdxHost(intel, { body: 'td-report-1.5-ex' })
const [sgx3, sgx4, sgx5] = ([3, 4, 5] as const).map((version) => fakeSgxHost(intel, { version }))
const hosts = { v4, v5, td15, extended, sgx3, sgx4, sgx5 } as const
type Name = keyof typeof hosts

const quoteOf = (name: Name, changes: QuoteChanges = {}): Uint8Array => hosts[name]?.quote(data, changes) ?? new Uint8Array()
const teeOf = (name: Name): 'tdx' | 'sgx' => (name.startsWith('sgx') ? 'sgx' : 'tdx')

type Scope = { readonly tee?: 'tdx' | 'sgx'; readonly hasChain?: boolean }
const read = (bytes: Uint8Array, { tee = 'tdx', hasChain = false }: Scope = {}): Quote | AttestationError =>
  attempt(() => readQuote(bytes, { tee, hasChain }))
const codeOf = (result: Quote | AttestationError): string | undefined => (result instanceof AttestationError ? result.code : undefined)

/** The code that a quote is refused with, after the last check that was made. */
function refusal(bytes: Uint8Array, scope: Scope = {}): readonly [id: string | undefined, code: string | undefined] {
  const result = read(bytes, scope)
  return [result.checks.at(-1)?.id, codeOf(result)]
}

/** What a quote is, the check and code that it is refused with, and the attempt. */
type Row = readonly [name: string, expected: readonly [id: string, code: string], attempt: () => ReturnType<typeof refusal>]

const zeros = (count: number): Uint8Array => new Uint8Array(count)
const padded = (bytes: Uint8Array, length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => bytes[index] ?? 0)
const wide = Uint8Array.of(0xff, 0xff, 0xff, 0xff)
/** Where a version 4 TD quote says how long its auth data is. */
const AUTH_LENGTH_AT = 632

/** The length of the auth data of a version 4 TD quote, changed. */
function withAuthLength(change: (length: number) => number): Uint8Array {
  const bytes = Buffer.from(quoteOf('v4'))
  bytes.writeUInt32LE(change(bytes.readUInt32LE(AUTH_LENGTH_AT)), AUTH_LENGTH_AT)
  return new Uint8Array(bytes)
}

const IDS = [1, 1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10, 11, 1, 12, 13, 14, 15, 16, 17].map((n) => `TDX-${String(n).padStart(2, '0')}`)

describe('a quote of sound structure', () => {
  it.each(Object.keys(hosts) as readonly Name[])('%s is read, every check of TDX-01 to 17 told', (name) => {
    const result = read(quoteOf(name), { tee: teeOf(name) })
    expect(codeOf(result)).toBeUndefined()
    expect(result.checks.map(({ id }) => id)).toEqual(IDS)
    expect(result.checks.filter(({ outcome }) => outcome !== 'pass' && outcome !== 'skip')).toEqual([])
  })

  it('has the fields that were put into it', () => {
    const fields = { teeTcbSvn2: zeros(16).fill(9), mrServiceTd: zeros(48).fill(8), vmid: 3, curServtdAttr: zeros(8).fill(6) }
    const result = readQuote(quoteOf('extended', { td: fields }), { tee: 'tdx', hasChain: false })
    const { teeTcbSvn2, mrServiceTd, vmid, curServtdAttr } = fields
    expect(result.body).toMatchObject({
      tee: 'tdx',
      version: 5,
      report: { name: 'td-report-1.5-ex', reportData: data, update: { teeTcbSvn2, mrServiceTd }, extended: { vmid, curServtdAttr } },
    })
    expect(result.signed).toHaveLength(48 + 6 + 885)
    expect(result.auth.qeReport).toEqual(extended.qe.report)
    expect(result.auth.qeReportSignature).toEqual(extended.qe.reportSignature)
    expect(result.auth.attestationKey).toEqual(extended.qe.point)
    expect(result.auth.qeAuthData).toEqual(extended.qe.authData)
  })

  it('has the fields of an enclave', () => {
    const enclave = { miscSelect: 5, isvProdId: 0x1234, isvSvn: 0x5678, mrSigner: zeros(32).fill(3), configId: zeros(64).fill(4) }
    const result = readQuote(quoteOf('sgx3', { enclave }), { tee: 'sgx', hasChain: false })
    const { isvProdId, isvSvn, mrSigner, configId } = enclave
    const report = { isvProdId, isvSvn, mrSigner, configId, miscSelect: Uint8Array.of(5, 0, 0, 0), reportData: data }
    expect(result.body).toMatchObject({ tee: 'sgx', version: 3, report })
    expect(result.signed).toHaveLength(432)
  })

  it('is a copy of what was sent', () => {
    const bytes = quoteOf('v4')
    const result = readQuote(bytes, { tee: 'tdx', hasChain: false })
    const before = structuredClone([result.signed, result.auth])
    bytes.fill(0)
    expect([result.signed, result.auth]).toEqual(before)
  })

  it.each([
    ['the buffer of a cloud', (bytes: Uint8Array) => padded(bytes, 8000)],
    ['16 KiB of zeros', (bytes: Uint8Array) => padded(bytes, bytes.length + 16_384)],
  ])('may be followed by zeros: %s', (_, pad) => expect(refusal(pad(quoteOf('v4')))).toEqual(['TDX-17', undefined]))

  it('may have reserved bytes of the header set, which warns', () => {
    const { checks } = read(quoteOf('v4', { reserved: wide }))
    expect(checks.filter(({ outcome }) => outcome === 'warn')).toMatchObject([{ id: 'TDX-07', code: 'tdx-header-reserved-nonzero' }])
    expect(read(quoteOf('sgx3', { reserved: wide }), { tee: 'sgx' }).checks.some(({ outcome }) => outcome === 'warn')).toBe(false)
  })

  it.each([1, 2, 3, 4] as const)('may name its PCK by type %i where a chain came beside it', (certification) => {
    expect(refusal(quoteOf('v4', { certification }), { hasChain: true })).toEqual(['TDX-17', undefined])
    expect(refusal(quoteOf('v4', { certification }))).toEqual(['TDX-16', 'tdx-pck-certification-type-unsupported'])
    const asSgx = { tee: 'sgx' } as const
    expect(refusal(quoteOf('sgx3', { certification }), asSgx)).toEqual(['TDX-16', 'tdx-pck-certification-type-unsupported'])
  })

  it('may have QE authentication data of any length', () => {
    for (const length of [0, 1, 1000]) {
      const result = read(quoteOf('v4', { qe: { authData: zeros(length) } }))
      expect(result instanceof AttestationError ? result.code : result.auth.qeAuthData).toEqual(zeros(length))
    }
  })
})

describe('a quote is refused', () => {
  const cases: readonly Row[] = [
    ['empty', ['TDX-01', 'tdx-quote-too-short'], () => refusal(zeros(0))],
    ['of 1019 bytes', ['TDX-01', 'tdx-quote-too-short'], () => refusal(quoteOf('v4').slice(0, 1019))],
    ['of 16 MB', ['TDX-01', 'tdx-quote-too-large'], () => refusal(zeros(16_000_000))],
    ['of 32 KiB and a byte', ['TDX-01', 'tdx-quote-too-large'], () => refusal(padded(quoteOf('v4'), 32_769))],
    [
      'longer than 16 KiB by its lengths',
      ['TDX-01', 'tdx-quote-too-large'],
      () => refusal(quoteOf('v4', { certification: { type: 5, data: zeros(16_384) } })),
    ],
    ...[2, 6, 0xffff].map((version) => version4(`of version ${version}`, ['TDX-02', 'tdx-quote-version-unsupported'], { version })),
    version4('with a P-384 key', ['TDX-03', 'tdx-attestation-key-type-unsupported'], { attestationKeyType: 3 }),
    version4('with another TEE type', ['TDX-04', 'tdx-tee-type-unsupported'], { teeType: 0x82 }),
    ['of version 3 for TDX', ['TDX-05', 'tdx-tee-type-mismatch'], () => refusal(quoteOf('sgx3', { teeType: 0x81 }))],
    ['of SGX sent as tdx', ['TDX-05', 'tdx-tee-type-mismatch'], () => refusal(quoteOf('sgx4'))],
    ['of TDX sent as sgx', ['TDX-05', 'tdx-tee-type-mismatch'], () => refusal(quoteOf('v4'), { tee: 'sgx' })],
    version4('of another vendor', ['TDX-06', 'tdx-qe-vendor-id-unknown'], { vendorId: zeros(16) }),
    ...[0, 5, 9].map(
      (bodyType) =>
        [`with a body of type ${bodyType}`, ['TDX-08', 'tdx-body-type-unsupported'], () => refusal(quoteOf('v5', { bodyType }))] as const,
    ),
    ['with TD 1.5 of 584 bytes', ['TDX-09', 'tdx-body-size-mismatch'], () => refusal(quoteOf('td15', { bodySize: 584 }))],
    ['with a body of 4 GiB', ['TDX-09', 'tdx-body-size-mismatch'], () => refusal(quoteOf('td15', { bodySize: 0xffffffff }))],
    ['with an enclave for TDX', ['TDX-10', 'tdx-body-type-tee-mismatch'], () => refusal(quoteOf('sgx5', { teeType: 0x81 }))],
    ['with a TD for SGX', ['TDX-10', 'tdx-body-type-tee-mismatch'], () => refusal(quoteOf('v5', { teeType: 0 }), { tee: 'sgx' })],
    ['whose auth data is a byte short', ['TDX-11', 'tdx-auth-data-truncated'], () => refusal(withAuthLength((length) => length + 1))],
    ['whose auth data is 4 GiB', ['TDX-11', 'tdx-auth-data-truncated'], () => refusal(withAuthLength(() => 0xffffffff))],
    ['whose auth data has no room', ['TDX-11', 'tdx-auth-data-truncated'], () => refusal(withAuthLength(() => 133))],
    [
      'whose auth data has no room in version 3',
      ['TDX-11', 'tdx-auth-data-truncated'],
      () => refusal(quoteOf('sgx3', { authDataLength: 127 }), { tee: 'sgx' }),
    ],
    version4('whose outer data is of type 5', ['TDX-12', 'tdx-certification-data-type-unsupported'], { outerType: 5 }),
    [
      'that declares a byte less',
      ['TDX-13', 'tdx-certification-data-size-mismatch'],
      () => refusal(withAuthLength((length) => length - 1)),
    ],
    version4('whose outer data is shorter', ['TDX-13', 'tdx-certification-data-size-mismatch'], { outerSize: 4299 }),
    version4('whose outer data is 4 GiB', ['TDX-13', 'tdx-certification-data-size-mismatch'], { outerSize: 0xffffffff }),
    version4('whose QE data end too soon', ['TDX-14', 'tdx-qe-auth-data-truncated'], { qeAuthLength: 0xffff }),
    version4('without room for the QE report', ['TDX-14', 'tdx-qe-auth-data-truncated'], {
      qeReport: zeros(0),
      certification: { type: 5, data: zeros(200) },
    }),
    version4('whose inner data is longer', ['TDX-15', 'tdx-qe-certification-data-size-mismatch'], { innerSize: 0xffffffff }),
    version4('with spare bytes', ['TDX-15', 'tdx-qe-certification-data-size-mismatch'], { spare: zeros(1) }),
    version4('without an inner header', ['TDX-15', 'tdx-qe-certification-data-size-mismatch'], {
      certification: SHORT,
      qeAuthLength: 37,
    }),
    ...[0, 6, 7].map((innerType) =>
      version4(`whose inner data is of type ${innerType}`, ['TDX-16', 'tdx-pck-certification-type-unsupported'], { innerType }),
    ),
    version4('with bytes behind it', ['TDX-17', 'tdx-quote-trailing-data'], { trailing: Uint8Array.of(0, 0, 0, 1) }),
    [
      'with 17 KiB of zeros behind it',
      ['TDX-17', 'tdx-quote-trailing-data'],
      () => refusal(padded(quoteOf('v4'), quoteOf('v4').length + 17_408)),
    ],
  ]

  it.each(cases)('%s %j', (_, expected, make) => expect(make()).toEqual(expected))

  it.each([6, 7, 0])('of inner type %i also when a chain came beside it', (innerType) => {
    expect(refusal(quoteOf('v4', { innerType }), { hasChain: true })).toEqual(['TDX-16', 'tdx-pck-certification-type-unsupported'])
  })

  it.each([
    ['2 of 584 bytes', 2, 584],
    ['4 of 885 bytes', 4, 885],
    ['1 of 384 bytes', 1, 384],
  ])('of TD 1.5 that calls itself type %s', (_, bodyType, bodySize) => {
    const result = refusal(quoteOf('td15', { bodyType, bodySize }))
    expect(result[1]).toMatch(/^tdx-(auth-data-truncated|quote-trailing-data|certification-.*|quote-too-large|body-type-tee-mismatch)$/)
  })

  it.each(Object.keys(hosts) as readonly Name[])('wherever it is cut off: %s', (name) => {
    const whole = quoteOf(name)
    const survivors = Array.from(whole, (_, length) => length).flatMap((length) => {
      const result = read(whole.subarray(0, length), { tee: teeOf(name) })
      return result instanceof AttestationError ? [] : [length]
    })
    expect(survivors).toEqual([])
  })
})

/** Certification data of four bytes. */
const SHORT = { type: 5, data: new Uint8Array(4) } as const

/** A row about a version 4 TD quote. */
function version4(name: string, [id, code]: readonly [string, string], changes: QuoteChanges) {
  return [name, [id, code], () => refusal(quoteOf('v4', changes))] as const
}
