import { failed, passed, skipped } from '../../checks.ts'
import type { Judged } from '../../event-log/digests.ts'
import type { Extension } from '../../event-log/replay.ts'
import type { Tcg2Log } from '../../event-log/tcg2.ts'
import type { Check } from '../../verifier.ts'
import type { PcrBank } from '../claims.ts'
import type { TpmRigour } from '../context.ts'
import { claimsOf } from './claims-of.ts'
import type { BootClaims, SecureBootClaims } from './claims.ts'
import { readGrub, type GrubFault, type GrubLog } from './grub.ts'
import { platformIds } from './log.ts'
import { judgeEvent } from './measured.ts'
import type { Replayed } from './replay-pcrs.ts'
import { DIGESTS, GRUB, SECURE_BOOT, SEPARATORS_HOLD } from './rows.ts'
import { readSecureBoot } from './secure-boot.ts'
import { FIRMWARE_PCRS, separatorFault } from './separators.ts'

/** A log that leads to the quote, as far as was asked. */
type Leading = {
  readonly bank: PcrBank
  readonly rigour: TpmRigour
  readonly log: Tcg2Log
  readonly events: ReadonlyMap<number, readonly Extension[]>
  readonly replayed: Replayed
  readonly locality: number
}

/** Reads the events of PCRs that replay (TPM-48 to 50 and 56), and says what they prove. */
export function judgeContents(log: Leading): { readonly checks: readonly Check[]; readonly claims: BootClaims | null } {
  const { bank, rigour, replayed, locality } = log
  const events = new Map(replayed.pcrs.map((pcr) => [pcr, (log.events.get(pcr) ?? []).map((event) => judgeEvent(event, bank))] as const))
  const secureBoot = readIn(events.get(7), (own) => readSecureBoot(own, rigour))
  const grub = readIn(events.get(8), (own) => readGrub(own, { bank, others: rigour.bootloader === 'grub' ? 'strict' : 'untrusted' }))
  const checks = [separatorCheck(events, log), digestCheck(events), secureBootCheck(secureBoot), grubCheck(grub)]
  if (checks.some(({ outcome }) => outcome === 'fail') || typeof secureBoot === 'string' || isFault(grub)) return { checks, claims: null }
  const told = { events, count: log.log.events.length, platformIds: platformIds(log.log), secureBoot, grub }
  return { checks, claims: claimsOf({ bank, replayed, locality, ...told }) }
}

const readIn = <T>(events: readonly Judged[] | undefined, read: (events: readonly Judged[]) => T): T | undefined =>
  events === undefined ? undefined : read(events)

type Events = ReadonlyMap<number, readonly Judged[]>

function separatorCheck(events: Events, { bank, rigour }: Leading): Check {
  const own = FIRMWARE_PCRS.filter((pcr) => events.has(pcr))
  const faults = own.flatMap((pcr) => separatorFault(pcr, events.get(pcr) ?? [], { bank, rigour }) ?? [])
  const fault = faults.find(({ code }) => code === 'tpm-firmware-error-separator') ?? faults[0]
  if (fault !== undefined) return failed({ ...SEPARATORS_HOLD, code: fault.code }, fault.why)
  return own.length === 0 ? skipped(SEPARATORS_HOLD, 'no PCR of the firmware replays') : passed(SEPARATORS_HOLD, `PCR ${own.join(', ')}`)
}

function digestCheck(events: Events): Check {
  const liars = [...events.values()].flatMap((own) => own.filter(({ mismatch }) => mismatch))
  const [first] = liars.toSorted((a, b) => a.number - b.number)
  if (first === undefined) return passed(DIGESTS, 'every digest of such an event is')
  return failed(
    DIGESTS,
    `event ${first.number} (type 0x${first.type.toString(16)}, PCR ${first.register}) has another digest than its data`,
  )
}

function secureBootCheck(read: SecureBootClaims | string | undefined): Check {
  if (read === undefined) return skipped(SECURE_BOOT, 'PCR 7 does not replay, or is not quoted')
  return typeof read === 'string' ? failed(SECURE_BOOT, read) : passed(SECURE_BOOT, `Secure Boot is ${read.enabled ? '' : 'not '}in effect`)
}

const isFault = (read: GrubLog | GrubFault | undefined): read is GrubFault => read !== undefined && 'code' in read

function grubCheck(read: GrubLog | GrubFault | undefined): Check {
  if (read === undefined) return skipped(GRUB, 'PCR 8 does not replay, or is not quoted')
  return isFault(read) ? failed({ ...GRUB, code: read.code }, read.why) : passed(GRUB, `${read.texts.length} texts`)
}
