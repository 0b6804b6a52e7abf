import { digestOf, judgeData, type Judged } from '../event-log/digests.ts'
import { DSTACK_RUNTIME_EVENT, type DstackEntry } from './dstack.ts'

/** Whether dstack measured it while the guest ran. */
export const isRuntimeEvent = (entry: DstackEntry): boolean => entry.type === DSTACK_RUNTIME_EVENT

/**
 * What dstack hashes for a runtime event (specification tdx.md section 8.3): version 1 joins the parts with colons, version 2 is canonical
 * JSON (RFC 8785, whose strings are those of JSON.stringify).
 */
export function preimageOf({ type, name, payload, version }: DstackEntry): Uint8Array {
  if (version === 2) {
    const hex = Buffer.from(payload).toString('hex')
    return new Uint8Array(Buffer.from(`{"name":${JSON.stringify(name)},"payload":"${hex}","type":${type}}`))
  }
  const number = Buffer.alloc(4)
  number.writeUInt32LE(type)
  return new Uint8Array(Buffer.concat([number, Buffer.from(`:${name}:`), payload]))
}

/**
 * The log as events that extend RTMR0 to 3. Digests of runtime events are computed, whatever the log says. Boot events keep theirs, and an
 * empty payload is data left out.
 */
export const dstackEvents = (entries: readonly DstackEntry[]): readonly Judged[] =>
  entries.map((entry) => (isRuntimeEvent(entry) ? runtimeEvent(entry) : bootEvent(entry)))

function runtimeEvent(entry: DstackEntry): Judged {
  const measured = preimageOf(entry)
  const { number, imr: register, type, payload: data } = entry
  return { number, register, type, data, digest: digestOf(measured, 'sha384'), measured, mismatch: false }
}

function bootEvent({ number, imr: register, type, payload, digest = new Uint8Array() }: DstackEntry): Judged {
  return judgeData({ number, register, type, digest, data: payload.length === 0 ? undefined : payload }, 'sha384')
}
