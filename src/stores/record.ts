import { createHmac, timingSafeEqual } from 'node:crypto'
import type { StoreKeys } from './stores.ts'

/** What a stored value is for; part of its seal, so that no value can stand in for one of another kind. */
type Purpose =
  | 'document'
  | 'marks'
  | 'epoch'
  | 'operators-head'
  | 'operators-versions'
  | 'operators-document'
  | 'operators-standing'
  | 'operators-files'
  | 'quote'

/** A stored value before it is sealed. `counter` only grows for one name. */
export type StoredRecord = { readonly purpose: Purpose; readonly name: string; readonly counter: number; readonly value: Uint8Array }

/** The version of every stored value. A newer one is refused: guessing its meaning could loosen a check. */
const RECORD_VERSION = 1
const MAGIC = /^assay-record\/(\d{1,6})\n/
const MAC_BYTES = 32
const COUNTER_BYTES = 8

/** A value as kept: `assay-record/1` LF, HMAC-SHA-256 (32 bytes), counter (u64, big-endian), value (design section 1.4). */
export function sealRecord(keys: StoreKeys, record: StoredRecord): Uint8Array {
  const counter = Buffer.alloc(COUNTER_BYTES)
  counter.writeBigUInt64BE(BigInt(record.counter))
  return Buffer.concat([Buffer.from(`assay-record/${RECORD_VERSION}\n`), macOf(keys, record), counter, record.value])
}

/**
 * Opens a kept value. `forged`: the seal does not hold, or the bytes are no record at all; count it as absent, raise an alarm.
 * Throws when a newer version wrote it.
 */
export function openRecord(keys: StoreKeys, as: Pick<StoredRecord, 'purpose' | 'name'>, kept: Uint8Array): StoredRecord | 'forged' {
  const bytes = Buffer.from(kept.buffer, kept.byteOffset, kept.byteLength)
  const [line, version] = MAGIC.exec(bytes.subarray(0, 24).toString('latin1')) ?? []
  if (line === undefined || Number(version) < RECORD_VERSION) return 'forged'
  if (Number(version) > RECORD_VERSION) throw new Error(`${as.purpose} "${as.name}" was written by a newer version of Assay`)
  const body = bytes.subarray(line.length)
  if (body.length < MAC_BYTES + COUNTER_BYTES) return 'forged'
  const counter = Number(body.readBigUInt64BE(MAC_BYTES))
  const record = { ...as, counter, value: body.subarray(MAC_BYTES + COUNTER_BYTES) }
  return timingSafeEqual(macOf(keys, record), body.subarray(0, MAC_BYTES)) ? record : 'forged'
}

/** HMAC over version, purpose, key name, counter and value, each with its length in front (u32, big-endian), so that no two records share an input. */
function macOf(keys: StoreKeys, record: StoredRecord): Uint8Array {
  const mac = createHmac('sha256', keys.stored)
  for (const part of [`assay-record/${RECORD_VERSION}`, record.purpose, record.name, String(record.counter), record.value]) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    mac.update(length).update(bytes)
  }
  return mac.digest()
}
