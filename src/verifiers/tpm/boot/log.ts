import { EV_NO_ACTION, type LogRules, type Tcg2Log } from '../../event-log/tcg2.ts'
import { extensions, type Bank, type Extension } from '../../event-log/replay.ts'
import type { PcrBank } from '../claims.ts'

/** Bounds of a host's log (specification tpm.md section 9.1). */
export const HOST_LOG: LogRules = {
  code: 'tpm-eventlog-malformed',
  bytes: 8 * 1024 * 1024,
  events: 16_384,
  maxIndex: 23,
  legacy: 'sha1',
}

/** Banks of PCRs by their TPM_ALG_ID (section 1). */
const ALGORITHM: Readonly<Record<PcrBank, number>> = { sha1: 0x0004, sha256: 0x000b, sha384: 0x000c, sha512: 0x000d }

/** Bytes of one PCR. */
export const PCR_BYTES: Readonly<Record<PcrBank, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 }

/** The bank as the replay wants it; an index behind the last PCR extends nothing (section 9.1, trust points of Windows). */
export const bankOf = (bank: PcrBank): Bank => ({
  algorithm: ALGORITHM[bank],
  hash: bank,
  registerOf: (index) => (index > HOST_LOG.maxIndex ? undefined : index),
})

/** What extends each PCR, in the order of the log. */
export function byPcr(log: Tcg2Log, bank: PcrBank): ReadonlyMap<number, readonly Extension[]> {
  const groups = new Map<number, Extension[]>()
  for (const event of extensions(log, bankOf(bank))) {
    const group = groups.get(event.register)
    if (group === undefined) groups.set(event.register, [event])
    else group.push(event)
  }
  return groups
}

const LOCALITY = Buffer.from('StartupLocality\0')
/** Only a TPM2_Startup from these localities tells itself so; 4 stands for an H-CRTM. */
const LOCALITIES = [0, 3, 4]

/** The locality of TPM2_Startup, 0 where nothing tells of another; or why the record of it cannot be believed (section 9.4). */
export function startupLocality(log: Tcg2Log): number | string {
  const records = log.events.filter(({ type, data }) => type === EV_NO_ACTION && startsWith(data, LOCALITY))
  const [record] = records
  if (record === undefined) return 0
  if (records.length > 1) return `${records.length} records of it`
  if (record.index !== 0) return `event ${record.number} is not of PCR 0`
  const first = log.events.find(({ index, type }) => index === 0 && type !== EV_NO_ACTION)
  if (first !== undefined && first.number < record.number) return `event ${record.number} is behind event ${first.number}`
  return LOCALITIES.find((locality) => isLocality(record.data, locality)) ?? `event ${record.number} tells of no locality`
}

const isLocality = (data: Uint8Array, locality: number): boolean => Buffer.compare(data, Uint8Array.of(...LOCALITY, locality)) === 0

/** Identifications of platforms that nothing measures (SP800-155): signature and the bytes of their GUID; a few, and never to be relied on. */
export const platformIds = (log: Tcg2Log): readonly string[] =>
  log.events
    .filter(({ type, data }) => type === EV_NO_ACTION && startsWith(data, PLATFORM_ID))
    .slice(0, MAX_PLATFORM_IDS)
    .map(({ data }) => {
      const bytes = Buffer.from(data.subarray(0, PLATFORM_ID_BYTES))
      return `${bytes.toString('latin1', 0, 16).replaceAll(/[^\x20-\x7e]/g, '')} ${bytes.toString('hex', 20)}`
    })

const PLATFORM_ID = Buffer.from('SP800-155 Event')
const MAX_PLATFORM_IDS = 16
/** Signature (16), vendor (4), GUID (16). */
const PLATFORM_ID_BYTES = 36

const startsWith = (data: Uint8Array, prefix: Uint8Array): boolean => Buffer.compare(data.subarray(0, prefix.length), prefix) === 0
