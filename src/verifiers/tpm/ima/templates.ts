import type { ImaDigest, ImaEntry } from './entry.ts'
import { malformedList } from './malformed.ts'

/** How a field is written in ASCII and kept in template data (specification tpm.md sections 12.1 and 12.2). */
type FieldKind = 'digest' | 'named-digest' | 'path' | 'text' | 'hex' | 'u32' | 'u16'

/** What the field behind digest and path is to the evaluation; all further ones are covered by the hash and not looked at. */
type Third = 'signature' | 'buffer' | 'other'

/** A template that lists may use: a digest, a path, and what follows. */
export type Template = Form & { readonly name: string }
type Form = { readonly isLegacy: boolean; readonly fields: readonly FieldKind[]; readonly third: Third }

const template = (third: Third, ...more: readonly FieldKind[]): Form => ({
  isLegacy: false,
  fields: ['named-digest', 'text', ...more],
  third,
})

const FORMS: Readonly<Record<string, Form>> = {
  /** Its data has no lengths: 20 bytes of digest, then the path padded with zeros to 256. */
  ima: { isLegacy: true, fields: ['digest', 'path'], third: 'other' },
  'ima-ng': template('other'),
  'ima-ngv2': template('other'),
  'ima-sig': template('signature', 'hex'),
  'ima-sigv2': template('signature', 'hex'),
  'ima-buf': template('buffer', 'hex'),
  // d-modsig and modsig: the digest without the appended signature, and that signature.
  'ima-modsig': template('signature', 'hex', 'named-digest', 'hex'),
  // evmsig, xattrnames, xattrlengths, xattrvalues, iuid, igid, imode: EVM's signature is over metadata that no list tells in full.
  'evm-sig': template('other', 'hex', 'text', 'hex', 'hex', 'u32', 'u32', 'u16'),
}
const TEMPLATES: ReadonlyMap<string, Template> = new Map(Object.entries(FORMS).map(([name, form]) => [name, { name, ...form }]))

/** Bytes of the digest in the oldest template, and of its padded path, the last of which stays zero. */
export const LEGACY_DIGEST_BYTES = 20
/** Bytes of the path in an entry of the template `ima`, padded with zeros (specification tpm.md section 12.2). */
export const LEGACY_PATH_BYTES = 256

/** The longest name of a template. */
export const TEMPLATE_NAME_BYTES = Math.max(...Object.keys(FORMS).map((name) => name.length))

/** The template of a name; undefined for one that is not known: its entries could not be evaluated. */
export const templateOf = (name: string): Template | undefined => TEMPLATES.get(name)

/** What stands before an entry's fields. */
export type EntryHead = Pick<ImaEntry, 'number' | 'templateHash'>

/** An entry from the bytes of its fields. Throws `tpm-ima-malformed`. */
export function entryOf(head: EntryHead, { name, isLegacy, third }: Template, values: readonly Buffer[]): ImaEntry {
  const [digest, path, more] = values
  const { number } = head
  if (digest === undefined || path === undefined) throw malformedList(number, 'has no digest or no path')
  const parts = isLegacy ? legacyParts(digest, path, number) : partsOf(values, { digest, path, number })
  const entry = { ...head, template: name, ...parts }
  return more === undefined || third === 'other' ? entry : { ...entry, [third]: more }
}

type Parts = Pick<ImaEntry, 'data' | 'digest' | 'path'>

/** Zeros that end the path are padding, so a path that holds one would be two paths of one hash. */
function legacyParts(digest: Buffer, path: Buffer, number: number): Parts {
  if (digest.byteLength !== LEGACY_DIGEST_BYTES || path.byteLength >= LEGACY_PATH_BYTES || path.includes(0))
    throw malformedList(number, 'its digest or path is none that its template has room for')
  const data = Buffer.alloc(LEGACY_DIGEST_BYTES + LEGACY_PATH_BYTES)
  digest.copy(data)
  path.copy(data, LEGACY_DIGEST_BYTES)
  return { data, digest: { algorithm: 'sha1', bytes: digest, of: 'file' }, path }
}

type Named = { readonly digest: Buffer; readonly path: Buffer; readonly number: number }

const partsOf = (values: readonly Buffer[], { digest, path, number }: Named): Parts => ({
  data: framed(values),
  digest: digestOf(digest, number),
  path: withoutNul(path, number),
})

function framed(values: readonly Buffer[]): Buffer {
  let size = 0
  for (const value of values) size += 4 + value.byteLength
  const data = Buffer.allocUnsafe(size)
  let at = 0
  for (const value of values) {
    at = data.writeUInt32LE(value.byteLength, at)
    at += value.copy(data, at)
  }
  return data
}

/** The kernel ends texts with one NUL; a text that has another would be one path to the kernel and another one here. */
function withoutNul(text: Buffer, number: number): Buffer {
  if (text.indexOf(0) !== text.byteLength - 1) throw malformedList(number, 'its path does not end with its only NUL')
  return text.subarray(0, -1)
}

/** What stands before the NUL: the name of a hash, since fs-verity with what it is the digest of. */
const DIGEST_NAME = /^(?:(?<type>ima|verity):)?(?<algorithm>[a-z0-9_-]{1,32}):$/

/** `sha256:` NUL digest, or with `ima:` or `verity:` before it. */
function digestOf(value: Buffer, number: number): ImaDigest {
  const nul = value.indexOf(0)
  const { type, algorithm } = DIGEST_NAME.exec(value.toString('latin1', 0, Math.max(nul, 0)))?.groups ?? {}
  if (algorithm === undefined) throw malformedList(number, 'its digest does not name a hash')
  return { algorithm, bytes: value.subarray(nul + 1), of: type === 'verity' ? 'verity' : 'file' }
}
