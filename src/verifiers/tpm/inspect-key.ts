import { hash } from 'node:crypto'
import { hexOf } from '../der-values.ts'
import { attributeNames, formatAttributes } from './attributes.ts'
import { algorithmName, curveName } from './inspect-names.ts'
import { nameOf } from './name.ts'
import { keyOf } from './public-key.ts'
import { parsePublicArea, type PublicArea } from './public.ts'
import { parseSignature } from './tpm-signature.ts'

/** An algorithm with its hash; null where it has none. */
type SchemeView = { readonly algorithm: string; readonly hash: string | null }

type KeyView =
  | { readonly type: 'rsa'; readonly key_bits: number; readonly exponent: number; readonly modulus: string }
  | { readonly type: 'ecc'; readonly curve: string; readonly kdf: SchemeView | null; readonly x: string; readonly y: string }

/** Every field of TPMT_PUBLIC (specification tpm.md section 3.1), unverified, and the names that follow from them. Bytes in lower-case hex. */
export type PublicAreaView = {
  /** Whether it came with a length in front. */
  readonly form: 'TPMT_PUBLIC' | 'TPM2B_PUBLIC'
  /** nameAlg ‖ digest of the area. */
  readonly name: string
  /** Of the DER SubjectPublicKeyInfo; null for a key that is not accepted as one to verify with. */
  readonly spki_sha256: string | null
  readonly name_alg: string
  readonly object_attributes: string
  /** The attributes that are set, by name. */
  readonly attributes: readonly string[]
  readonly auth_policy: string
  readonly symmetric: { readonly algorithm: string; readonly key_bits: number; readonly mode: string } | null
  readonly scheme: SchemeView | null
  readonly key: KeyView
}

/** Every field of a public area. Throws AttestationError tpm-ak-public-malformed. */
export function inspectPublicArea(bytes: Uint8Array): PublicAreaView {
  const area = parsePublicArea(bytes, { what: 'ak_public', code: 'tpm-ak-public-malformed' })
  return {
    form: bytes.length === area.bytes.length ? 'TPMT_PUBLIC' : 'TPM2B_PUBLIC',
    name: hexOf(nameOf(area)),
    spki_sha256: spkiOf(area),
    name_alg: area.nameAlg,
    object_attributes: formatAttributes(area.attributes),
    attributes: attributeNames(area.attributes),
    auth_policy: hexOf(area.authPolicy),
    symmetric: symmetricView(area.symmetric),
    scheme: schemeView(area.scheme),
    key: keyView(area.key),
  }
}

function spkiOf(area: PublicArea): string | null {
  const key = keyOf(area)
  return typeof key === 'string' ? null : hash('sha256', key.object.export({ type: 'spki', format: 'der' }))
}

const symmetricView = (symmetric: PublicArea['symmetric']): PublicAreaView['symmetric'] =>
  symmetric === null ? null : { algorithm: algorithmName(symmetric.alg), key_bits: symmetric.keyBits, mode: algorithmName(symmetric.mode) }

const schemeView = (scheme: PublicArea['scheme']): SchemeView | null =>
  scheme === null ? null : { algorithm: algorithmName(scheme.alg), hash: scheme.hash === null ? null : algorithmName(scheme.hash) }

function keyView(key: PublicArea['key']): KeyView {
  if (key.type === 'rsa') return { type: 'rsa', key_bits: key.keyBits, exponent: key.exponent, modulus: hexOf(key.modulus) }
  return { type: 'ecc', curve: curveName(key.curve), kdf: schemeView(key.kdf), x: hexOf(key.x), y: hexOf(key.y) }
}

/** Every field of TPMT_SIGNATURE (section 3.4), unverified; of kinds that are not accepted the bytes. Numbers without leading zeros. */
export type SignatureView =
  | (SchemeView & { readonly signature: string })
  | (SchemeView & { readonly r: string; readonly s: string })
  | { readonly algorithm: string; readonly bytes: string }

/** Every field of a signature. Throws AttestationError tpm-signature-malformed. */
export function inspectSignature(bytes: Uint8Array, at: string): SignatureView {
  const signature = parseSignature(bytes, at)
  if (signature.kind === 'other') return { algorithm: algorithmName(signature.scheme), bytes: hexOf(bytes) }
  const scheme = { algorithm: algorithmName(signature.scheme), hash: algorithmName(signature.hash) }
  if (signature.kind === 'rsa') return { ...scheme, signature: hexOf(signature.signature) }
  return { ...scheme, r: hexOf(signature.r), s: hexOf(signature.s) }
}
