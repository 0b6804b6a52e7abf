import { MARKER_OID } from '../verifiers/x509-marker.ts'
import type { SimExtension } from './der.ts'

/** The content octets of an object identifier (X.690 section 8.19). */
function oidContent(oid: string): Uint8Array {
  const [first = 0n, second = 0n, ...rest] = oid.split('.').map(BigInt)
  return Uint8Array.from([first * 40n + second, ...rest].flatMap(base128))
}

function base128(arc: bigint): number[] {
  const septets = [Number(arc & 0x7fn)]
  for (let left = arc >> 7n; left > 0n; left >>= 7n) septets.unshift(Number(left & 0x7fn) | 0x80)
  return septets
}

const MARKER = oidContent(MARKER_OID)

/**
 * The codec cannot write arcs above 53 bits, so certificates are encoded with a stand-in of the same length (one byte for `2.25`,
 * one for each arc of 1), which {@link mark} replaces before the signature is made.
 */
const STAND_IN_OID = `2.25${'.1'.repeat(MARKER.length - 1)}`
const STAND_IN = oidContent(STAND_IN_OID)

/**
 * The critical extension in every certificate that the simulator mints, so that none can pass for a vendor’s: production refuses any chain
 * that holds it (design section 5). Its value is NULL.
 */
export const markerExtension: SimExtension = { oid: STAND_IN_OID, critical: true, value: Uint8Array.of(0x05, 0x00) }

/** Puts the marker's identifier where its stand-in is; other bytes stay as they are. */
export function mark(der: Uint8Array): Uint8Array {
  const at = Buffer.from(der.buffer, der.byteOffset, der.length).indexOf(STAND_IN)
  if (at >= 0) der.set(MARKER, at)
  return der
}
