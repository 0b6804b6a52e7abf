import type { CollateralService } from '../collateral/service.ts'
import { tpmAlarms } from '../collateral/tpm-authorities.ts'
import type { Policies } from '../policies/policies.ts'
import type { Readiness } from '../routes/services.ts'
import type { Stores } from '../stores/stores.ts'
import type { Telemetry } from '../telemetry/log.ts'
import { amdLists, INTEL_STANDING } from '../collateral/address.ts'
import type { KeyRing } from '../tokens/key-ring.ts'
import type { Anchors } from '../verifiers/verifier.ts'

/** Readiness that main can turn off, and the newest date that a vendor has signed as far as the marks tell. */
export type SettableReadiness = Readiness & {
  readonly startDraining: () => void
  readonly newestSignedDate: () => Date | undefined
  /** Reads the marks once; afterwards they are read again every minute until `stop`. */
  readonly start: () => Promise<void>
  readonly stop: () => void
}

/** What readiness looks at. */
export type ReadinessParts = {
  readonly stores: Stores
  readonly collateral: CollateralService
  readonly policies: Pick<Policies, 'problems' | 'alarms'>
  readonly tokenKeys: Pick<KeyRing, 'problems'>
  readonly anchors: Pick<Anchors, 'tpm'>
  readonly now: () => Date
  readonly log: Telemetry
}

/** How far the clock may be from the store’s (design section 3, Challenge). */
const CLOCK_TOLERANCE_MS = 30_000
/** Marks move when a document is fetched: a few times a day. */
const MARKS_EVERY_MS = 60_000

/** Documents whose marks tell how late it is: every vendor dates some of them anew every few weeks. */
const DATED = [...amdLists(), ...INTEL_STANDING]

/** Whether one process can decide: its store, its clock, its collateral (design section 3, /readyz). */
export function createReadiness(parts: ReadinessParts): SettableReadiness {
  const { stores, collateral, policies, tokenKeys, anchors, now } = parts
  let draining = false
  let newest: Date | undefined
  const readMarks = async () => {
    const marks = await Promise.all(DATED.map((address) => stores.collateral.mark(address)))
    const dates = marks.flatMap((mark) => (mark === undefined || mark === 'strictest' ? [] : [mark.thisUpdate.getTime()]))
    newest = dates.length === 0 ? undefined : new Date(Math.max(...dates))
  }
  const timer = setInterval(() => void readMarks().catch(() => undefined), MARKS_EVERY_MS).unref()
  const behind = () => (newest !== undefined && now() < newest ? ['the clock is behind a date that a vendor signed'] : [])
  return {
    draining: () => draining,
    startDraining: () => void (draining = true),
    newestSignedDate: () => newest,
    start: readMarks,
    stop: () => clearInterval(timer),
    problems: async () => [
      ...(await storeProblems(parts)),
      ...behind(),
      ...tokenKeys.problems(),
      ...policies.problems(),
      ...(await collateral.problems()),
    ],
    alarms: () => [...policies.alarms(), ...tpmAlarms(anchors.tpm, now())],
  }
}

async function storeProblems({ stores, log }: ReadinessParts): Promise<readonly string[]> {
  try {
    await stores.ping()
    const offset = await stores.challenges.clockOffset()
    // Written so that an offset that is not a number is a problem, too.
    return Math.abs(offset) <= CLOCK_TOLERANCE_MS ? [] : ['the clock is too far from the store’s']
  } catch (error) {
    // What the store says may name its address, and strangers read this.
    log.error({ err: error }, 'the store cannot be used')
    return ['the store cannot be used']
  }
}
