import type { PcrBank } from '../claims.ts'
import type { ImaState, QuoteClock } from '../context.ts'

/** The longest that the list may be continued without being seen whole again, in milliseconds. */
const LONGEST_MS = 24 * 60 * 60 * 1000

/** What a state must agree with. */
type Continued = {
  readonly state: ImaState
  readonly akName: string | null
  readonly bank: PcrBank
  readonly clock: QuoteClock
  readonly now: Date
}

/** Whether a state is of this key, bank and boot, and not older than a day (TPM-69); `regressed`: the quote is older than the state. */
export function continuityOf({ state, akName, bank, clock, now }: Continued): 'holds' | 'stale' | 'regressed' {
  const age = now.getTime() - state.wholeListAt.getTime()
  const isSameBoot = state.clock.resetCount === clock.resetCount && state.clock.restartCount === clock.restartCount
  const isSame = state.akName === akName && state.bank === bank && isSameBoot
  // Written so that a date that is none is refused.
  if (!isSame || !(age >= 0 && age < LONGEST_MS)) return 'stale'
  return clock.clock < state.clock.clock ? 'regressed' : 'holds'
}
