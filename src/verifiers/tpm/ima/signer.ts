import { createPublicKey, hash, X509Certificate, type KeyObject } from 'node:crypto'
import { readLength, TAG } from '../../der.ts'
import { parseCertificate } from '../../x509.ts'
import type { ImaDigest } from './entry.ts'
import { curveKeyOf, verifyEcdsaDigest, verifyRsaDigest, type SignedDigest } from './prehashed.ts'
import type { FileSignature } from './signature.ts'

/** A key whose signature over a file counts. */
export type ImaSigner = {
  /** What signatures name it by: the last four bytes of its subject key identifier, lower-case hex; one or two. */
  readonly keyIds: readonly string[]
  /** Whether it made a signature over a digest. */
  readonly signed: (signed: SignedDigest) => boolean
}

const MIN_RSA_BITS = 2048
const KEY_ID_BYTES = 4
const SUBJECT_KEY_IDENTIFIER = '2.5.29.14'

/** A signer from the DER of a certificate or of a SubjectPublicKeyInfo; undefined for what is neither, or a key of no use. No dates are looked at: the kernel does not either. */
export function readSigner(der: Uint8Array): ImaSigner | undefined {
  const key = keyOf(der)
  const signed = key === undefined ? undefined : signedBy(key)
  if (key === undefined || signed === undefined) return undefined
  return { keyIds: [...new Set([computedId(key), ...declaredId(der)])], signed }
}

/** OpenSSL looks for PEM in whatever is no DER, also far behind the beginning. */
const isDer = (bytes: Uint8Array): boolean => bytes[0] === TAG.SEQUENCE && readLength(bytes, 1)?.end === bytes.byteLength

function keyOf(der: Uint8Array): KeyObject | undefined {
  if (!isDer(der)) return undefined
  return (
    attempt(() => new X509Certificate(der).publicKey) ??
    attempt(() => createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' }))
  )
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

function signedBy(key: KeyObject): ImaSigner['signed'] | undefined {
  if (key.asymmetricKeyType === 'rsa')
    return (key.asymmetricKeyDetails?.modulusLength ?? 0) < MIN_RSA_BITS ? undefined : (signed) => verifyRsaDigest(key, signed)
  if (key.asymmetricKeyType !== 'ec') return undefined
  const curveKey = curveKeyOf(key)
  return curveKey === undefined ? undefined : (signed) => verifyEcdsaDigest(curveKey, signed)
}

/** SHA-1 over the key's bits (RFC 5280 section 4.2.1.2, method 1), as evmctl and the kernel compute it. */
function computedId(key: KeyObject): string {
  const { x = '', y = '' } = key.asymmetricKeyType === 'ec' ? key.export({ format: 'jwk' }) : {}
  const bits =
    key.asymmetricKeyType === 'ec'
      ? Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
      : key.export({ format: 'der', type: 'pkcs1' })
  return hash('sha1', bits, 'buffer').toString('hex', 20 - KEY_ID_BYTES)
}

/** Authorities may choose another identifier, which signatures then name. */
function declaredId(der: Uint8Array): readonly string[] {
  const extension = attempt(() => parseCertificate(der))?.extensions.find(({ oid }) => oid === SUBJECT_KEY_IDENTIFIER)
  return extension === undefined ? [] : [Buffer.from(extension.value.subarray(-KEY_ID_BYTES)).toString('hex')]
}

/** Number in the kernel and bytes of each hash whose signatures count. */
const HASHES: Readonly<Record<string, readonly [number: number, bytes: number]>> = { sha256: [4, 32], sha384: [5, 48], sha512: [6, 64] }

/** What a signature is over (specification tpm.md section 12.6); undefined where it cannot be over this digest. */
export function signedDigestOf({ type, version, hash: name, signature }: FileSignature, digest: ImaDigest): SignedDigest | undefined {
  const [number, bytes] = HASHES[name] ?? []
  const isOfDigest = digest.algorithm === name && digest.bytes.byteLength === bytes && (type === 6) === (digest.of === 'verity')
  if (number === undefined || !isOfDigest) return undefined
  if (version === 2) return { hash: name, digest: digest.bytes, signature }
  return { hash: name, digest: hash(name, Buffer.concat([Buffer.from([type, number]), digest.bytes]), 'buffer'), signature }
}
