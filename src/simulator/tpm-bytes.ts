import { constants, hash, sign, type KeyObject } from 'node:crypto'
import type { PcrBank } from '../verifiers/tpm/claims.ts'

/** Writers of TPM 2.0 structures (specification tpm.md sections 1 to 3), big-endian. What they are given is written as it is, also where it is wrong. */

const HASH_IDS: Readonly<Record<PcrBank, number>> = { sha1: 0x0004, sha256: 0x000b, sha384: 0x000c, sha512: 0x000d }
const SCHEME_IDS = { rsassa: 0x0014, rsapss: 0x0016, ecdsa: 0x0018 } as const
const CURVE_IDS: Readonly<Record<string, number>> = { 'P-256': 3, 'P-384': 4, 'P-521': 5 }
const NULL_ALG = 0x0010

/** A signature scheme of a TPM. */
export type TpmScheme = { readonly scheme: keyof typeof SCHEME_IDS; readonly hash: PcrBank }

/** 8, 16, 32 or 64 bits. */
export function uint(bits: 8 | 16 | 32 | 64, value: number | bigint): Uint8Array {
  return new Uint8Array(
    Buffer.from(
      BigInt.asUintN(bits, BigInt(value))
        .toString(16)
        .padStart(bits / 4, '0'),
      'hex',
    ),
  )
}

/** Bytes behind each other. */
export const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))

/** TPM2B: the length in 16 bits, and the bytes. */
export const tpm2b = (bytes: Uint8Array): Uint8Array => joined(uint(16, bytes.length), bytes)

const digestOf = (name: PcrBank, bytes: Uint8Array): Uint8Array => new Uint8Array(hash(name, bytes, 'buffer'))

/** The name of an object with this public area. */
export const nameOfArea = (nameAlg: PcrBank, area: Uint8Array): Uint8Array => joined(uint(16, HASH_IDS[nameAlg]), digestOf(nameAlg, area))

/** The qualified name of an object; its parent's is a handle for a primary one. */
export const qualifiedName = (nameAlg: PcrBank, parent: Uint8Array, name: Uint8Array): Uint8Array =>
  nameOfArea(nameAlg, joined(parent, name))

/** The handle of the endorsement hierarchy. */
export const ENDORSEMENT: Uint8Array = uint(32, 0x4000000b)

/** fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, restricted, sign: what attestation keys have. */
const AK_ATTRIBUTES = 0x0005_0072

/** A public area; all members but the key have the values of an attestation key. */
export type AreaFields = TpmScheme & {
  readonly nameAlg: PcrBank
  readonly attributes: number
  readonly authPolicy: Uint8Array
  /** After the policy: symmetric cipher, scheme, key length or curve, exponent or KDF; for areas that are wrong in them. */
  readonly parameters: Uint8Array
  /** The modulus as TPM2B, or both coordinates. */
  readonly unique: Uint8Array
}

/** TPMT_PUBLIC of a key. */
export function publicArea(key: KeyObject, fields: TpmScheme & Partial<AreaFields>): Uint8Array {
  const all = { nameAlg: 'sha256', attributes: AK_ATTRIBUTES, authPolicy: new Uint8Array(0), ...partsOf(key, fields), ...fields } as const
  const head = joined(uint(16, all.type), uint(16, HASH_IDS[all.nameAlg]), uint(32, all.attributes), tpm2b(all.authPolicy))
  return joined(head, all.parameters, all.unique)
}

/** What differs by kind of key: an exponent of 0 stands for 65537, and no KDF is usual. */
function partsOf(key: KeyObject, by: TpmScheme): Pick<AreaFields, 'parameters' | 'unique'> & { readonly type: number } {
  const { kty, n, crv = '', x, y } = key.export({ format: 'jwk' })
  const scheme = joined(uint(16, NULL_ALG), uint(16, SCHEME_IDS[by.scheme]), uint(16, HASH_IDS[by.hash]))
  if (kty === 'RSA') {
    const modulus = bytesOf(n)
    return { type: 0x0001, parameters: joined(scheme, uint(16, 8 * modulus.length), uint(32, 0)), unique: tpm2b(modulus) }
  }
  const parameters = joined(scheme, uint(16, CURVE_IDS[crv] ?? 0), uint(16, NULL_ALG))
  return { type: 0x0023, parameters, unique: joined(tpm2b(bytesOf(x)), tpm2b(bytesOf(y))) }
}

const bytesOf = (text: string | undefined): Uint8Array => new Uint8Array(Buffer.from(text ?? '', 'base64url'))

