import { TAG, explicitTag, type DerReader } from './der.ts'
import { equalBytes } from './der-values.ts'

/** What RSASSA-PSS was used with (RFC 8017 appendix A.2.3); the trailer is always 1. */
export type PssParameters = { readonly hash: 'sha256' | 'sha384' | 'sha512'; readonly saltLength: number }

/** AlgorithmIdentifier of a signature: `pss` where the algorithm is RSASSA-PSS with one known hash for message and mask. */
export type SignatureAlgorithm = { readonly oid: string; readonly der: Uint8Array; readonly pss?: PssParameters }

/** RSASSA-PSS (RFC 8017 appendix A.2.3). */
const RSASSA_PSS = '1.2.840.113549.1.1.10'
/** Mask generation function 1 (RFC 8017 appendix A.2.1). */
const MGF1 = '1.2.840.113549.1.1.8'
/** Hash functions (RFC 8017 appendix A.1) that a parameter may name. */
const HASHES: Readonly<Record<string, PssParameters['hash']>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
}

/** How AMD signs certificates and lists (specification snp.md section 6.3): SHA-384 throughout, salt of 48 bytes. */
export const AMD_PSS: PssParameters = { hash: 'sha384', saltLength: 48 }

/** Reads AlgorithmIdentifier (RFC 5280 section 4.1.1.2). Parameters of other algorithms than RSASSA-PSS are kept, not read. */
export function readAlgorithm(r: DerReader, field: string): SignatureAlgorithm {
  const { whole, content } = r.expect(field, TAG.SEQUENCE)
  return r.within(field, content, (a) => {
    const oid = a.oid('algorithm')
    const pss = oid === RSASSA_PSS ? readPss(a) : skipParameters(a)
    return pss === undefined ? { oid, der: whole } : { oid, der: whole, pss }
  })
}

function skipParameters(r: DerReader): undefined {
  if (r.left > 0) r.any('parameters')
}

/**
 * RSASSA-PSS-params. Every default is SHA-1's, so hash, mask and salt must all be written out; the default trailer may be,
 * as AMD's older certificates do (specification snp.md section 6.3). undefined for what this service never accepts.
 */
function readPss(r: DerReader): PssParameters | undefined {
  return r.sequence('RSASSA-PSS-params', (p) => {
    const hash = p.optional('hashAlgorithm', explicitTag(0), readHash)
    const mask = p.optional('maskGenAlgorithm', explicitTag(1), readMask)
    const saltLength = p.optional('saltLength', explicitTag(2), (s) => s.integer('saltLength'))
    const trailer = p.optional('trailerField', explicitTag(3), (t) => t.integer('trailerField')) ?? 1n
    const known = hash !== undefined && hash === mask && trailer === 1n
    return known && isSaltLength(saltLength) ? { hash, saltLength: Number(saltLength) } : undefined
  })
}

const isSaltLength = (length: bigint | undefined): boolean => length !== undefined && 0n <= length && length <= 512n

const readMask = (r: DerReader): PssParameters['hash'] | undefined =>
  r.sequence('maskGenAlgorithm', (m) => {
    const isMgf1 = m.oid('algorithm') === MGF1
    const hash = readHash(m)
    return isMgf1 ? hash : undefined
  })

/** The parameters of a hash are NULL or absent (RFC 4055 section 2.1). */
const readHash = (r: DerReader): PssParameters['hash'] | undefined =>
  r.sequence('hashAlgorithm', (h) => {
    const hash = HASHES[h.oid('algorithm')]
    if (h.left > 0) h.null('parameters')
    return hash
  })

/** Whether a document says the same algorithm in what is signed and beside the signature, and it is the one that AMD uses. */
export const isAmdPss = (inner: SignatureAlgorithm, outer: SignatureAlgorithm): boolean =>
  equalBytes(inner.der, outer.der) && inner.pss?.hash === AMD_PSS.hash && inner.pss.saltLength === AMD_PSS.saltLength

/** One line for people: `RSASSA-PSS sha384, salt 48` or the identifier. */
export const describeAlgorithm = ({ oid, pss }: SignatureAlgorithm): string =>
  pss === undefined ? oid : `RSASSA-PSS ${pss.hash}, salt ${pss.saltLength}`
