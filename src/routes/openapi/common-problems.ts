import { PROBLEM_CODES, problemOf, type ProblemCode } from '../../verifiers/problems.ts'

/** Anything may be too much, too slow, or meet a fault of ours. */
export const ALWAYS: readonly ProblemCode[] = ['request-malformed', 'request-headers-too-large', 'request-timeout', 'internal-error']
/** Whoever calls may be nobody that is known, or call too often. */
export const CALLER: readonly ProblemCode[] = ['unauthenticated', 'rate-limited', 'identity-provider-unavailable']
/** What a body may be instead of one that is read. */
export const BODY: readonly ProblemCode[] = ['request-too-large', 'content-type-unsupported', 'overloaded']

const isAboutEvidence = (code: ProblemCode): boolean => /^(?:snp|tdx|sgx|evidence)-/.test(code)
/** Evidence that cannot be read. */
export const inspected: readonly ProblemCode[] = PROBLEM_CODES.filter(
  (code) => isAboutEvidence(code) && problemOf(code).kind === 'malformed',
)
