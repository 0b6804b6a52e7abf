/** TPMA_OBJECT, lowest bit first (specification tpm.md section 3.1). */
export const ATTRIBUTE = {
  fixedTPM: 1 << 1,
  stClear: 1 << 2,
  fixedParent: 1 << 4,
  sensitiveDataOrigin: 1 << 5,
  userWithAuth: 1 << 6,
  adminWithPolicy: 1 << 7,
  firmwareLimited: 1 << 8,
  svnLimited: 1 << 9,
  noDA: 1 << 10,
  encryptedDuplication: 1 << 11,
  restricted: 1 << 16,
  decrypt: 1 << 17,
  sign: 1 << 18,
  x509sign: 1 << 19,
} as const

/** Bits that have a meaning. */
export const DEFINED = Object.values<number>(ATTRIBUTE).reduce((all, bit) => all | bit, 0)

const BITS = 32

/** The attributes that are set, by name; bits without a meaning by number. */
export const attributeNames = (attributes: number): readonly string[] =>
  Array.from({ length: BITS }, (_, n) => n)
    .filter((n) => ((attributes >>> n) & 1) === 1)
    .map((n) => Object.entries(ATTRIBUTE).find(([, bit]) => bit === 1 << n)?.[0] ?? `reserved bit ${n}`)

/** `0x00050072`: attributes as they are written. */
export const formatAttributes = (attributes: number): string => `0x${attributes.toString(16).padStart(8, '0')}`
