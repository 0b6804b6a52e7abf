import { isHashLength, type ImaEntry } from './entry.ts'
import { malformedList } from './malformed.ts'
import { entryOf, templateOf, type Template } from './templates.ts'

/** Entries of other registers are not part of what PCR 10 tells (specification tpm.md section 12.1). */
const PCR = '10'

/** One line of a list in ASCII. Its characters are bytes: the kernel writes paths as they are. Throws `tpm-ima-malformed`. */
export function readLine(line: Buffer, number: number): ImaEntry {
  const text = line.toString('latin1')
  const [pcr, templateHash, name, rest] = splitAt(text, 4)
  if (pcr !== PCR) throw malformedList(number, 'is not of PCR 10')
  const hash = hexOf(templateHash ?? '')
  if (hash === undefined || !isHashLength(hash.byteLength)) throw malformedList(number, 'its template hash is of no known length')
  const template = templateOf(name ?? '')
  if (template === undefined || rest === undefined) throw malformedList(number, 'is of no known template')
  return entryOf({ number, templateHash: hash }, template, valuesOf(template, rest, number))
}

function valuesOf({ fields }: Template, rest: string, number: number): readonly Buffer[] {
  const words = splitAt(rest, fields.length)
  const values = fields.map((kind, i) => ENCODE[kind](words[i] ?? ''))
  const whole = values.filter((value) => value !== undefined)
  if (words.length !== fields.length || whole.length !== values.length)
    throw malformedList(number, 'its fields are not those of its template')
  return whole
}

/** Bytes of a field as template data holds them; undefined for a text that is none of that kind. */
const ENCODE = {
  digest: hexOf,
  'named-digest': namedDigest,
  path: (text: string) => Buffer.from(text, 'latin1'),
  text: (text: string) => Buffer.from(`${text}\0`, 'latin1'),
  hex: hexOf,
  u32: (text: string) => numberOf(text, 4),
  u16: (text: string) => numberOf(text, 2),
}

/** At most `most` words, the last of which keeps the spaces in it. */
function splitAt(text: string, most: number): readonly string[] {
  const words: string[] = []
  let from = 0
  while (words.length < most - 1) {
    const space = text.indexOf(' ', from)
    if (space < 0) break
    words.push(text.slice(from, space))
    from = space + 1
  }
  return [...words, text.slice(from)]
}

const HEX = /^(?:[0-9a-f]{2})*$/

function hexOf(text: string): Buffer | undefined {
  return HEX.test(text) ? Buffer.from(text, 'hex') : undefined
}

/** An empty text is an absent digest: modules without an appended signature have no d-modsig. */
function namedDigest(text: string): Buffer | undefined {
  if (text === '') return Buffer.alloc(0)
  const name = text.slice(0, text.lastIndexOf(':') + 1)
  const digest = hexOf(text.slice(name.length))
  return name === '' || digest === undefined ? undefined : Buffer.concat([Buffer.from(`${name}\0`, 'latin1'), digest])
}

const DECIMAL = /^(?:0|[1-9][0-9]{0,9})$/

function numberOf(text: string, bytes: 2 | 4): Buffer | undefined {
  const value = Number(text)
  if (!DECIMAL.test(text) || value >= 2 ** (8 * bytes)) return undefined
  const field = Buffer.alloc(bytes)
  field.writeUIntLE(value, 0, bytes)
  return field
}
