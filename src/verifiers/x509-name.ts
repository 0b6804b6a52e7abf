import { TAG, type DerReader } from './der.ts'
import { latin1 } from './der-values.ts'

/** One attribute of a name: its type in dotted form and its text. */
type NameAttribute = { readonly oid: string; readonly value: string }

/** A distinguished name (RFC 5280 section 4.1.2.4), attributes in the order of the encoding. */
export type DistinguishedName = readonly NameAttribute[]

/** Reads a Name, which also comes back as encoded. */
export type ReadName = (r: DerReader, field: string) => { readonly name: DistinguishedName; readonly der: Uint8Array }

/** X.520 attribute types by the letters that people know them by. */
export const ATTRIBUTE = { CN: '2.5.4.3', C: '2.5.4.6', L: '2.5.4.7', ST: '2.5.4.8', O: '2.5.4.10', OU: '2.5.4.11' } as const

const LETTERS = new Map<string, string>(Object.entries(ATTRIBUTE).map(([letters, oid]) => [oid, letters]))

/** String types whose bytes are ASCII text for every name that is accepted here. */
const STRING_TAGS: readonly number[] = [TAG.UTF8_STRING, TAG.PRINTABLE_STRING, TAG.IA5_STRING]
const PRINTABLE_ASCII = /^[\x20-\x7e]{1,256}$/

/**
 * Reads a Name of relative names of one attribute each. Other text than printable ASCII is an error: no name that could match a vendor's has
 * any, and none is shown to people.
 */
export const readName: ReadName = (r, field) => {
  const { whole, content } = r.expect(field, TAG.SEQUENCE)
  return { name: r.within(field, content, (names) => names.list(readRelativeName)), der: whole }
}

const readRelativeName = (names: DerReader): NameAttribute =>
  names.nested('RelativeDistinguishedName', TAG.SET, (set) =>
    set.sequence('AttributeTypeAndValue', (r) => ({ oid: r.oid('type'), value: readText(r) })),
  )

function readText(r: DerReader): string {
  const { tag, content } = r.any('value')
  const text = latin1(content)
  if (!STRING_TAGS.includes(tag) || !PRINTABLE_ASCII.test(text)) throw r.malformed('value', 'is not printable ASCII text')
  return text
}

/** Whether two names have the same attributes in the same order. */
export const sameName = (a: DistinguishedName, b: DistinguishedName): boolean =>
  a.length === b.length && a.every(({ oid, value }, index) => b[index]?.oid === oid && b[index].value === value)

/** The common name; undefined without exactly one. */
export function commonNameOf(name: DistinguishedName): string | undefined {
  const [first, ...more] = name.filter(({ oid }) => oid === ATTRIBUTE.CN)
  return more.length === 0 ? first?.value : undefined
}

/** One line for people, in the order of the encoding. */
export const formatName = (name: DistinguishedName): string =>
  name.map(({ oid, value }) => `${LETTERS.get(oid) ?? oid}=${value}`).join(', ')
