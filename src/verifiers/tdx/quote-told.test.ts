import { describe, expect, it } from 'vitest'
import { fakeIntel } from '../../simulator/intel.ts'
import { fakeSgxHost, fakeTdxHost, type QuoteChanges } from '../../simulator/intel-hosts.ts'
import { AttestationError } from '../problems.ts'
import type { Check } from '../verifier.ts'
import { readQuote } from './quote.ts'

const intel = fakeIntel()
const hosts = {
  v4: fakeTdxHost(intel),
  v5: fakeTdxHost(intel, { version: 5 }),
  sgx3: fakeSgxHost(intel, { version: 3 }),
  sgx4: fakeSgxHost(intel, { version: 4 }),
}
type Name = keyof typeof hosts

const quoteOf = (name: Name, changes: QuoteChanges = {}): Uint8Array => hosts[name].quote(new Uint8Array(64), changes)
const zeros = (count: number): Uint8Array => new Uint8Array(count)
const padded = (bytes: Uint8Array, length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => bytes[index] ?? 0)
const checksOf = (bytes: Uint8Array, tee: 'tdx' | 'sgx' = 'tdx'): readonly Check[] => readQuote(bytes, { tee, hasChain: false }).checks

/** The check that refuses a quote, by number and field, and what operators read. */
function refusal(bytes: Uint8Array, tee: 'tdx' | 'sgx' = 'tdx'): string {
  try {
    return `read with ${checksOf(bytes, tee).length} checks`
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return `${error.checks.at(-1)?.id} ${error.at} ${error.message}`
  }
}

/** Where a version 4 TD quote says how long its auth data is. */
const AUTH_LENGTH_AT = 632
const AUTH = Buffer.from(quoteOf('v4')).readUInt32LE(AUTH_LENGTH_AT)
/** What is left of the auth data behind signature, key, and the header of the outer certification data. */
const LEFT = AUTH - 134
const withAuthLength = (length: number): Uint8Array => {
  const bytes = Buffer.from(quoteOf('v4'))
  bytes.writeUInt32LE(length, AUTH_LENGTH_AT)
  return new Uint8Array(bytes)
}
const v4 = (changes: QuoteChanges) => (): Uint8Array => quoteOf('v4', changes)

describe('a quote that is refused says what was expected and what was found', () => {
  it.each<[rule: string, expected: string, found: string, make: () => Uint8Array]>([
    ['TDX-01 quote The quote is not too short', 'at least 1020 bytes', '1019 bytes', () => quoteOf('v4').slice(0, 1019)],
    ['TDX-01 quote The quote is not too long', 'at most 16384 bytes and 16384 zeros', '32769 bytes', () => padded(quoteOf('v4'), 32_769)],
    ['TDX-02 VERSION The quote version is supported', '3, 4 or 5', '6', v4({ version: 6 })],
    ['TDX-03 ATTESTATION_KEY_TYPE The attestation key is ECDSA P-256', '2', '3', v4({ attestationKeyType: 3 })],
    ['TDX-04 TEE_TYPE The TEE type is known', '0 (SGX) or 0x81 (TDX)', '0x82', v4({ teeType: 0x82 })],
    ['TDX-05 TEE_TYPE Version 3 is for SGX alone', '0 in version 3', '0x81 in version 3', () => quoteOf('sgx3', { teeType: 0x81 })],
    ['TDX-05 TEE_TYPE The TEE type is that of the evidence', '0x81 as `tdx`, 0 as `sgx`', '0x0 as `tdx`', () => quoteOf('sgx4')],
    [
      'TDX-06 QE_VENDOR_ID Intel’s quoting enclave made the quote',
      '939a7233f79c4ca9940a0db3957f0607',
      '00'.repeat(16),
      v4({ vendorId: zeros(16) }),
    ],
    ['TDX-08 BODY_TYPE The type of the body is known', '1 to 4', '5', () => quoteOf('v5', { bodyType: 5 })],
    [
      'TDX-09 BODY_SIZE The body has the size of its type',
      '384, 584, 648 or 885 bytes for type 1, 2, 3 or 4',
      '583 bytes for type 2',
      () => quoteOf('v5', { bodySize: 583 }),
    ],
    [
      'TDX-10 BODY_TYPE The body belongs to the TEE of the header',
      'type 1 for SGX, others for TDX',
      'type 1 for TDX',
      () => quoteOf('v5', { bodyType: 1, bodySize: 384 }),
    ],
    [
      'TDX-11 AUTH_DATA_LENGTH The auth data is all there',
      'room for the fixed parts, and no more than what is left of the quote',
      `${AUTH + 1} bytes, ${AUTH} left`,
      () => withAuthLength(AUTH + 1),
    ],
    [
      'TDX-11 AUTH_DATA_LENGTH The auth data is all there',
      'room for the fixed parts, and no more than what is left of the quote',
      `133 bytes, ${AUTH} left`,
      () => withAuthLength(133),
    ],
    ['TDX-12 CERTIFICATION_DATA_TYPE The outer certification data is of type 6', '6', '5', v4({ outerType: 5 })],
    [
      'TDX-13 CERTIFICATION_DATA_SIZE The outer certification data fills the auth data',
      'what is left of the auth data',
      `4299 bytes, ${LEFT} left`,
      v4({ outerSize: 4299 }),
    ],
    [
      'TDX-14 QE_AUTH_DATA The data of the quoting enclave are complete',
      '450 bytes and the QE authentication data',
      '304 bytes',
      v4({ qeReport: zeros(0), certification: { type: 5, data: zeros(200) } }),
    ],
    [
      'TDX-14 QE_AUTH_DATA The data of the quoting enclave are complete',
      '450 bytes and the QE authentication data',
      `65535 bytes of authentication data, ${LEFT - 450} left`,
      v4({ qeAuthLength: 0xffff }),
    ],
    [
      'TDX-15 QE_CERTIFICATION_DATA_SIZE The inner certification data ends where the auth data ends',
      'a header of 6 bytes and exactly what is left',
      `4294967295 bytes, ${LEFT - 450 - 32 - 6} left`,
      v4({ innerSize: 0xffffffff }),
    ],
    [
      'TDX-16 QE_CERTIFICATION_DATA_TYPE A PCK certificate chain is at hand',
      '5, or 1 to 4 with a chain beside the quote',
      '7, no chain beside the quote',
      v4({ innerType: 7 }),
    ],
    [
      'TDX-17 quote Nothing but zeros follows the quote',
      'at most 16384 bytes, all zero',
      '4 bytes, not all zero',
      v4({ trailing: Uint8Array.of(0, 0, 0, 1) }),
    ],
  ])('%s: expected %s, found %s', (...[rule, expected, found, make]) => {
    expect(refusal(make())).toBe(`${rule}: expected ${expected}, found ${found}`)
  })
})

