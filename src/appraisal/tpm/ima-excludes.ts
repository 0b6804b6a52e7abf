import { RE2JS } from 're2js'

/** Instructions of all patterns together: each may be asked of every character of every path. */
const MOST_INSTRUCTIONS = 5000

/** One expression for all, so that a path is read once. Brackets keep flags of one pattern from the next. */
const together = (patterns: readonly string[]): RE2JS => RE2JS.compile(patterns.map((text) => `(?:${text})`).join('|'))

/** Whether the patterns together are small enough. False for those that are none: each is judged by itself. */
export function excludesFit(patterns: readonly string[]): boolean {
  try {
    return together(patterns).programSize() <= MOST_INSTRUCTIONS
  } catch {
    return false
  }
}

/** Whether a path begins as one of the patterns says, in time that is linear in its length. */
export function excluding(patterns: readonly string[] | undefined): (path: string) => boolean {
  if (patterns === undefined) return () => false
  const expression = together(patterns)
  return (path) => expression.matcher(path).lookingAt()
}
