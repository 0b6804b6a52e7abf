import { createHash } from 'node:crypto'

/** What our documents are made of. RFC 8785 differs from this only for numbers with a fraction, which no document of ours holds. */
type Plain = string | number | boolean | null | undefined | readonly Plain[] | { readonly [member: string]: Plain }

/**
 * JSON Canonicalization Scheme (RFC 8785): members sorted by UTF-16 code units, no white space, strings as JSON.stringify writes them.
 * Members that are undefined are left out. Throws RangeError for a number that is not a safe integer.
 */
export function canonicalJson(value: Plain): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError(`${value} is not a safe integer`)
  if (value === undefined || value === null || typeof value !== 'object') return JSON.stringify(value ?? null)
  if (isList(value)) return `[${value.map((entry) => canonicalJson(entry)).join(',')}]`
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`
}

const isList = (value: object): value is readonly Plain[] => Array.isArray(value)

/** SHA-256 of the canonical JSON in UTF-8, lower-case hex: the name of a document's content. */
export const contentDigest = (value: Plain): string => createHash('sha256').update(canonicalJson(value)).digest('hex')
