import { constants, createPublicKey, verify, type KeyObject } from 'node:crypto'
import type { PssParameters } from './x509-algorithm.ts'

/** A signature, what it is over, and the key that should have made it. */
export type Signed = { readonly key: KeyObject; readonly data: Uint8Array; readonly signature: Uint8Array }

/** Hash and signature length that go with each curve (FIPS 186-5 section 6.1): r and s of the curve's order, one after the other. */
const CURVES: Readonly<Record<string, Curve>> = {
  prime256v1: { hash: 'sha256', bytes: 64 },
  secp384r1: { hash: 'sha384', bytes: 96 },
}
type Curve = { readonly hash: string; readonly bytes: number }

/** Keys are remembered and asked for their curve again and again, which OpenSSL spells out anew each time. */
const curves = new WeakMap<KeyObject, Curve>()

function curveOf(key: KeyObject): Curve | undefined {
  const known = curves.get(key)
  if (known !== undefined || key.asymmetricKeyType !== 'ec') return known
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? '']
  if (curve !== undefined) curves.set(Object.assign(key, FIXED_FORM), curve)
  return curve
}

/**
 * Node reads the form of a signature from a key object, too. In an object of options around the key it first throws two errors to itself, with
 * their stacks, before it finds the key inside, which costs a third of a verification. A form that were not read would verify nothing.
 */
const FIXED_FORM = { dsaEncoding: 'ieee-p1363' } as const

/**
 * Verifies ECDSA over P-256 with SHA-256 or P-384 with SHA-384, the signature as r || s (IEEE P1363), in libuv's pool or in place.
 * False for any other key and for any signature of another length; never rejects.
 */
export async function verifyEcdsa({ key, data, signature }: Signed, where: 'pool' | 'in-place' = 'pool'): Promise<boolean> {
  if (where === 'in-place') return verifyEcdsaInPlace({ key, data, signature })
  const curve = curveOf(key)
  if (curve === undefined || signature.length !== curve.bytes) return false
  return new Promise((resolve) => {
    verify(curve.hash, data, key, signature, (error, valid) => {
      resolve(error === null && valid)
    })
  })
}

/** The same in place and at once, for documents whose verdict is remembered. */
export function verifyEcdsaInPlace({ key, data, signature }: Signed): boolean {
  const curve = curveOf(key)
  if (curve === undefined || signature.length !== curve.bytes) return false
  return verify(curve.hash, data, key, signature)
}

/**
 * Verifies RSASSA-PSS with MGF1 over the same hash and exactly this salt length, in place: it costs less than a hop to the pool.
 * False for a key of another kind; the key may be of type rsaEncryption, so the caller has read the algorithm from the document.
 */
export function verifyPss({ key, data, signature }: Signed, { hash, saltLength }: PssParameters): boolean {
  if (key.asymmetricKeyType !== 'rsa' && key.asymmetricKeyType !== 'rsa-pss') return false
  try {
    return verify(hash, data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }, signature)
  } catch {
    // OpenSSL raises an error where a key's own PSS parameters forbid these; that is a signature that does not verify.
    return false
  }
}

/** The public key of a DER SubjectPublicKeyInfo; undefined where OpenSSL finds none, or a point that is not on its curve. */
export function readPublicKey(spki: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
}

/** Verifies ECDSA over P-256 with SHA-256, the signature in DER as certificates and lists have it, in place. False for any other key and for what is no DER. */
export function verifyEcdsaDer({ key, data, signature }: Signed): boolean {
  return curveOf(key) === CURVES['prime256v1'] && verify('sha256', data, { key, dsaEncoding: 'der' }, signature)
}
