/** Which 32 bytes are usable Ed25519 public keys. OpenSSL imports any 32 bytes and notices a bad point only when it verifies. */

/** The field prime (RFC 8032 section 5.1). */
const P = 2n ** 255n - 19n

/** The curve constant d = −121665/121666 modulo P (RFC 8032 section 5.1). */
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n

/**
 * True for a point of the curve in its canonical encoding (RFC 8032 section 5.1.3) whose order is not small.
 * A key of small order "signs" everything for everyone, so it would prove possession of nothing.
 */
export function isEd25519PublicKey(encoded: Uint8Array): boolean {
  if (encoded.length !== 32) return false
  const y = littleEndian(encoded) & (2n ** 255n - 1n) // the highest bit is the sign of x
  if (y >= P) return false
  const yy = (y * y) % P
  const xx = (modulo(yy - 1n) * power(modulo(D * yy + 1n), P - 2n)) % P
  return isNonZeroSquare(xx) && !isSmallOrder(xx, y)
}

/** Euler's criterion. Zero is no point that we take: x is 0 only for the orders 1 and 2. */
const isNonZeroSquare = (value: bigint): boolean => power(value, (P - 1n) / 2n) === 1n

/** Order 4 has y = 0; order 8 is what doubles to y = 0, and the addition law gives y² + x² as the numerator of that y. */
const isSmallOrder = (xx: bigint, y: bigint): boolean => y === 0n || modulo(xx + y * y) === 0n

const modulo = (value: bigint): bigint => ((value % P) + P) % P

/** Nothing here is secret, so time may depend on the values. */
function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, base]
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % P
    square = (square * square) % P
  }
  return result
}

const littleEndian = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes.toReversed()).toString('hex')}`)
