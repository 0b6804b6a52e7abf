import type { Telemetry } from '../telemetry/log.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { EMPTY, follows, type Head, openHead, type SeenHead, sealHead } from './head.ts'
import type { HeadMemory } from './head-memory.ts'
import { sameBytes, type Change, type Shelf, startOf } from './shelf.ts'
import type { StoreKeys } from './stores.ts'

/** What a store of operators' documents stands on. */
export type LedgerParts = { readonly shelf: Shelf; readonly memory: HeadMemory; readonly keys: StoreKeys; readonly log: Telemetry }

/** The head was changed, removed or put back by somebody else. */
export class RefusedHead extends AttestationError {}

/** The head of a shelf, never an older one than this process has seen. */
export type WatchedHead = {
  /** The same object as long as the head is the same. Rejects with `not-ready`, after an alarm, when it was changed, removed or put back. */
  readonly current: () => Promise<SeenHead>
  /** As {@link WatchedHead.current}, but reads the head only when it seems to have changed. */
  readonly glance: () => Promise<SeenHead>
  /** Replaces `held` by `next` together with the records; false when the head was another by then. */
  readonly commit: (held: SeenHead, next: Head, records: Omit<Change, 'head'>) => Promise<boolean>
}

const REFUSALS = {
  'operators-head-forged': 'the head of operators’ documents was changed by somebody else: none of them counts',
  'operators-head-rolled-back': 'the head of operators’ documents is older than one seen before, or lacks documents: none of them counts',
} as const
type Alarm = keyof typeof REFUSALS

/** Refuses with one alarm for one finding: the head is asked for every second by every process. */
function refusal(log: Telemetry) {
  let raised: string | undefined
  return {
    refuse: (alarm: Alarm, bytes: Uint8Array | undefined): never => {
      const finding = `${alarm} ${startOf(bytes)}`
      if (raised !== finding) log.error({ alarm }, REFUSALS[alarm])
      raised = finding
      throw new RefusedHead('not-ready', REFUSALS[alarm], { retryAfter: 30 })
    },
    calm: (): void => {
      raised = undefined
    },
  }
}

/** Watches one head. */
export function watchHead({ shelf, memory, keys, log }: LedgerParts): WatchedHead {
  const { refuse, calm } = refusal(log)
  const current = async (): Promise<SeenHead> => {
    // What was the highest before the read began: a head that others raise meanwhile may overtake it.
    const known = memory.highest()
    const bytes = await shelf.head()
    if (known === 'forged') return refuse('operators-head-forged', bytes)
    if (sameBytes(bytes, known.bytes)) return accepted(known)
    const found = bytes === undefined ? EMPTY : openHead(keys, bytes)
    if (found === 'forged') return refuse('operators-head-forged', bytes)
    if (!follows(found.head, known.head)) return refuse('operators-head-rolled-back', bytes)
    return accepted(found)
  }
  const accepted = async (seen: SeenHead): Promise<SeenHead> => {
    calm()
    await memory.raise(seen).catch(failed('the head of operators’ documents cannot be remembered'))
    const highest = memory.highest()
    return highest !== 'forged' && sameBytes(highest.bytes, seen.bytes) ? highest : seen
  }
  const glance = async (): Promise<SeenHead> => {
    const known = memory.highest()
    const start = await shelf.headStart()
    return known !== 'forged' && start === startOf(known.bytes) ? known : current()
  }
  const commit: WatchedHead['commit'] = async (held, next, records) => {
    const bytes = sealHead(keys, next)
    const written = await shelf
      .commit(held.bytes, { ...records, head: bytes })
      .catch(failed('the store of operators’ documents cannot be written'))
    if (!written) return false
    // Written is written: what cannot be remembered on disk now is tried again at the next read, which then fails.
    await memory.raise({ bytes, head: next }).catch((error: unknown) => {
      log.error({ alarm: 'operators-head-not-remembered', err: error }, 'the head of operators’ documents could not be remembered')
    })
    return true
  }
  return { current, glance, commit }
}

/** Whatever the reason, for example a full disk: a change is there as a whole or not at all, and an operator must look. */
const failed =
  (what: string) =>
  (cause: unknown): never => {
    if (cause instanceof AttestationError) throw cause
    throw new AttestationError('not-ready', what, { retryAfter: 30, cause })
  }
