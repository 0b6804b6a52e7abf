import { problemOf, type ProblemCode } from '../verifiers/problems.ts'

/**
 * Exit codes made for scripts (design section 6): a refusal is 1, no verdict is 3, a wrong command line or a file that is not the JSON
 * it should be is 2. A failure of our own is none of these, so that it is never read as a verdict.
 */
export const EXIT = { accepted: 0, refused: 1, usage: 2, undecided: 3, failed: 70 } as const

/** The exit code of a verdict; null is an acceptance. */
export function exitOf(code: ProblemCode | null): number {
  if (code === null) return EXIT.accepted
  return problemOf(code).kind === 'undecided' ? EXIT.undecided : EXIT.refused
}

/** The command line, or a file that it names, is not what it should be. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
