import { MARKER_OID } from '../verifiers/x509-marker.ts'

/** The arc below which all of Assay's own identifiers are: 2.25 and a UUID of 128 bits. */
const OWN_ARC = MARKER_OID.slice(0, MARKER_OID.lastIndexOf('.'))

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

const ARC = oidContent(OWN_ARC)

/**
 * The codec cannot write arcs above 53 bits, so documents are encoded with a stand-in of the same length (one byte for `2.25`, one for each
 * arc of 1), which {@link restoreArcs} replaces before the signature is made.
 */
const STAND_IN_ARC = `2.25${'.1'.repeat(ARC.length - 1)}`
const STAND_IN = oidContent(STAND_IN_ARC)

/** What to hand to the codec in place of an identifier of ours. */
export const standInFor = (oid: string): string => (oid.startsWith(`${OWN_ARC}.`) ? `${STAND_IN_ARC}${oid.slice(OWN_ARC.length)}` : oid)

/** Puts our arc where its stand-in is, from an offset on; other bytes stay as they are. */
export function restoreArcs(der: Uint8Array, from = 0): Uint8Array {
  const bytes = Buffer.from(der.buffer, der.byteOffset, der.length)
  for (let at = bytes.indexOf(STAND_IN, from); at >= 0; at = bytes.indexOf(STAND_IN, at + ARC.length)) der.set(ARC, at)
  return der
}
