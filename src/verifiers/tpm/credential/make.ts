import { constants, createCipheriv, createHmac, createPublicKey, diffieHellman, publicEncrypt, type KeyObject } from 'node:crypto'
import { concat, tpm2b, u32be } from './bytes.ts'
import { uniqueOf, type EkKey } from './ek-key.ts'
import { NOBODY, kdfA, kdfE } from './kdf.ts'
import { EK_PARAMETERS, NAME_HASHES, type EkParameters } from './templates.ts'

/** What TPM2_ActivateCredential takes: TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET, each with its length in front. */
export type Credential = { readonly blob: Uint8Array; readonly encryptedSecret: Uint8Array }

/** The seed of a credential, and the form in which only the EK's TPM can read it. */
export type Seed = { readonly seed: Uint8Array; readonly encryptedSecret: Uint8Array }

/** What the TPM gives up only where a key of this name is loaded. */
export type Secret = {
  /** TPM2B_NAME's contents: nameAlg ‖ digest. */
  readonly akName: Uint8Array
  /** At most a digest of the EK's name hash long; 32 bytes fit every template. */
  readonly secret: Uint8Array
}

const IV = new Uint8Array(16)

/** The length of a seed for this EK: a digest of its name hash. */
export const seedBytes = ({ kind }: EkKey): number => NAME_HASHES[EK_PARAMETERS[kind].nameHash].bytes

/** A seed of {@link seedBytes} random bytes for an RSA EK (section 7, step 1): RSA-OAEP, label `IDENTITY` with its NUL. */
export function rsaSeed(ek: EkKey, seed: Uint8Array): Seed {
  const { nameHash } = EK_PARAMETERS[ek.kind]
  const oaepLabel = Buffer.from('IDENTITY\0', 'ascii')
  const sealed = publicEncrypt({ key: ek.key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: nameHash, oaepLabel }, seed)
  return { seed, encryptedSecret: tpm2b(sealed) }
}

/** The seed that a fresh key pair on the EK's curve leads to (section 7, step 1): ECDH, then KDFe over both x coordinates. */
export function eccSeed(ek: EkKey, ephemeral: KeyObject): Seed {
  const { nameHash } = EK_PARAMETERS[ek.kind]
  const z = diffieHellman({ privateKey: ephemeral, publicKey: ek.key })
  const point = uniqueOf(createPublicKey(ephemeral))
  const parties = { u: firstOf(point), v: firstOf(ek.unique) }
  const seed = kdfE(nameHash, z, { label: 'IDENTITY', parties, bits: NAME_HASHES[nameHash].bytes * 8 })
  return { seed, encryptedSecret: tpm2b(concat(...point.map(tpm2b))) }
}

/** The x coordinate of a point. */
const firstOf = (unique: readonly Uint8Array[]): Uint8Array => concat(...unique.slice(0, 1))

/** TPM2_MakeCredential (section 7, steps 2 to 4). The same seed gives the same bytes. */
export function makeCredential({ kind }: EkKey, { seed, encryptedSecret }: Seed, secret: Secret): Credential {
  const identity = encryptIdentity(EK_PARAMETERS[kind], seed, secret)
  const { nameHash } = EK_PARAMETERS[kind]
  const key = kdfA(nameHash, seed, { label: 'INTEGRITY', parties: NOBODY, bits: NAME_HASHES[nameHash].bytes * 8 })
  const integrity = createHmac(nameHash, key).update(identity).update(secret.akName).digest()
  return { blob: tpm2b(concat(tpm2b(integrity), identity)), encryptedSecret }
}

/** AES-CFB over the secret with its length, under a key that depends on the name of the attestation key. */
function encryptIdentity({ nameHash, symmetricBits }: EkParameters, seed: Uint8Array, { akName, secret }: Secret): Uint8Array {
  const parties = { u: akName, v: new Uint8Array(0) }
  const key = kdfA(nameHash, seed, { label: 'STORAGE', parties, bits: symmetricBits })
  const cipher = createCipheriv(`aes-${symmetricBits}-cfb`, key, IV)
  return concat(cipher.update(tpm2b(secret)), cipher.final())
}

/** What every file of tpm2_makecredential begins with: a magic number and the version of the format. */
const TOOLS_HEAD = concat(u32be(0xbadcc0de), u32be(1))

/** The same credential as the file that tpm2_activatecredential reads. */
export const toolsFile = ({ blob, encryptedSecret }: Credential): Uint8Array => concat(TOOLS_HEAD, blob, encryptedSecret)
