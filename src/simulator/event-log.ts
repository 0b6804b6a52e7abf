import { createHash } from 'node:crypto'

/** RTMR0 to 3. */
export type Rtmrs = readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array]

/** A log, and what the registers hold when its events were extended into them. */
export type FakeLog = { readonly bytes: Uint8Array; readonly rtmrs: Rtmrs }

/** Registers are 48 bytes, for SHA-384. */
const REGISTER_BYTES = 48

/** SHA-384. */
export const sha384 = (...parts: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash('sha384')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

/** Extends all registers from zero, in the order of the events; `register` is that of an RTMR. */
export function extended(events: readonly { readonly register: number; readonly digest: Uint8Array }[]): Rtmrs {
  const replayed = (register: number): Uint8Array =>
    events
      .filter((event) => event.register === register)
      .reduce<Uint8Array>((value, { digest }) => sha384(value, digest), new Uint8Array(REGISTER_BYTES))
  return [replayed(0), replayed(1), replayed(2), replayed(3)]
}
