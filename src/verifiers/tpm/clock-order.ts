import type { QuoteClock } from './context.ts'

/** Counters of keys outside the endorsement hierarchy are shifted by a secret of the key, so only differences modulo 2^32 mean anything. */
const isLower = (next: number, previous: number): boolean => (next - previous) >>> 0 >= 0x8000_0000

/**
 * What went back between two quotes of one attestation key (specification tpm.md section 5); undefined where the second may follow the first.
 * A reset frees the restart count, and the clock may then be a little lower than before an unclean stop.
 */
export function regressionOf(previous: QuoteClock, next: QuoteClock): 'resetCount' | 'restartCount' | 'clock' | undefined {
  if (isLower(next.resetCount, previous.resetCount)) return 'resetCount'
  if (next.resetCount !== previous.resetCount) return undefined
  if (isLower(next.restartCount, previous.restartCount)) return 'restartCount'
  return next.clock < previous.clock ? 'clock' : undefined
}