/** `id outcome actual` of each check. */
const told = (bytes: Uint8Array, tee: 'tdx' | 'sgx' = 'tdx'): readonly string[] =>
  checksOf(bytes, tee).map(({ id, outcome, actual }) => `${id} ${outcome} ${actual}`)

describe('a quote that is sound says what was looked at', () => {
  it('of version 4', () => {
    const quote = padded(quoteOf('v4'), 8000)
    const length = 48 + 584 + 4 + AUTH
    expect(told(quote)).toEqual([
      'TDX-01 pass 8000 bytes',
      'TDX-01 pass 8000 bytes',
      'TDX-02 pass 4',
      'TDX-03 pass 2',
      'TDX-04 pass 0x81',
      'TDX-05 pass 0x81 in version 4',
      'TDX-05 pass 0x81 as `tdx`',
      'TDX-06 pass 939a7233f79c4ca9940a0db3957f0607',
      'TDX-07 pass zero',
      'TDX-08 skip not in version 4',
      'TDX-09 skip not in version 4',
      'TDX-10 skip not in version 4',
      `TDX-11 pass ${AUTH} bytes, ${8000 - 48 - 584 - 4} left`,
      `TDX-01 pass ${length} bytes`,
      'TDX-12 pass 6',
      `TDX-13 pass ${LEFT} bytes, ${LEFT} left`,
      `TDX-14 pass 32 bytes of authentication data, ${LEFT - 450} left`,
      `TDX-15 pass ${LEFT - 488} bytes, ${LEFT - 488} left`,
      'TDX-16 pass 5, no chain beside the quote',
      `TDX-17 pass ${8000 - length} bytes, all zero`,
    ])
  })

  it('of version 5, whose body has a type and a size', () => {
    expect(told(quoteOf('v5'))).toEqual(
      expect.arrayContaining(['TDX-08 pass 2', 'TDX-09 pass 584 bytes for type 2', 'TDX-10 pass type 2 for TDX', 'TDX-12 pass 6']),
    )
  })

  it('of version 3, which has no outer certification data', () => {
    expect(told(quoteOf('sgx3'), 'sgx')).toEqual(
      expect.arrayContaining([
        'TDX-05 pass 0x0 in version 3',
        'TDX-05 pass 0x0 as `sgx`',
        'TDX-07 skip QE SVN and PCE SVN in version 3',
        'TDX-08 skip not in version 3',
        'TDX-12 skip not in version 3',
        'TDX-13 skip not in version 3',
      ]),
    )
  })

  it('where reserved bytes of the header are set, which only warns', () => {
    expect(told(quoteOf('v4', { reserved: Uint8Array.of(0, 1, 2, 3) }))).toContain('TDX-07 warn 00010203')
  })

  it('where a chain came beside it', () => {
    const { checks } = readQuote(quoteOf('v4', { certification: 1 }), { tee: 'tdx', hasChain: true })
    expect(checks.find(({ id }) => id === 'TDX-16')?.actual).toBe('1, a chain beside the quote')
  })
})
