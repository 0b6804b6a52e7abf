import type { Judged } from '../../event-log/digests.ts'
import { applications } from '../../event-log/facts.ts'
import type { PcrBank } from '../claims.ts'
import type { BootClaims, SecureBootClaims } from './claims.ts'
import { firmwareFacts, NO_FIRMWARE } from './firmware.ts'
import { commandLineOf, commandsOf, type GrubLog } from './grub.ts'
import { kernelFacts } from './linux-stub.ts'
import { isDigest } from './measured.ts'
import { mokOf } from './mok.ts'
import { NO_UKI, ukiFacts } from './pcr11.ts'
import { INVOCATION, type Replayed } from './replay-pcrs.ts'

/** A log whose checks all passed. `events`: of PCRs that replay alone. */
export type ProvenLog = {
  readonly bank: PcrBank
  readonly replayed: Replayed
  readonly events: ReadonlyMap<number, readonly Judged[]>
  readonly count: number
  readonly locality: number
  readonly platformIds: readonly string[]
  /** undefined where PCR 7 or PCR 8 does not replay. */
  readonly secureBoot: SecureBootClaims | undefined
  readonly grub: GrubLog | undefined
}

/** What the log proves (specification tpm.md sections 10 and 11). */
export function claimsOf(log: ProvenLog): BootClaims {
  const { bank, replayed } = log
  const of = <T>(pcr: number, read: (events: readonly Judged[]) => T): T | undefined => {
    const events = log.events.get(pcr)
    return events === undefined ? undefined : read(events)
  }
  return {
    bank,
    events: log.count,
    replayed: replayed.pcrs,
    startup_locality: log.locality,
    exit_boot_services_added: replayed.added.length > 0,
    exit_boot_services: replayed.added.length > 0 || of(5, (events) => handsOver(events, bank)) === true,
    secure_boot: log.secureBoot ?? null,
    boot_applications: of(4, (events) => applications(events, bank)) ?? null,
    ...(of(0, (events) => firmwareFacts(events, bank)) ?? NO_FIRMWARE),
    ...loaderFacts(log),
    ...(of(11, (events) => ukiFacts(events, replayed.phases, bank)) ?? NO_UKI),
    mok: of(14, mokOf) ?? null,
    untrusted: { platform_ids: log.platformIds },
  }
}

type LoaderFacts = Pick<BootClaims, 'grub_commands' | 'grub_files' | 'kernel_cmdline' | 'kernel_cmdline_source' | 'initrds'>

function loaderFacts({ bank, grub, events }: ProvenLog): LoaderFacts {
  const [pcr9, pcr12] = [events.get(9), events.get(12)]
  if (grub === undefined) return { grub_commands: null, ...kernelFacts({ bank, grub: null, pcr9, pcr12 }) }
  return { grub_commands: commandsOf(grub), ...kernelFacts({ bank, grub: commandLineOf(grub), pcr9, pcr12 }) }
}

const HANDOVER = [INVOCATION, `${INVOCATION}\0`].map((text) => Buffer.from(text))
const handsOver = (events: readonly Judged[], bank: PcrBank): boolean =>
  events.some((event) => HANDOVER.some((text) => isDigest(text, event, bank)))
