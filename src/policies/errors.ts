import type { PolicyProblem } from '../appraisal/read-policy.ts'
import { AttestationError } from '../verifiers/problems.ts'

/** Which kind of documents an error speaks of: the beginning of its code. */
type Kind = 'policy' | 'reference-values'

/** Problems that one answer lists; more would only repeat. */
const TOLD = 20

/** No document, or no version of it, has this name. */
export const unknown = (what: string, kind: Kind = 'policy'): AttestationError => new AttestationError(`${kind}-unknown`, what)

/** Somebody else was faster, or the writer saw something older. */
export const conflict = (why: string, at: string, kind: Kind = 'policy'): AttestationError =>
  new AttestationError(`${kind}-conflict`, why, { at })

/** A document that this service does not take, with everything that is wrong with it. */
export function invalid(problems: readonly PolicyProblem[], kind: Kind = 'policy'): AttestationError {
  const told = problems.slice(0, TOLD).map(textOf)
  const more = problems.length > TOLD ? [`and ${problems.length - TOLD} more`] : []
  return new AttestationError(`${kind}-invalid`, [...told, ...more].join('; '), { at: problems[0]?.path || 'body' })
}

const textOf = ({ path, line, message }: PolicyProblem): string =>
  `${path === '' ? '(document)' : path}${line === undefined ? '' : ` (line ${line})`}: ${message}`

/** Whether the store says that what it holds is not to be believed, or that it cannot be asked. */
const isNotReady = (error: unknown): boolean => error instanceof AttestationError && error.code === 'not-ready'

/** A store that cannot be believed keeps no service from starting: it answers 503 until the store can be. Throws any other error. */
export function unlessNotReady(error: unknown): undefined {
  if (!isNotReady(error)) throw error
  return undefined
}
