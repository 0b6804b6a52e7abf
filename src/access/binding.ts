import { hash } from 'node:crypto'

/** What the bound value is computed over (design section 3, Binding). */
export type BindingParts = {
  /** The challenge, or the relying party's nonce, as bytes. */
  readonly nonce: Uint8Array
  /** RFC 7638 SHA-256 thumbprint of `cnf_jwk`, 32 bytes; absent without a key. */
  readonly thumbprint?: Uint8Array | undefined
  /** Absent hashes as empty. */
  readonly runtimeData?: Uint8Array | undefined
  /** The name as configured; a request that names none means `default`. */
  readonly audience: string
}

const BINDING_TAG = Buffer.from('assay-binding/1\0', 'ascii')
const PROOF_TAG = Buffer.from('assay-pop/1\0', 'ascii')
const NO_KEY = new Uint8Array(32)
const EMPTY = new Uint8Array(0)

/** Bytes of REPORT_DATA (snp.md section 1, tdx.md REPORTDATA). */
const REPORT_DATA_BYTES = 64

/** P: tag ‖ SHA-256(nonce) ‖ thumbprint or zeros ‖ SHA-256(runtime_data) ‖ SHA-256(audience), always 144 bytes. */
export function bindingInput(parts: BindingParts): Uint8Array {
  const thumbprint = parts.thumbprint ?? NO_KEY
  if (thumbprint.length !== NO_KEY.length) throw new RangeError('a thumbprint has 32 bytes')
  return Buffer.concat([BINDING_TAG, sha256(parts.nonce), thumbprint, sha256(parts.runtimeData ?? EMPTY), sha256(parts.audience)])
}

/** What REPORT_DATA must hold under binding `hash`: SHA-512(P), 64 bytes. */
export const reportDataOf = (input: Uint8Array): Uint8Array => hash('sha512', input, 'buffer')

/** What TPM extraData must hold under binding `hash`: SHA-256(P), 32 bytes. */
export const extraDataOf = (input: Uint8Array): Uint8Array => sha256(input)

/** What the key of `cnf_jwk` signs to prove that its holder takes part: tag ‖ SHA-512(P), 76 bytes. */
export const proofInput = (input: Uint8Array): Uint8Array => Buffer.concat([PROOF_TAG, reportDataOf(input)])

/** What REPORT_DATA must hold under binding `nonce`: the nonce, zero-padded to 64 bytes. */
export function nonceBinding(nonce: Uint8Array): Uint8Array {
  if (nonce.length > REPORT_DATA_BYTES) throw new RangeError(`a nonce has at most ${REPORT_DATA_BYTES} bytes`)
  const padded = new Uint8Array(REPORT_DATA_BYTES)
  padded.set(nonce)
  return padded
}

const sha256 = (data: string | Uint8Array): Uint8Array => hash('sha256', data, 'buffer')
