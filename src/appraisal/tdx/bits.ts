/** A field of 64 bits from its bytes in hex as the report holds them, the lowest first. */
export const littleEndian = (hex: string): bigint => Buffer.from(hex, 'hex').readBigUInt64LE()

/** As policies write it: `0x10000000`. */
export const hex64 = (bits: bigint): string => `0x${bits.toString(16)}`

/** Whether a field is all zeros, or not in this report at all. */
export const isZero = (hex: string | null): boolean => hex === null || /^0*$/.test(hex)
