import { discoveredKeys, remoteKeys, staticKeys, type KeySource } from './key-source.ts'
import { AttestationRefused } from './problems.ts'

/** Where keys come from: at most one of the three. Without any they are discovered from the issuer. */
export type Keys = {
  /** A source of your own making, with limits of its own. */
  readonly keys?: KeySource
  readonly jwksUri?: string
  readonly jwks?: object
}

/** Sources of addresses that options name, never of those that tokens name, so there are few. */
const remote = new Map<string, KeySource>()
const fixed = new WeakMap<object, KeySource>()

/** More than these are not kept: an address in options that changes with every request is a mistake. */
const MOST = 64

/** The source that options name, the same for the same options. Throws `options-invalid`. */
export function keysFor({ keys, jwksUri, jwks, issuer }: Keys & { readonly issuer: string }): KeySource {
  if ([keys, jwksUri, jwks].filter((one) => one !== undefined).length > 1)
    throw new AttestationRefused('options-invalid', { option: 'keys', why: 'one of keys, jwksUri, jwks' })
  if (keys !== undefined) return keys
  if (jwks !== undefined) return kept(fixed, jwks, () => staticKeys(jwks))
  if (remote.size >= MOST) remote.clear()
  if (jwksUri !== undefined) return kept(remote, `keys ${jwksUri}`, () => remoteKeys(jwksUri))
  return kept(remote, `issuer ${issuer}`, () => discoveredKeys(issuer))
}

type Store<K> = { readonly get: (key: K) => KeySource | undefined; readonly set: (key: K, source: KeySource) => unknown }

function kept<K>(store: Store<K>, key: K, make: () => KeySource): KeySource {
  const source = store.get(key) ?? make()
  store.set(key, source)
  return source
}
