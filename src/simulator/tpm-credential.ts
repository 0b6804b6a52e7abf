import { constants, createDecipheriv, createHmac, createPublicKey, diffieHellman, privateDecrypt, type KeyObject } from 'node:crypto'
import { uniqueOf } from '../verifiers/tpm/credential/ek-key.ts'
import { kdfA, kdfE, NOBODY } from '../verifiers/tpm/credential/kdf.ts'
import { CURVES, EK_PARAMETERS, NAME_HASHES, RSA_BITS, type EkKind } from '../verifiers/tpm/credential/templates.ts'

/** An endorsement key as its TPM holds it. */
export type EkPair = { readonly kind: EkKind; readonly publicKey: KeyObject; readonly privateKey: KeyObject }

/** What TPM2_ActivateCredential is given: TPM2B_ID_OBJECT, TPM2B_ENCRYPTED_SECRET, and the name of the key that is loaded. */
export type SealedCredential = { readonly blob: Uint8Array; readonly encryptedSecret: Uint8Array; readonly akName: Uint8Array }

/**
 * TPM2_ActivateCredential (specification tpm.md section 7, read backwards). Throws where the credential was made for another EK, or a key of
 * another name.
 */
export function activateCredential(ek: EkPair, { blob, encryptedSecret, akName }: SealedCredential): Uint8Array {
  const { nameHash, symmetricBits } = EK_PARAMETERS[ek.kind]
  const { bytes } = NAME_HASHES[nameHash]
  const seed = ek.kind in RSA_BITS ? rsaSeed(ek, encryptedSecret) : eccSeed(ek, encryptedSecret)
  const [integrity, identity] = [blob.subarray(4, 4 + bytes), blob.subarray(4 + bytes)]
  const macKey = kdfA(nameHash, seed, { label: 'INTEGRITY', parties: NOBODY, bits: bytes * 8 })
  if (!createHmac(nameHash, macKey).update(identity).update(akName).digest().equals(integrity))
    throw new Error('integrity: the credential is not for this endorsement key and this attestation key')
  const key = kdfA(nameHash, seed, { label: 'STORAGE', parties: { u: akName, v: new Uint8Array(0) }, bits: symmetricBits })
  const opened = createDecipheriv(`aes-${symmetricBits}-cfb`, key, new Uint8Array(16)).update(identity)
  return new Uint8Array(opened.subarray(2))
}

/** Behind the length of the whole: RSA-OAEP, label `IDENTITY` with its NUL. */
function rsaSeed({ kind, privateKey }: EkPair, encryptedSecret: Uint8Array): Uint8Array {
  const { nameHash } = EK_PARAMETERS[kind]
  const oaepLabel = Buffer.from('IDENTITY\0', 'ascii')
  const options = { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: nameHash, oaepLabel }
  return privateDecrypt(options, encryptedSecret.subarray(2))
}

/** Behind the length of the whole: both coordinates of the other side's point, each with its length. */
function eccSeed({ kind, publicKey, privateKey }: EkPair, encryptedSecret: Uint8Array): Uint8Array {
  if (kind !== 'ecc-p256' && kind !== 'ecc-p384' && kind !== 'ecc-p521') throw new Error(`${kind} is no elliptic curve`)
  const { jwk, bytes } = CURVES[kind]
  const { nameHash } = EK_PARAMETERS[kind]
  const [x, y] = [encryptedSecret.subarray(4, 4 + bytes), encryptedSecret.subarray(6 + bytes)]
  const [first, second] = [x, y].map((coordinate) => Buffer.from(coordinate).toString('base64url'))
  const point = createPublicKey({ key: { kty: 'EC', crv: jwk, x: first ?? '', y: second ?? '' }, format: 'jwk' })
  const z = diffieHellman({ privateKey, publicKey: point })
  const [own = z] = uniqueOf(publicKey)
  return kdfE(nameHash, z, { label: 'IDENTITY', parties: { u: x, v: own }, bits: NAME_HASHES[nameHash].bytes * 8 })
}
