import { AttestationError, problemOf, statusOf, type ProblemCode } from '../verifiers/problems.ts'
import type { Check } from '../verifiers/verifier.ts'
import type { Answer } from './call.ts'

/** Where an error is being answered. */
export type ProblemContext = { readonly issuer: string; readonly requestId: string }

/** The body of a refusal: RFC 9457 with our members (design section 3). */
type ProblemDocument = {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail?: string
  readonly instance: string
  readonly code: ProblemCode
  readonly kind: string
  readonly at?: string
  readonly remedy: string
  readonly checks?: readonly Check[]
}

/** Seconds to wait when the error itself does not know: long enough for a refresh, short enough for a start-up script. */
const DEFAULT_RETRY_AFTER_SECONDS = 10

/** The only place where a failure becomes HTTP. Whatever is not recognised becomes a plain 500 with nothing but the request id. */
export function problemAnswer(error: unknown, context: ProblemContext): Answer {
  const known = error instanceof AttestationError ? error : new AttestationError('internal-error', '')
  const body = problemDocument(known, context)
  return {
    status: body.status,
    headers: { 'content-type': 'application/problem+json', ...retryHeader(known), ...challengeHeader(known) },
    body: JSON.stringify(body),
  }
}

function problemDocument(error: AttestationError, { issuer, requestId }: ProblemContext): ProblemDocument {
  const { title, kind, remedy } = problemOf(error.code)
  return {
    type: `${issuer}/problems/${error.code}`,
    title,
    status: statusOf(error.code),
    // What failed inside is for the log; the caller gets the id to quote.
    ...(kind === 'internal' || error.message === '' ? {} : { detail: error.message }),
    instance: `urn:uuid:${requestId}`,
    code: error.code,
    kind,
    ...(error.at === undefined ? {} : { at: error.at }),
    remedy,
    ...(error.checks.length === 0 ? {} : { checks: error.checks }),
  }
}

function retryHeader(error: AttestationError): Record<string, string> {
  const waits = problemOf(error.code).kind === 'undecided' || error.code === 'rate-limited'
  if (!waits) return {}
  return { 'retry-after': String(Math.max(1, Math.ceil(error.retryAfter ?? DEFAULT_RETRY_AFTER_SECONDS))) }
}

/** RFC 9110 section 11.6.1: a 401 names the scheme that would be accepted. */
const challengeHeader = (error: AttestationError): Record<string, string> =>
  error.code === 'unauthenticated' ? { 'www-authenticate': 'Bearer' } : {}
