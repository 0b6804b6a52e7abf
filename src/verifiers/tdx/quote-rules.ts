import { isZero, passed, runRules, skipped, warned, type Rule } from '../checks.ts'
import { hexOf } from '../der-values.ts'
import type { Check } from '../verifier.ts'
import { TEE_TYPE, type BodyKind, type QuoteHeader } from './quote-layout.ts'

/** The shortest quote there is (specification tdx.md section 1.7). */
const LEAST_QUOTE_BYTES = 1020
/** The longest quote by its declared lengths (design section 3, Limits). */
export const MOST_QUOTE_BYTES = 16 * 1024
/** The most zeros that may follow a quote (design section 3, Limits). */
export const MOST_PADDING_BYTES = 16 * 1024

/** TDX-01, on all bytes that were sent. */
export const SIZE_RULES: readonly Rule<Uint8Array>[] = [
  {
    id: 'TDX-01',
    title: 'The quote is not too short',
    code: 'tdx-quote-too-short',
    at: 'quote',
    expected: `at least ${LEAST_QUOTE_BYTES} bytes`,
    actual: ({ length }) => `${length} bytes`,
    holds: ({ length }) => length >= LEAST_QUOTE_BYTES,
  },
  {
    id: 'TDX-01',
    title: 'The quote is not too long',
    code: 'tdx-quote-too-large',
    at: 'quote',
    expected: `at most ${MOST_QUOTE_BYTES} bytes and ${MOST_PADDING_BYTES} zeros`,
    actual: ({ length }) => `${length} bytes`,
    holds: ({ length }) => length <= MOST_QUOTE_BYTES + MOST_PADDING_BYTES,
  },
]

/** What the header must go with: the type of evidence that it was sent as. */
export type Headed = { readonly header: QuoteHeader; readonly tee: keyof typeof TEE_TYPE }

/** Intel's quoting enclave (section 1.1). */
const INTEL_QE = '939a7233f79c4ca9940a0db3957f0607'

const hex = (value: number): string => `0x${value.toString(16)}`

/** TDX-02 to TDX-06. */
const HEADER_RULES: readonly Rule<Headed>[] = [
  {
    id: 'TDX-02',
    title: 'The quote version is supported',
    code: 'tdx-quote-version-unsupported',
    at: 'VERSION',
    expected: '3, 4 or 5',
    actual: ({ header }) => `${header.version}`,
    holds: ({ header }) => [3, 4, 5].includes(header.version),
  },
  {
    id: 'TDX-03',
    title: 'The attestation key is ECDSA P-256',
    code: 'tdx-attestation-key-type-unsupported',
    at: 'ATTESTATION_KEY_TYPE',
    expected: '2',
    actual: ({ header }) => `${header.attestationKeyType}`,
    holds: ({ header }) => header.attestationKeyType === 2,
  },
  {
    id: 'TDX-04',
    title: 'The TEE type is known',
    code: 'tdx-tee-type-unsupported',
    at: 'TEE_TYPE',
    expected: '0 (SGX) or 0x81 (TDX)',
    actual: ({ header }) => hex(header.teeType),
    holds: ({ header }) => header.teeType === TEE_TYPE.sgx || header.teeType === TEE_TYPE.tdx,
  },
  {
    id: 'TDX-05',
    title: 'Version 3 is for SGX alone',
    code: 'tdx-tee-type-mismatch',
    at: 'TEE_TYPE',
    expected: '0 in version 3',
    actual: ({ header }) => `${hex(header.teeType)} in version ${header.version}`,
    holds: ({ header }) => header.version !== 3 || header.teeType === TEE_TYPE.sgx,
  },
  {
    id: 'TDX-05',
    title: 'The TEE type is that of the evidence',
    code: 'tdx-tee-type-mismatch',
    at: 'TEE_TYPE',
    expected: '0x81 as `tdx`, 0 as `sgx`',
    actual: ({ header, tee }) => `${hex(header.teeType)} as \`${tee}\``,
    holds: ({ header, tee }) => header.teeType === TEE_TYPE[tee],
  },
  {
    id: 'TDX-06',
    title: 'Intel’s quoting enclave made the quote',
    code: 'tdx-qe-vendor-id-unknown',
    at: 'QE_VENDOR_ID',
    expected: INTEL_QE,
    actual: ({ header }) => hexOf(header.qeVendorId),
    holds: ({ header }) => hexOf(header.qeVendorId) === INTEL_QE,
  },
]

const RESERVED = {
  id: 'TDX-07',
  title: 'Reserved bytes of the header are zero',
  code: 'tdx-header-reserved-nonzero',
  expected: 'zero',
} as const

/** TDX-07 only warns: a pre-production quote has such bytes, and nothing is read from them. */
function checkReserved({ version, reserved }: QuoteHeader): Check {
  if (version === 3) return skipped(RESERVED, 'QE SVN and PCE SVN in version 3')
  return isZero(reserved) ? passed(RESERVED, 'zero') : warned(RESERVED, hexOf(reserved))
}

/** TDX-02 to TDX-07. Throws AttestationError with the checks up to the failed one. */
export const checkHeader = (headed: Headed, before: readonly Check[]): readonly Check[] => [
  ...runRules(HEADER_RULES, headed, before),
  checkReserved(headed.header),
]

/** TDX-08, for version 5. */
export const BODY_TYPE = {
  id: 'TDX-08',
  title: 'The type of the body is known',
  code: 'tdx-body-type-unsupported',
  at: 'BODY_TYPE',
  expected: '1 to 4',
} as const

/** What the six bytes between header and body of a version 5 quote say (section 1.3), and the TEE of the header. */
export type Descriptor = { readonly kind: BodyKind; readonly size: number; readonly tee: keyof typeof TEE_TYPE }

/** TDX-09 and TDX-10, for version 5. */
export const DESCRIPTOR_RULES: readonly Rule<Descriptor>[] = [
  {
    id: 'TDX-09',
    title: 'The body has the size of its type',
    code: 'tdx-body-size-mismatch',
    at: 'BODY_SIZE',
    expected: '384, 584, 648 or 885 bytes for type 1, 2, 3 or 4',
    actual: ({ kind, size }) => `${size} bytes for type ${kind.type}`,
    holds: ({ kind, size }) => kind.bytes === size,
  },
  {
    id: 'TDX-10',
    title: 'The body belongs to the TEE of the header',
    code: 'tdx-body-type-tee-mismatch',
    at: 'BODY_TYPE',
    expected: 'type 1 for SGX, others for TDX',
    actual: ({ kind, tee }) => `type ${kind.type} for ${tee.toUpperCase()}`,
    holds: ({ kind, tee }) => kind.tee === tee,
  },
]
