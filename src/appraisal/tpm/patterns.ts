import { RE2JS } from 're2js'
import { z } from 'zod'

/** The longest pattern, in characters. */
const MOST_CHARACTERS = 1000
/** Instructions of a compiled pattern: `x{1000}` and the like write much with little. */
const MOST_INSTRUCTIONS = 10_000

const PATTERN = `expected a regular expression (RE2) of at most ${MOST_CHARACTERS} characters`

function compiled(text: string): RE2JS | undefined {
  try {
    const made = RE2JS.compile(text)
    return made.programSize() > MOST_INSTRUCTIONS ? undefined : made
  } catch {
    return undefined
  }
}

/** A regular expression that takes time in proportion to the text, however it is written. */
export const pattern = () =>
  z
    .string({ error: PATTERN })
    .min(1, { error: PATTERN })
    .max(MOST_CHARACTERS, { error: PATTERN, abort: true })
    .refine((text) => compiled(text) !== undefined, { error: PATTERN })

/** Policies never change, so each list is compiled once. */
const known = new WeakMap<readonly string[], readonly RE2JS[]>()

function compiledList(texts: readonly string[]): readonly RE2JS[] {
  const made = known.get(texts) ?? texts.flatMap((text) => compiled(text) ?? [])
  known.set(texts, made)
  return made
}

/** Whether one of the patterns matches the whole text. */
export const matchesWhole = (patterns: readonly string[], text: string): boolean =>
  compiledList(patterns).some((each) => each.testExact(text))
