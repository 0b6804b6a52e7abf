import type { Judged } from '../../event-log/digests.ts'
import type { PcrBank } from '../claims.ts'
import type { BootClaims } from './claims.ts'
import { HOST_EVENT } from './measured.ts'
import { beforeSeparator } from './separators.ts'

type FirmwareFacts = Pick<BootClaims, 'scrtm_version' | 'firmware_blobs' | 'gce_technology'>

/** Nothing is known of the firmware. */
export const NO_FIRMWARE: FirmwareFacts = { scrtm_version: null, firmware_blobs: null, gce_technology: null }

/** Larger data may be a blob themselves, so they prove nothing harmless; versions and the like are far shorter. */
const MAX_DESCRIPTION = 1024

/** What PCR 0 tells before its separator (specification tpm.md sections 9.5, P3, and 10.5); later events are of less trusted code. */
export function firmwareFacts(events: readonly Judged[], bank: PcrBank): FirmwareFacts {
  const trusted = beforeSeparator(events, bank)
  const proven = trusted.flatMap(({ type, measured }) =>
    measured !== undefined && measured.length <= MAX_DESCRIPTION ? [{ type, measured }] : [],
  )
  const versions = proven.filter(({ type }) => type === HOST_EVENT.scrtmVersion)
  const technologies = proven.flatMap(({ measured }) => gceTechnology(measured))
  return {
    scrtm_version: only(versions.map(({ measured }) => textOf(measured))),
    firmware_blobs: trusted.filter(({ measured }) => measured === undefined || measured.length > MAX_DESCRIPTION).map(hexOfDigest),
    gce_technology: only(technologies),
  }
}

/** Of two that tell the same thing, neither is believed. */
const only = <T>(values: readonly T[]): T | null => (values.length === 1 ? (values[0] ?? null) : null)

const hexOfDigest = ({ digest }: Judged): string => Buffer.from(digest).toString('hex')

/** Signature, technology, 15 reserved bytes. */
const GCE = Buffer.from('GCE NonHostInfo\0')
const GCE_TECHNOLOGIES = [0, 1, 2, 3, 4]

function gceTechnology(data: Uint8Array): readonly number[] {
  return GCE_TECHNOLOGIES.filter((value) => Buffer.compare(Buffer.concat([GCE, Uint8Array.of(value), new Uint8Array(15)]), data) === 0)
}

const PRINTABLE = /^[\p{L}\p{N}\p{P}\p{S} ]+$/u

/** UTF-16 as the specification has it, or ASCII; whatever is no text is told as hex. NULs and blanks at the end are nobody's version. */
function textOf(data: Uint8Array): string {
  const bytes = Buffer.from(data)
  const texts = [...(bytes.length % 2 === 0 ? [bytes.toString('utf16le')] : []), bytes.toString('latin1')]
  return texts.map((text) => text.replace(/[\0 ]+$/, '')).find((text) => PRINTABLE.test(text) && isPlain(text)) ?? bytes.toString('hex')
}

/** Versions are written in ASCII; a GUID read as UTF-16 may be printable by chance. */
const isPlain = (text: string): boolean => /^[\x20-\x7e]+$/.test(text)
