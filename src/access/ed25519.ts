/**
 * Which 32 bytes may be an Ed25519 public key. OpenSSL imports any. That a key is a point of the curve need not be asked: only such a key
 * verifies a signature, and no key counts without its proof of possession.
 */

/** The field prime 2^255 − 19 (RFC 8032 section 5.1), little-endian. */
const PRIME = `ed${'ff'.repeat(30)}7f`

/**
 * Every y, little-endian, of a point whose order divides 8: 1 (order 1), −1 (2), 0 (4), and the two of order 8. Published in
 * "Taming the many EdDSAs" (2020), table 6. For the equation of a signature a key of small order "signs" for everyone, so it would prove possession of nothing.
 */
const SMALL_ORDER: readonly string[] = [
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  '00'.repeat(32),
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
]

/** Whether 32 bytes encode a y below the prime, as the canonical encoding of RFC 8032 section 5.1.2 has it, and none of small order. */
export function isEd25519PublicKey(encoded: Uint8Array): boolean {
  if (encoded.length !== 32) return false
  // The highest bit is the sign of x.
  const y = Buffer.from(encoded.with(31, (encoded[31] ?? 0) & 0x7f))
  return isBelowPrime(y) && !SMALL_ORDER.includes(y.toString('hex'))
}

/** Numbers of one length compare as their bytes do from the most significant on. */
const isBelowPrime = (y: Uint8Array): boolean => Buffer.compare(y.toReversed(), Buffer.from(PRIME, 'hex').toReversed()) < 0