/** PCRs of one bank. `hash` in place of a bank, `bytes` in place of a bitmap of three, for what no TPM would sign. */
export type Selection = { readonly bank: PcrBank | number; readonly pcrs: readonly number[]; readonly size?: number }

/** TPML_PCR_SELECTION. */
const pcrSelections = (selections: readonly Selection[]): Uint8Array => joined(uint(32, selections.length), ...selections.map(pcrSelection))

function pcrSelection({ bank, pcrs, size = 3 }: Selection): Uint8Array {
  const bitmap = new Uint8Array(size)
  for (const pcr of pcrs) bitmap[pcr >> 3] = (bitmap[pcr >> 3] ?? 0) | (1 << (pcr & 7))
  return joined(uint(16, typeof bank === 'number' ? bank : HASH_IDS[bank]), uint(8, size), bitmap)
}

/** The fields of TPMS_ATTEST. */
export type AttestFields = {
  readonly magic: number
  readonly type: number
  readonly qualifiedSigner: Uint8Array
  readonly extraData: Uint8Array
  readonly clock: bigint
  readonly resetCount: number
  readonly restartCount: number
  readonly safe: number
  readonly firmwareVersion: bigint
  /** What is attested to, by type. */
  readonly body: Uint8Array
  /** Bytes behind the structure. */
  readonly trailing: Uint8Array
}

const ATTEST: Omit<AttestFields, 'body'> = {
  magic: 0xff544347,
  type: 0x8018,
  qualifiedSigner: joined(uint(16, HASH_IDS.sha256), new Uint8Array(32).fill(0xa5)),
  extraData: new Uint8Array(0),
  clock: 5840n,
  resetCount: 2,
  restartCount: 0,
  safe: 1,
  firmwareVersion: 0x2019102300163636n,
  trailing: new Uint8Array(0),
}

/** TPMS_ATTEST; unless told otherwise of a quote. */
export function attestBytes(fields: Pick<AttestFields, 'body'> & Partial<AttestFields>): Uint8Array {
  const all = { ...ATTEST, ...fields }
  return joined(
    uint(32, all.magic),
    uint(16, all.type),
    tpm2b(all.qualifiedSigner),
    tpm2b(all.extraData),
    clockInfo(all),
    uint(64, all.firmwareVersion),
    all.body,
    all.trailing,
  )
}

/** TPMS_CLOCK_INFO. */
const clockInfo = (fields: Pick<AttestFields, 'clock' | 'resetCount' | 'restartCount' | 'safe'>): Uint8Array =>
  joined(uint(64, fields.clock), uint(32, fields.resetCount), uint(32, fields.restartCount), uint(8, fields.safe))

/** Values of PCRs by bank and index. */
export type PcrValues = Partial<Record<PcrBank, Readonly<Record<string, Uint8Array>>>>

/** The body of a quote: the selection, and the digest of the selected values by the hash of the signature. */
export function quoteBody(selections: readonly Selection[], values: PcrValues, by: PcrBank): Uint8Array {
  const inOrder = selections.flatMap(({ bank, pcrs }) =>
    pcrs.toSorted((a, b) => a - b).map((pcr) => (typeof bank === 'number' ? undefined : values[bank]?.[String(pcr)]) ?? new Uint8Array(0)),
  )
  return joined(pcrSelections(selections), tpm2b(digestOf(by, joined(...inOrder))))
}

/** How an RSAPSS signature is salted: as long as the digest, as long as it can be, or another length. */
export type Salt = 'digest' | 'longest' | number

/** TPMT_SIGNATURE of a private key. */
export function tpmtSignature(
  key: KeyObject,
  { scheme, hash: by, salt = 'digest' }: TpmScheme & { readonly salt?: Salt },
  data: Uint8Array,
): Uint8Array {
  const head = joined(uint(16, SCHEME_IDS[scheme]), uint(16, HASH_IDS[by]))
  if (scheme === 'rsassa') return joined(head, tpm2b(sign(by, data, key)))
  if (scheme === 'rsapss')
    return joined(head, tpm2b(sign(by, data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: saltLength(salt) })))
  const raw = sign(by, data, { key, dsaEncoding: 'ieee-p1363' })
  return joined(head, tpm2b(raw.subarray(0, raw.length / 2)), tpm2b(raw.subarray(raw.length / 2)))
}

const saltLength = (salt: Salt): number => {
  if (typeof salt === 'number') return salt
  return salt === 'digest' ? constants.RSA_PSS_SALTLEN_DIGEST : constants.RSA_PSS_SALTLEN_MAX_SIGN
}
