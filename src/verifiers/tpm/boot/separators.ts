import { digestOf, type Judged } from '../../event-log/digests.ts'
import { EVENT } from '../../event-log/event-types.ts'
import { applications, SEPARATORS } from '../../event-log/facts.ts'
import type { PcrBank } from '../claims.ts'
import type { TpmRigour } from '../context.ts'

/** What is wrong with the separators of one PCR. */
export type SeparatorFault = { readonly code: 'tpm-eventlog-separator-invalid' | 'tpm-firmware-error-separator'; readonly why: string }

/** PCRs that the firmware's trusted part ends with a separator in (specification tpm.md section 9.5, P2). */
export const FIRMWARE_PCRS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7]
/** PCRs in which nothing else has the digest of a separator, so that a hidden one is found (P1). */
const NOTHING_ALIKE: readonly number[] = [4, 5, 7]
/** PCRs in which all bits set is no separator. */
const ZEROS_ALONE: readonly number[] = [2, 7]

const [ZEROS, ONES, ERROR] = SEPARATORS.map((data) => Buffer.from(data))
const same = (a: Uint8Array, b: Uint8Array | undefined): boolean => b !== undefined && Buffer.compare(a, b) === 0

/** Digests that separators have, each by itself. */
const separatorDigests = (bank: PcrBank): readonly Buffer[] => SEPARATORS.map((data) => digestOf(data, bank))

/** Whether an event has the digest of a separator, whatever the log calls it. */
const isSeparator = (event: Pick<Judged, 'digest'>, digests: readonly Buffer[]): boolean =>
  digests.some((digest) => same(digest, event.digest))

/** Events before the first that has a separator's digest: what comes behind is of less trusted code (P3). All, where there is none. */
export function beforeSeparator(events: readonly Judged[], bank: PcrBank): readonly Judged[] {
  const digests = separatorDigests(bank)
  const end = events.findIndex((event) => isSeparator(event, digests))
  return end === -1 ? events : events.slice(0, end)
}

/** What is wrong with the separators of a PCR of the firmware; undefined where they are as they must be. */
export function separatorFault(
  pcr: number,
  events: readonly Judged[],
  how: { readonly bank: PcrBank; readonly rigour: TpmRigour },
): SeparatorFault | undefined {
  const labelled = events.filter(({ type }) => type === EVENT.separator)
  const wrong = labelled.map((event) => dataFault(pcr, event)).find((fault) => fault !== undefined)
  if (wrong !== undefined) return wrong
  const digests = separatorDigests(how.bank)
  const hidden = NOTHING_ALIKE.includes(pcr)
    ? events.find((event) => event.type !== EVENT.separator && isSeparator(event, digests))
    : undefined
  if (hidden !== undefined) return invalid(`event ${hidden.number} of PCR ${pcr} has the digest of a separator and is called otherwise`)
  if (labelled.length !== 1) return invalid(`PCR ${pcr} has ${labelled.length} separators`)
  return pcr === 4 ? earlyApplication(events, how) : undefined
}

const invalid = (why: string): SeparatorFault => ({ code: 'tpm-eventlog-separator-invalid', why })

function dataFault(pcr: number, { number, data, measured }: Judged): SeparatorFault | undefined {
  const what = `event ${number} of PCR ${pcr}`
  if (data === undefined || measured === undefined) return invalid(`${what} is called a separator and has another digest than its data`)
  if (same(data, ERROR)) return { code: 'tpm-firmware-error-separator', why: `${what} tells of an error of the firmware` }
  if (same(data, ZEROS) || (same(data, ONES) && !ZEROS_ALONE.includes(pcr))) return undefined
  return invalid(`${what} is called a separator and is none of that PCR`)
}

const CALLING = Buffer.from('Calling EFI Application from Boot Option')

/** An application before the firmware says that it calls one was not chosen by a boot option (P10). Behind the separator that is as firmware does. */
function earlyApplication(
  events: readonly Judged[],
  { bank, rigour }: { readonly bank: PcrBank; readonly rigour: TpmRigour },
): SeparatorFault | undefined {
  if (rigour.efiAppBeforeCallingEvent === 'allow') return undefined
  const calling = digestOf(CALLING, bank)
  const before = beforeSeparator(events, bank)
  const called = before.findIndex(({ digest }) => same(digest, calling))
  const [early] = applications(before.slice(0, called === -1 ? undefined : called), bank)
  return early === undefined ? undefined : invalid(`PCR 4 holds ${early} before the firmware called an application`)
}
