import { hash } from 'node:crypto'
import type { ImaDigest } from './entry.ts'
import { readSigner, signedDigestOf, type ImaSigner } from './signer.ts'
import type { FileSignature } from './signature.ts'

/** The keyrings by whose keys the kernel judges files; keys of others vouch for other things. */
const FILE_KEYRINGS: ReadonlySet<string> = new Set(['.ima', '_ima'])

/** Keys that a list may add to those of the policy; the state of an appraisal must have room for them. */
const MOST_MEASURED = 32
const MOST_KEY_BYTES = 2048

/** The keys that files may be signed with: the policy's, and those that were measured and listed. */
export class SignerKeys {
  readonly #byId = new Map<string, ImaSigner[]>()
  readonly #measured = new Set<string>()

  /** `measured`: DER in base64, of an earlier appraisal. */
  constructor(signers: readonly ImaSigner[], measured: readonly string[]) {
    for (const signer of signers) this.#add(signer)
    for (const key of measured) this.#keep(key)
  }

  /** Measured keys as DER in base64. */
  get measured(): readonly string[] {
    return [...this.#measured]
  }

  /** Takes a listed key of a keyring that files are judged by. One too many or too long signs nothing: its files need digests. */
  measure(keyring: string, blob: Buffer): void {
    if (FILE_KEYRINGS.has(keyring) && blob.byteLength <= MOST_KEY_BYTES && this.#measured.size < MOST_MEASURED)
      this.#keep(blob.toString('base64'))
  }

  /** Whether one of the keys that the signature names made it over this digest; `unknown` where it names none. */
  judge(signature: FileSignature, digest: ImaDigest): 'valid' | 'invalid' | 'unknown' {
    const signers = this.#byId.get(signature.keyId)
    const signed = signedDigestOf(signature, digest)
    if (signers === undefined || signed === undefined) return 'unknown'
    return signers.some((signer) => signer.signed(signed)) ? 'valid' : 'invalid'
  }

  #keep(key: string): void {
    const signer = this.#measured.has(key) ? undefined : readSigner(Buffer.from(key, 'base64'))
    if (signer === undefined) return
    this.#measured.add(key)
    this.#add(signer)
  }

  #add(signer: ImaSigner): void {
    for (const id of signer.keyIds) this.#byId.set(id, [...(this.#byId.get(id) ?? []), signer])
  }
}

/** Whether a buffer has the digest that stands before it: only then is it what the policy listed. */
export function hasItsDigest(buffer: Buffer, { algorithm, bytes }: ImaDigest): boolean {
  const name = BUFFER_HASHES.get(algorithm)
  return name !== undefined && bytes.equals(hash(name, buffer, 'buffer'))
}

/** Hashes of buffers, as the kernel and as OpenSSL name them. */
const BUFFER_HASHES: ReadonlyMap<string, string> = new Map([
  ['sha1', 'sha1'],
  ['sha256', 'sha256'],
  ['sha384', 'sha384'],
  ['sha512', 'sha512'],
  ['sm3_256', 'sm3'],
  ['sm3-256', 'sm3'],
])
