import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes, type KeyObject } from 'node:crypto'
import type { Mode } from '../verifiers/verifier.ts'

/** What a sealed state is for; one sealed for another purpose, by another service or in another mode never opens. */
export type SealParts = {
  /** `sealed` of the derived keys. */
  readonly key: KeyObject
  readonly purpose: 'tpm-enrolment' | 'ima-state'
  /** The URL of this service. */
  readonly issuer: string
  readonly mode: Mode
}

/** Hands out states that only a replica of this service can read, and that nobody can change. */
export type Seal = {
  readonly seal: (state: Uint8Array) => Uint8Array
  /** undefined for whatever this service did not seal for this purpose in this mode. */
  readonly open: (sealed: Uint8Array) => Uint8Array | undefined
}

/** The first byte of everything that is sealed; other versions are not ours. */
const VERSION = 1
/** So long that no two are ever equal: each state has a key of its own, and its nonce counts nothing. */
const SALT_BYTES = 32
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEAD_BYTES = 1 + SALT_BYTES

/**
 * AES-256-GCM: version ‖ salt 32 ‖ ciphertext ‖ tag 16. Key and nonce are HKDF-SHA-256 of the key with the salt and the purpose, and purpose,
 * issuer and mode are associated data, length-prefixed.
 */
export function createSeal(parts: SealParts): Seal {
  const about = associated(parts)
  return {
    seal: (state) => {
      const head = Buffer.concat([Buffer.of(VERSION), randomBytes(SALT_BYTES)])
      const { key, nonce } = keyFor(parts, head.subarray(1))
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
      cipher.setAAD(about)
      return new Uint8Array(Buffer.concat([head, cipher.update(state), cipher.final(), cipher.getAuthTag()]))
    },
    open: (sealed) => (sealed[0] === VERSION && sealed.length >= HEAD_BYTES + TAG_BYTES ? open(parts, about, sealed) : undefined),
  }
}

function open(parts: SealParts, about: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  const { key, nonce } = keyFor(parts, sealed.subarray(1, HEAD_BYTES))
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(about)
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  const state = decipher.update(sealed.subarray(HEAD_BYTES, -TAG_BYTES))
  try {
    return new Uint8Array(Buffer.concat([state, decipher.final()]))
  } catch {
    return undefined
  }
}

function keyFor({ key, purpose }: SealParts, salt: Uint8Array): { readonly key: Uint8Array; readonly nonce: Uint8Array } {
  const bytes = new Uint8Array(hkdfSync('sha256', key, salt, `assay-sealed/1\0${purpose}`, KEY_BYTES + NONCE_BYTES))
  return { key: bytes.subarray(0, KEY_BYTES), nonce: bytes.subarray(KEY_BYTES) }
}

/** A digest, so that it is short whatever the issuer is called. */
function associated({ purpose, issuer, mode }: SealParts): Uint8Array {
  const hash = createHash('sha256')
  for (const field of ['assay-sealed/1', purpose, issuer, mode]) hash.update(`${Buffer.byteLength(field)}:${field}`)
  return hash.digest()
}
