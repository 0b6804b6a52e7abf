import { createSecretKey, hkdfSync, randomBytes, type KeyObject } from 'node:crypto'
import type { Mode } from '../verifiers/verifier.ts'
import { readOrCreatePrivateFile, readPrivateFile } from './private-file.ts'

/** The keys that ASSAY_SECRET yields, one for each purpose (design section 1.4). */
export type DerivedKeys = {
  /** MAC of challenges. */
  readonly challenge: KeyObject
  /** Pseudonyms: `sub` and `host_id`. */
  readonly subject: KeyObject
  /** MAC of stored records. */
  readonly stored: KeyObject
  /** Encryption of states and results that leave the process. */
  readonly sealed: KeyObject
}

const MIN_SECRET_BYTES = 32

/** Fewer different bytes than this in 32 or more is a placeholder, not a secret: 64 random hex digits miss it once in 10^15. */
const MIN_DISTINCT_BYTES = 8

const DERIVED_BYTES = 32

/**
 * The secret in a file: all of its bytes but one final line break.
 * `create` makes the file where it is absent, which is right only where no other replica must have the same secret.
 * Throws, naming the path, if it is absent, readable by others, or not a secret.
 */
export async function loadSecret(path: string, absent: 'create' | 'refuse'): Promise<Uint8Array> {
  const content = absent === 'create' ? await readOrCreatePrivateFile(path, newSecret) : await readPrivateFile(path)
  if (content === undefined) throw new Error(`${path} does not exist; write at least ${MIN_SECRET_BYTES} random bytes to it, mode 0600`)
  return checkSecret(withoutFinalLineBreak(content), path)
}

/** One key for each purpose and mode, by HKDF-SHA-256: no key of one mode or purpose says anything about another. */
export function deriveKeys(secret: Uint8Array, mode: Mode): DerivedKeys {
  const derive = (purpose: keyof DerivedKeys): KeyObject =>
    createSecretKey(new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), `assay-key/1\0${purpose}\0${mode}`, DERIVED_BYTES)))
  return { challenge: derive('challenge'), subject: derive('subject'), stored: derive('stored'), sealed: derive('sealed') }
}

const newSecret = (): string => `${randomBytes(MIN_SECRET_BYTES).toString('base64url')}\n`

function checkSecret(secret: Uint8Array, path: string): Uint8Array {
  if (secret.length < MIN_SECRET_BYTES) throw new Error(`${path} holds ${secret.length} bytes; a secret has at least ${MIN_SECRET_BYTES}`)
  if (new Set(secret).size < MIN_DISTINCT_BYTES) throw new Error(`${path} holds a placeholder, not a secret; write random bytes to it`)
  return secret
}

function withoutFinalLineBreak(content: Uint8Array): Uint8Array {
  if (content.at(-1) !== 0x0a) return content
  return content.subarray(0, content.at(-2) === 0x0d ? -2 : -1)
}
