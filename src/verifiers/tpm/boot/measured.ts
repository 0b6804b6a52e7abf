import { digestOf, type Judged } from '../../event-log/digests.ts'
import { EVENT, type Measured } from '../../event-log/event-types.ts'
import { readUefiVariable } from '../../event-log/uefi-variable.ts'
import type { Bank, Extension } from '../../event-log/replay.ts'

/** Types that only logs of TPM hosts are asked about (specification tpm.md section 9.2). */
export const HOST_EVENT = { action: 0x5, scrtmVersion: 0x8, nonhostInfo: 0x11, gpt2: 0x8000000d } as const

const must: Measured = { readings: (data) => [data], otherwise: 'mismatch' }
const may: Measured = { readings: (data) => [data], otherwise: 'unknown' }

/** Which types' data determine the digest (section 9.3); texts of GRUB are looked at in PCR 8 alone. */
const BY_TYPE: ReadonlyMap<number, Measured> = new Map<number, Measured>([
  [EVENT.separator, must],
  [HOST_EVENT.action, { readings: withoutNul, otherwise: 'mismatch' }],
  [EVENT.tag, may],
  [HOST_EVENT.scrtmVersion, may],
  [HOST_EVENT.nonhostInfo, may],
  [EVENT.variableDriverConfig, must],
  // Only VariableData where the whole is not what was hashed: GUID and name mean nothing then.
  [EVENT.variableBoot, { readings: variableReadings, otherwise: 'mismatch' }],
  [EVENT.gpt, must],
  [EVENT.action, { readings: withoutNul, otherwise: 'mismatch' }],
  [EVENT.variableBoot2, may],
  [HOST_EVENT.gpt2, may],
  // Shims before their commit 8a27a48 log one byte more than they hash.
  [EVENT.variableAuthority, { readings: (data) => [data, data.subarray(0, -1)], otherwise: 'mismatch' }],
])

/** Some firmware logs a NUL behind its text, and hashes it or not (section 9.5, P6). */
function withoutNul(data: Uint8Array): readonly Uint8Array[] {
  return data.at(-1) === 0 ? [data, data.subarray(0, -1)] : [data]
}

function variableReadings(data: Uint8Array): readonly Uint8Array[] {
  const variable = readUefiVariable(data)
  return variable === undefined ? [data] : [data, variable.data]
}

/** Holds the data of an event of a TPM host's log against its digest (section 9.3). */
export function judgeEvent(event: Extension, hash: Bank['hash']): Judged {
  const rule = event.data === undefined ? undefined : BY_TYPE.get(event.type)
  if (event.data === undefined || rule === undefined) return { ...event, measured: undefined, mismatch: false }
  const measured = rule.readings(event.data).find((bytes) => isDigest(bytes, event, hash))
  return { ...event, measured, mismatch: measured === undefined && rule.otherwise === 'mismatch' }
}

/** Whether an event's digest is of these bytes. */
export const isDigest = (bytes: Uint8Array, event: Pick<Extension, 'digest'>, hash: Bank['hash']): boolean =>
  Buffer.compare(digestOf(bytes, hash), event.digest) === 0
