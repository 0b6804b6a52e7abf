import type { PolicyProblem } from '../appraisal/read-policy.ts'
import { AttestationError } from '../verifiers/problems.ts'

/** Problems that one answer lists; more would only repeat. */
const TOLD = 20

/** No policy, or no version of it, has this name. */
export const unknown = (what: string): AttestationError => new AttestationError('policy-unknown', what)

/** Somebody else was faster, or the writer saw something older. */
export const conflict = (why: string, at: string): AttestationError => new AttestationError('policy-conflict', why, { at })

/** A document that this service does not take, with everything that is wrong with it. */
export function invalid(problems: readonly PolicyProblem[]): AttestationError {
  const told = problems.slice(0, TOLD).map(textOf)
  const more = problems.length > TOLD ? [`and ${problems.length - TOLD} more`] : []
  return new AttestationError('policy-invalid', [...told, ...more].join('; '), { at: problems[0]?.path || 'body' })
}

const textOf = ({ path, line, message }: PolicyProblem): string =>
  `${path === '' ? '(document)' : path}${line === undefined ? '' : ` (line ${line})`}: ${message}`
