import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'

/** Kinds of key that a token may be bound to (design section 3, Binding). */
export type BindingKeyKind = 'P-256' | 'P-384' | 'Ed25519' | 'RSA'

/** A host's key for `cnf_jwk`. */
export type BindingKey = {
  readonly kind: BindingKeyKind
  /** Public members only. */
  readonly jwk: Readonly<Record<string, string>>
  readonly privateKey: KeyObject
}

const GENERATE: Record<BindingKeyKind, () => { publicKey: KeyObject; privateKey: KeyObject }> = {
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  Ed25519: () => generateKeyPairSync('ed25519'),
  RSA: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
}

const DIGEST: Record<BindingKeyKind, string | null> = { 'P-256': 'sha256', 'P-384': 'sha384', Ed25519: null, RSA: 'sha256' }

/** A new key. */
export function bindingKey(kind: BindingKeyKind): BindingKey {
  const { publicKey, privateKey } = GENERATE[kind]()
  const entries: [string, unknown][] = Object.entries(publicKey.export({ format: 'jwk' }))
  const members = entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : []))
  return { kind, jwk: Object.fromEntries(members), privateKey }
}

/** RFC 7638: SHA-256 over the required members in lexical order; a fresh JWK of Node has no others. */
export function thumbprint(jwk: BindingKey['jwk']): Uint8Array {
  const ordered = Object.fromEntries(Object.entries(jwk).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return new Uint8Array(createHash('sha256').update(JSON.stringify(ordered)).digest())
}

/** The signature that proves possession, over the proof input. */
export const proofOf = (key: BindingKey, input: Uint8Array): Uint8Array => sign(DIGEST[key.kind], input, key.privateKey)
