import { AttestationError } from '../verifiers/problems.ts'
import type { Limits } from './services.ts'

/** What one process has under way, so that it stays bounded (design section 7: bounded everywhere; when full, 503). */
export type Work = {
  /** Runs one appraisal or inspection, or throws `overloaded` at once when as many as allowed are under way. */
  readonly run: <T>(task: () => Promise<T>) => Promise<T>
  /** Accounts for request bytes that are held in memory; throws `overloaded` beyond the budget. Returns what gives them back. */
  readonly hold: (bytes: number) => () => void
}

/** Bodies that may be held at once, in multiples of the largest: most are a hundred times smaller. */
const HELD_BODIES = 32
/** A second is longer than any appraisal waits for the processor. */
const RETRY_AFTER_SECONDS = 1

/** The counters of one process. */
export function createWork(limits: Pick<Limits, 'bodyBytes' | 'inFlight'>): Work {
  const budget = limits.bodyBytes * HELD_BODIES
  let running = 0
  let held = 0
  return {
    async run(task) {
      if (running >= limits.inFlight) throw overloaded('as many appraisals as allowed are under way')
      running += 1
      try {
        return await task()
      } finally {
        running -= 1
      }
    },
    hold(bytes) {
      if (held + bytes > budget) throw overloaded('as many request bytes as allowed are held')
      held += bytes
      return () => {
        held -= bytes
      }
    },
  }
}

const overloaded = (why: string) => new AttestationError('overloaded', why, { retryAfter: RETRY_AFTER_SECONDS })
