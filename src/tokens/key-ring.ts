import type { TokenAlgorithm } from '../access/audiences.ts'
import { AttestationError } from '../verifiers/problems.ts'
import type { Telemetry } from '../telemetry/log.ts'
import { followTokenKeys, type FollowedKeys } from './key-files.ts'
import type { TokenKeyFile } from './keys.ts'
import { isShown, maySign, type KeyTimes, type PublishedKey } from './published-key.ts'
import type { Listed, PublishedKeys } from './published-keys.ts'
import type { TokenKey } from './sign.ts'

/** The keys that a service signs with, and those by which relying parties know its tokens. */
export type TokenKeys = {
  /** The key for a token that ends then. Throws `not-ready` while there is none whose public half relying parties can find until that time. */
  readonly signing: (alg: TokenAlgorithm, tokenEnds: Date) => TokenKey
  /** Every key that is in the key set now, of all replicas; empty while that is not known. */
  readonly shown: () => readonly PublishedKey[]
  /** Whether the key set may be kept by a cache: not by one that was filled while others may have published a key unheard. */
  readonly areCurrent: () => boolean
  readonly algorithms: readonly TokenAlgorithm[]
}

/** The keys of one process, as its files and the store have them. */
export type KeyRing = TokenKeys & {
  /** Reads what has changed. What cannot be read is logged, and what was known before counts. */
  readonly look: () => Promise<void>
  /** Private keys: those in files, behind those that were and still sign. */
  readonly held: () => readonly TokenKey[]
  /** Private keys in files alone. */
  readonly filed: () => readonly TokenKey[]
  readonly listed: () => Listed
  /** What the owner of the store has just written, so that it counts at once. */
  readonly took: (listed: Listed) => void
  /** Why tokens cannot be signed, for readiness. */
  readonly problems: () => readonly string[]
}

/** What a ring is made of. */
export type RingParts = {
  readonly files: readonly TokenKeyFile[]
  readonly published: PublishedKeys
  /** Keys that count no more, by their kid. */
  readonly denied: ReadonlySet<string>
  readonly times: KeyTimes
  readonly now: () => Date
  readonly log: Telemetry
}

/** When a key may be at hand, where nobody can say better. */
const RETRY_SECONDS = 5

const NOTHING: Listed = { counter: 0, keys: [] }

/** Reads the files once, and nothing else yet. Throws as `followTokenKeys` does. */
export async function createKeyRing(parts: RingParts): Promise<KeyRing> {
  const { files, times, log } = parts
  const followed = await followTokenKeys(files)
  const known = { held: followed.keys(), listed: NOTHING, rows: new Map<string, PublishedKey>(), revision: '', seen: -Infinity }
  const say = onceEach(log)
  const now = (): number => parts.now().getTime()
  const algorithms = [...new Set(files.map(({ alg }) => alg))]
  return {
    signing: (alg, tokenEnds) => keyFor(alg, known, { now: now(), ends: tokenEnds.getTime() }) ?? noKey(waitOf(alg, known, now())),
    shown: () => [...known.rows.values()].filter((row) => isShown(row, now())),
    areCurrent: () => now() - known.seen < times.aheadMs / 2,
    algorithms,
    look: async () => {
      await say('the token keys cannot be read; those that were read before count', () => lookAtFiles(followed, known, now()))
      await say('the list of public token keys cannot be read', () => lookAtStore(parts, known))
    },
    held: () => known.held,
    filed: followed.keys,
    listed: () => known.listed,
    took: (listed) => take(listed, parts, known),
    problems: () =>
      algorithms.flatMap((alg) => (keyFor(alg, known, { now: now(), ends: now() }) === undefined ? [waitOf(alg, known, now()).text] : [])),
  }
}

/** What a ring knows. */
type Known = {
  held: readonly TokenKey[]
  listed: Listed
  /** What counts of it. */
  rows: ReadonlyMap<string, PublishedKey>
  revision: string
  /** When the store was last heard of. */
  seen: number
}

const keyFor = (alg: TokenAlgorithm, { held, rows }: Known, { now, ends }: { now: number; ends: number }): TokenKey | undefined =>
  held.findLast(({ kid, alg: of }) => {
    const row = of === alg ? rows.get(kid) : undefined
    return row !== undefined && maySign(row, now, ends)
  })

/** A key that is in no file any more is kept until one that took its place signs. */
async function lookAtFiles(followed: FollowedKeys, known: Known, now: number): Promise<void> {
  await followed.look()
  const filed = followed.keys()
  const isReplaced = (key: TokenKey): boolean =>
    filed.some(({ alg, kid }) => alg === key.alg && (known.rows.get(kid)?.signsFrom ?? Infinity) <= now)
  known.held = [...known.held.filter((key) => !filed.includes(key) && !isReplaced(key)), ...filed]
}

async function lookAtStore(parts: RingParts, known: Known): Promise<void> {
  const revision = await parts.published.revision()
  if (revision === undefined) take(NOTHING, parts, known)
  else if (revision !== known.revision) take(await parts.published.read(), parts, known)
  known.revision = revision ?? ''
  known.seen = parts.now().getTime()
}

function take(listed: Listed, { denied }: RingParts, known: Known): void {
  known.listed = listed
  known.rows = new Map(listed.keys.filter(({ kid }) => !denied.has(kid)).map((row) => [row.kid, row]))
}

type Wait = { readonly text: string; readonly seconds: number }

/** A key that relying parties may not have heard of yet is waited for; one that is not published, for the store. */
function waitOf(alg: TokenAlgorithm, { held, rows }: Known, now: number): Wait {
  const starts = held.flatMap(({ kid, alg: of }) => (of === alg ? [rows.get(kid)?.signsFrom ?? Infinity] : [])).filter((at) => at > now)
  const soonest = Math.min(...starts)
  if (!Number.isFinite(soonest)) return { text: `no ${alg} token key is published now`, seconds: RETRY_SECONDS }
  const text = `the ${alg} token key signs from ${new Date(soonest).toISOString()}, when no relying party has a key set without it`
  return { text, seconds: Math.max(1, Math.ceil((soonest - now) / 1000)) }
}

function noKey({ text, seconds }: Wait): never {
  throw new AttestationError('not-ready', text, { retryAfter: seconds })
}

/** Logs a failure once until it is another, or over. */
export function onceEach(log: Telemetry): (what: string, action: () => Promise<void>) => Promise<void> {
  const said = new Map<string, string>()
  return async (what, action) => {
    try {
      await action()
      said.delete(what)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      if (said.get(what) !== why) log.error({ err: error }, what)
      said.set(what, why)
    }
  }
}

/** Looks until `stop`. */
export function lookingEvery(ms: number, look: () => Promise<void>): () => void {
  let busy = false
  const timer = setInterval(() => {
    if (busy) return
    busy = true
    void look().finally(() => {
      busy = false
    })
  }, ms).unref()
  return () => clearInterval(timer)
}

/** Keys that never change and are known to everybody: for tests and measurements. */
export function fixedTokenKeys(keys: readonly TokenKey[]): TokenKeys {
  const shown = keys.map(({ kid, alg, publicJwk: jwk }) => ({ kid, alg, jwk, signsFrom: 0, shownUntil: Infinity, superseded: false }))
  return {
    signing: (wanted) => keys.find(({ alg }) => alg === wanted) ?? noKey({ text: `there is no key for ${wanted}`, seconds: RETRY_SECONDS }),
    shown: () => shown,
    areCurrent: () => true,
    algorithms: keys.map(({ alg }) => alg),
  }
}
