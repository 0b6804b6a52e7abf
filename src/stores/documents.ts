import type { CollateralAddress } from '../verifiers/verifier.ts'
import { openRecord, sealRecord } from './record.ts'
import type { StoredDocument, StoreKeys } from './stores.ts'

/** Two times of eight bytes each in front of the document: milliseconds since 1970, big-endian, signed. */
const TIMES = 16

/** A vendor document as a sealed record, named by its address. The counter is the time of the fetch: a later fetch is a later state. */
export function sealDocument(keys: StoreKeys, document: StoredDocument): Uint8Array {
  const times = Buffer.alloc(TIMES)
  times.writeBigInt64BE(BigInt(document.fetchedAt.getTime()), 0)
  times.writeBigInt64BE(BigInt(document.expiresAt.getTime()), 8)
  const counter = Math.max(0, document.fetchedAt.getTime())
  return sealRecord(keys, { purpose: 'document', name: document.address, counter, value: Buffer.concat([times, document.bytes]) })
}

/** Opens what {@link sealDocument} made for this address; `forged` as in `openRecord`. */
export function openDocument(keys: StoreKeys, address: CollateralAddress, kept: Uint8Array): StoredDocument | 'forged' {
  const record = openRecord(keys, { purpose: 'document', name: address }, kept)
  if (record === 'forged' || record.value.length < TIMES) return 'forged'
  const times = Buffer.from(record.value.subarray(0, TIMES))
  return {
    address,
    bytes: new Uint8Array(record.value.subarray(TIMES)),
    fetchedAt: new Date(Number(times.readBigInt64BE(0))),
    expiresAt: new Date(Number(times.readBigInt64BE(8))),
  }
}
