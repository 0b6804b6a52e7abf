import { fetchObject, safeUrl, type FetchBounds } from './fetch-object.ts'
import { readObject, type JsonObject } from './json.ts'
import { readKeySet, type KeySet, type PublishedKey } from './key-set.ts'
import { AttestationRefused } from './problems.ts'

/** Where keys come from. One source serves many verifications, and keeps what it has fetched. */
export type KeySource = {
  /** The key of this name; undefined: none is published. Throws `keys-unavailable` or `keys-invalid`. */
  readonly find: (kid: string) => Promise<PublishedKey | undefined>
}

/** How keys are fetched and kept. */
export type KeySourceOptions = {
  readonly fetch?: typeof fetch
  readonly now?: () => Date
  /** For discovery and key set together; default 5,000. */
  readonly timeoutMs?: number
  /** Of one document; default 64 KiB. */
  readonly maxBytes?: number
  /** For how long keys are kept where the answer does not say; default 300. */
  readonly defaultAgeSeconds?: number
  /** The least and the most that an answer can say; default 30 and 3,600. */
  readonly minAgeSeconds?: number
  readonly maxAgeSeconds?: number
  /** For how long keys are used beyond that while no new ones can be fetched; default 3,600. */
  readonly maxStaleSeconds?: number
  /** Between two attempts to fetch, for an unknown key or after a failure; default 30. */
  readonly cooldownSeconds?: number
  /** The same while there are no keys at all; default 2. */
  readonly retrySeconds?: number
}

/** A JWK Set of RSA keys of 4096 bits still holds some seventy in 64 KiB; a rotation is over in an hour, a burst of forged `kid`s costs two fetches a minute. */
const DEFAULTS = {
  timeoutMs: 5000,
  maxBytes: 64 * 1024,
  defaultAgeSeconds: 300,
  minAgeSeconds: 30,
  maxAgeSeconds: 3600,
  maxStaleSeconds: 3600,
  cooldownSeconds: 30,
  retrySeconds: 2,
} as const satisfies KeySourceOptions

/** Keys that somebody else keeps up to date. What is wrong with them is said when the first is looked for. */
export function staticKeys(jwks: object): KeySource {
  let set: Promise<KeySet> | undefined
  // Through text, so that what is not JSON is not let in.
  const read = async (): Promise<KeySet> => readKeySet(readObject(new TextEncoder().encode(JSON.stringify(jwks)), 'keys-invalid'))
  return { find: async (kid) => (await (set ??= read())).get(kid) }
}

/** The keys at an address. Throws `options-invalid` for an address that is not safe. */
export function remoteKeys(jwksUri: string, options: KeySourceOptions = {}): KeySource {
  const url = safeUrl(jwksUri, 'options-invalid')
  return keptKeys((bounds) => fetchObject(url, bounds), options)
}

/** The keys that the discovery document of an issuer points to (OpenID Connect Discovery 1.0 section 4). Throws `options-invalid` for an unsafe issuer. */
export function discoveredKeys(issuer: string, options: KeySourceOptions = {}): KeySource {
  safeUrl(issuer, 'options-invalid')
  const url = safeUrl(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, 'options-invalid')
  return keptKeys(async (bounds) => {
    const { document } = await fetchObject(url, bounds)
    if (document['issuer'] !== issuer)
      throw new AttestationRefused('keys-invalid', { why: 'discovery names another issuer', url: url.href })
    return fetchObject(safeUrl(document['jwks_uri'], 'keys-invalid'), bounds)
  }, options)
}

type Load = (bounds: FetchBounds) => Promise<{ readonly document: JsonObject; readonly maxAge: number | undefined }>
/** Times in milliseconds since 1970. */
type Kept = { readonly keys: KeySet; readonly freshUntil: number; readonly usableUntil: number }

/** Fetches once for all who wait, keeps what it has, and asks again when that is old, or when a name is not in it. */
function keptKeys(load: Load, options: KeySourceOptions): KeySource {
  const given = { fetch: globalThis.fetch, now: () => new Date(), ...DEFAULTS, ...options }
  let kept: Kept | undefined
  let failure: unknown
  let attemptedAt = -Infinity
  let pending: Promise<void> | undefined

  const attempt = async (): Promise<void> => {
    try {
      kept = await loaded(load, given)
      failure = undefined
    } catch (error) {
      failure = error
    } finally {
      pending = undefined
    }
  }
  const refresh = async (): Promise<void> => {
    const now = given.now().getTime()
    const pause = kept === undefined ? given.retrySeconds : given.cooldownSeconds
    if (pending === undefined && now - attemptedAt >= pause * 1000) {
      attemptedAt = now
      pending = attempt()
    }
    await pending
  }
  const usable = (): KeySet | undefined => (kept !== undefined && given.now().getTime() < kept.usableUntil ? kept.keys : undefined)

  return {
    find: async (kid) => {
      if (kept === undefined || given.now().getTime() >= kept.freshUntil) await refresh()
      const found = usable()?.get(kid)
      if (found !== undefined) return found
      await refresh()
      const newly = usable()?.get(kid)
      // Who could not ask does not know that there is no such key.
      if (newly === undefined && failure !== undefined) throw asRefusal(failure)
      return newly
    },
  }
}

type Given = Required<KeySourceOptions>

async function loaded(load: Load, given: Given): Promise<Kept> {
  const { fetch, maxBytes, timeoutMs } = given
  const { document, maxAge = given.defaultAgeSeconds } = await load({ fetch, maxBytes, signal: AbortSignal.timeout(timeoutMs) })
  const keys = await readKeySet(document)
  const seconds = Math.min(Math.max(maxAge, given.minAgeSeconds), given.maxAgeSeconds)
  const freshUntil = given.now().getTime() + seconds * 1000
  return { keys, freshUntil, usableUntil: freshUntil + given.maxStaleSeconds * 1000 }
}

/** Each waiter gets an error of its own, with the one that happened as its cause. */
const asRefusal = (failure: unknown): AttestationRefused =>
  failure instanceof AttestationRefused
    ? new AttestationRefused(failure.code, failure.facts, failure)
    : new AttestationRefused('keys-unavailable', {}, failure)
