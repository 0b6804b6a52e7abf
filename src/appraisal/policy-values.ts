import { z } from 'zod'
import type { SetEntry } from './listed.ts'

/** What a member must be, said once: it is the error text, and `expected` of the problem. */
const said = (text: string) => ({ error: `expected ${text}` })

/** Rules over several members run beside the others' problems, so that all are told at once; but there must be members. */
export const hasMembers = (value: unknown): value is object => typeof value === 'object' && value !== null

/** `allow` or `deny` and the like: exactly one of these words. */
export const words = <const T extends readonly [string, ...string[]]>(all: T) =>
  z.enum(all, said(all.map((word) => `\`${word}\``).join(' or ')))

/** What is asked of something that can be on or off. */
export const onOrOff = () => words(['require', 'forbid', 'any'])

/** A whole number in a closed range. */
export const whole = (from: number, to: number) => {
  const text = said(`a whole number from ${from} to ${to}`)
  return z.int(text).min(from, text).max(to, text)
}

/** `true` or `false`, for the few options that AMD's and other verifiers' texts name as a yes or a no. */
export const yesOrNo = () => z.boolean(said('true or false'))

/** Lower-case hex of one of these lengths in bytes. */
export const hex = (...lengths: readonly number[]) => {
  const text = said(`lower-case hex of ${lengths.join(' or ')} bytes, in quotes`)
  return z
    .string(text)
    .regex(/^(?:[0-9a-f]{2})+$/, { ...text, abort: true })
    .refine((value) => lengths.includes(value.length / 2), text)
}

/** What documentation and templates put where a digest belongs. */
const PLACEHOLDERS = ['ff', '0123456789abcdef', '1234567890abcdef', 'deadbeef', 'cafebabe', '00112233445566778899aabbccddeeff']

/** Told once, however often a value is asked. */
const PLACEHOLDER = { error: 'this is a placeholder: put the value of what you run in its place', abort: true }

/** Whether a value is one of them over and over. */
const isPlaceholder = (value: string): boolean =>
  PLACEHOLDERS.some((unit) => value === unit.repeat(Math.ceil(value.length / unit.length)).slice(0, value.length))

/** A value, and not what somebody has yet to put one in the place of. */
export const noPlaceholder = (value: z.ZodType<string>) => value.refine((text) => !isPlaceholder(text), PLACEHOLDER)

/**
 * Hex of a digest or of a name: all zeros means that the field is absent in a report, so a list that holds it would accept absence. No
 * placeholder is one.
 */
export const digest = (...lengths: readonly number[]) =>
  noPlaceholder(
    hex(...lengths).refine((value) => !/^0*$/.test(value), { error: 'all zeros mean "absent" in a report and cannot be listed' }),
  )

/** A list that says something: not empty (an empty list would be read as "none" by one and as "any" by another), nothing twice. */
export const list = <T extends z.ZodType<string | number | SetEntry>>(entry: T) =>
  z
    .array(entry, said('a list'))
    .min(1, { error: 'an empty list is ambiguous: leave the member out, or list something' })
    .refine((values) => new Set(values.map((value) => keyOf(value))).size === values.length, { error: 'the list holds an entry twice' })

const keyOf = (value: string | number | SetEntry): string | number => (typeof value === 'object' ? `set ${value.set}` : value)

/** The values of a set of reference values, by its name. */
const setEntry = () => z.strictObject({ set: name() }).transform((entry): SetEntry => entry)

/** A list of measurements whose entries may also name sets of reference values: `{ set: nodes }`. */
export const references = (value: z.ZodType<string>) =>
  list(z.union([noPlaceholder(value), setEntry()], said('a value or `{ set: name }`')))

/** The same, or the word by which anything goes. */
export const referencesOrAny = (bytes: number) =>
  z.union([z.literal('DANGEROUSLY_ACCEPT_ANY'), references(digest(bytes))], {
    error: `expected a list of lower-case hex of ${bytes} bytes, none of them zero, or \`DANGEROUSLY_ACCEPT_ANY\``,
  })

const BITS = said('hex digits behind 0x, at most 16, in quotes')

/** A field of 64 bits: `"0x30000"` (or a YAML integer that JavaScript holds exactly); kept as 0x and 16 digits, so that equal values are equal text. */
export const bits64 = () =>
  z.preprocess(
    (value) => (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? `0x${value.toString(16)}` : value),
    z
      .string(BITS)
      .regex(/^0x[0-9a-fA-F]{1,16}$/, BITS)
      .transform((text) => `0x${BigInt(text).toString(16).padStart(16, '0')}`),
  )

const DAY = said('a day such as 2025-08-13')

/** A day of UTC as YYYY-MM-DD, one that exists. */
export const day = () =>
  z
    .string(DAY)
    .regex(/^20[0-9]{2}-[0-9]{2}-[0-9]{2}$/, DAY)
    .refine((text) => isDay(text), DAY)

/** Dates roll over: what is read back is another day where there was none such as 30 February. */
function isDay(text: string): boolean {
  const read = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(read.getTime()) && read.toISOString().startsWith(text)
}

const VERSION = said('"major.minor", each 0 to 255, in quotes')

/** An API version `"major.minor"`. Text, because 1.50 and 1.5 are one number and two versions. */
export const apiVersion = () =>
  z
    .string(VERSION)
    .regex(/^(?:0|[1-9][0-9]{0,2})\.(?:0|[1-9][0-9]{0,2})$/, VERSION)
    .refine((text) => text.split('.').every((part) => Number(part) <= 255), VERSION)

/** Text of a bounded length without control characters. */
export const line = (most: number) => {
  const text = said(`1 to ${most} characters on one line`)
  return z.string(text).regex(new RegExp(`^[\\x20-\\x7e]{1,${most}}$`), text)
}

/** A name that may stand in a path, a log line and a claim. */
export const name = () => {
  const text = said('a name of letters, digits, dot, dash and underscore, 1 to 64 characters, beginning with a letter or digit')
  return z.string(text).regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, text)
}
