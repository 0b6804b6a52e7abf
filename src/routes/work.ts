import { AttestationError } from '../verifiers/problems.ts'
import type { Limits } from './services.ts'

/** What one process has under way, so that it stays bounded (design section 7: bounded everywhere; when full, 503). */
export type Work = {
  /** Runs one appraisal or inspection, or throws `overloaded` at once when as many as allowed are under way. */
  readonly run: <T>(task: () => Promise<T>) => Promise<T>
  /** The same for requests that are judged while they arrive; they have a quarter as many places of their own, which slow senders cannot take from others. */
  readonly runStreamed: <T>(task: () => Promise<T>) => Promise<T>
  /** Accounts for request bytes that are held in memory; throws `overloaded` beyond the budget. Returns what gives them back. */
  readonly hold: (bytes: number) => () => void
}

/** Bodies that may be held at once, in multiples of the largest: most are a hundred times smaller. */
const HELD_BODIES = 32
/** One place for those that stream, of so many. */
const STREAMED = 4
/** A second is longer than any appraisal waits for the processor. */
const RETRY_AFTER_SECONDS = 1

/** The counters of one process. */
export function createWork(limits: Pick<Limits, 'bodyBytes' | 'inFlight'>): Work {
  const budget = limits.bodyBytes * HELD_BODIES
  let held = 0
  return {
    run: bounded(limits.inFlight),
    runStreamed: bounded(Math.ceil(limits.inFlight / STREAMED)),
    hold(bytes) {
      if (held + bytes > budget) throw overloaded('as many request bytes as allowed are held')
      held += bytes
      return () => {
        held -= bytes
      }
    },
  }
}

/** Runs so many tasks at once and refuses the rest. */
function bounded(most: number): Work['run'] {
  let running = 0
  return async (task) => {
    if (running >= most) throw overloaded('as many appraisals as allowed are under way')
    running += 1
    try {
      return await task()
    } finally {
      running -= 1
    }
  }
}

const overloaded = (why: string) => new AttestationError('overloaded', why, { retryAfter: RETRY_AFTER_SECONDS })
