import { LRUCache } from 'lru-cache'
import type { StoredDocument } from '../stores/stores.ts'
import type { CollateralAddress } from '../verifiers/verifier.ts'
import { keepingOf } from './address.ts'
import { reason, type Answer, type Deps } from './deps.ts'
import type { PayingCaller } from './dated.ts'
import type { Fetched } from './source.ts'

/** Certificates held in memory, about 1.5 kB each. */
const MOST_HELD = 10_000
/** Milliseconds for which an address whose fetched certificate did not prove genuine is not asked for again. */
const UNUSABLE = 60_000

/** Certificates by address: what never changes. */
export type Certificates = {
  /** A certificate that needs neither store nor vendor. */
  readonly inMemory: (address: CollateralAddress) => Answer | undefined
  readonly obtain: (address: CollateralAddress, payer: PayingCaller) => Promise<Answer>
  readonly remember: (offers: ReadonlyMap<CollateralAddress, Uint8Array>) => Promise<void>
}

type State = {
  readonly held: LRUCache<CollateralAddress, StoredDocument>
  readonly unusable: LRUCache<CollateralAddress, true>
  /** Proofs under way: concurrent requests for one address need one. */
  readonly proving: Map<CollateralAddress, Promise<StoredDocument>>
}

/** Certificates from memory, the store or the vendor, in this order. */
export function createCertificates(deps: Deps): Certificates {
  const state: State = {
    held: new LRUCache({ max: MOST_HELD }),
    unusable: new LRUCache({ max: MOST_HELD, ttl: UNUSABLE }),
    proving: new Map(),
  }
  const inMemory = (address: CollateralAddress): StoredDocument | undefined => {
    const document = state.held.get(address)
    return document !== undefined && document.expiresAt > deps.now() ? document : undefined
  }
  return {
    inMemory,
    obtain: async (address, payer) => {
      const kept = inMemory(address) ?? (await readBack(deps, state, address))
      if (kept !== undefined && kept.expiresAt > deps.now()) return kept
      const fresh = await fetchNow(deps, state, { address, payer })
      // An expired certificate says why it is refused; nothing at all only says to come back.
      return 'missing' in fresh ? (kept ?? state.held.get(address) ?? fresh) : fresh
    },
    remember: async (offers) => {
      const fresh = [...offers].filter(([address]) => keepingOf(address)?.life === 'immutable' && inMemory(address) === undefined)
      await Promise.all(fresh.map(([address, bytes]) => rememberOne(deps, state, { address, bytes })))
    },
  }
}

/** Reads a kept certificate and proves it anew, for the time of its fetch: whether it is still valid is the verifier's question. */
async function readBack(deps: Deps, state: State, address: CollateralAddress): Promise<StoredDocument | undefined> {
  try {
    const kept = await deps.store.get(address)
    if (kept === undefined) return undefined
    const { expiresAt } = await deps.admit({ address, bytes: kept.bytes }, deps.anchors, kept.fetchedAt)
    const document = { ...kept, expiresAt }
    state.held.set(address, document)
    return document
  } catch (error) {
    deps.log.warn({ address, cause: reason(error) }, 'a kept certificate cannot be used')
    return undefined
  }
}

async function fetchNow(
  deps: Deps,
  state: State,
  { address, payer }: { address: CollateralAddress; payer: PayingCaller },
): Promise<Answer> {
  const wait = Math.ceil(state.unusable.getRemainingTTL(address) / 1000)
  if (wait > 0) return { missing: 'unavailable', retryAfter: wait }
  if (!(await payer.pay())) return { missing: 'unavailable' }
  const answer = await deps.vendor.fetch({ address, caller: payer.caller, prefix: payer.prefix }).catch(failed)
  if (answer.outcome !== 'found') return missing(answer)
  try {
    return await proved(deps, state, { address, bytes: answer.bytes })
  } catch (error) {
    state.unusable.set(address, true)
    deps.log.warn({ address, cause: reason(error) }, 'the vendor answered with something else than the certificate')
    return { missing: 'unavailable', retryAfter: UNUSABLE / 1000 }
  }
}

const failed = (error: unknown): Fetched => ({ outcome: 'unavailable', reason: reason(error) })

const missing = (answer: Exclude<Fetched, { outcome: 'found' }>): Answer =>
  answer.outcome === 'unavailable' && answer.retryAfter !== undefined
    ? { missing: 'unavailable', retryAfter: answer.retryAfter }
    : { missing: answer.outcome }

/** Proves bytes for an address, then keeps them in memory and in the store. Throws AttestationError when they are not genuine. */
async function proved(deps: Deps, state: State, document: { address: CollateralAddress; bytes: Uint8Array }): Promise<StoredDocument> {
  const underWay = state.proving.get(document.address)
  if (underWay !== undefined) return underWay
  const proof = prove(deps, state, document).finally(() => state.proving.delete(document.address))
  state.proving.set(document.address, proof)
  return proof
}

async function prove(deps: Deps, state: State, document: { address: CollateralAddress; bytes: Uint8Array }): Promise<StoredDocument> {
  const now = deps.now()
  const { expiresAt } = await deps.admit(document, deps.anchors, now)
  const kept = { address: document.address, bytes: document.bytes.slice(), fetchedAt: now, expiresAt }
  state.held.set(document.address, kept)
  await keep(deps, kept)
  return kept
}

/** A store that cannot be used costs a later fetch, never this answer. A certificate that ends earlier than the kept one is not stored. */
async function keep({ store, log }: Deps, document: StoredDocument): Promise<void> {
  try {
    const before = await store.get(document.address)
    if (before === undefined || before.expiresAt <= document.expiresAt) await store.put(document)
  } catch (error) {
    log.error({ address: document.address, cause: reason(error) }, 'a certificate could not be kept')
  }
}

async function rememberOne(deps: Deps, state: State, document: { address: CollateralAddress; bytes: Uint8Array }): Promise<void> {
  try {
    await proved(deps, state, document)
  } catch (error) {
    deps.log.warn({ address: document.address, cause: reason(error) }, 'a certificate from evidence was not kept')
  }
}
