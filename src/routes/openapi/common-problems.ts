import { PROBLEM_CODES, problemOf, type ProblemCode } from '../../verifiers/problems.ts'

/** Anything may be too much, too slow, or meet a fault of ours. */
export const ALWAYS: readonly ProblemCode[] = ['request-malformed', 'request-headers-too-large', 'request-timeout', 'internal-error']
/** Whoever calls may be nobody that is known, or call too often. */
export const CALLER: readonly ProblemCode[] = ['unauthenticated', 'rate-limited', 'identity-provider-unavailable']
/** What a body may be instead of one that is read. */
export const BODY: readonly ProblemCode[] = ['request-too-large', 'content-type-unsupported', 'overloaded']

const isAboutEvidence = (code: ProblemCode): boolean => /^(?:snp|tdx|sgx|tpm|evidence)-/.test(code)
/** Evidence that cannot be read. */
export const inspected: readonly ProblemCode[] = PROBLEM_CODES.filter(
  (code) => isAboutEvidence(code) && problemOf(code).kind === 'malformed',
)
/** A dry-run answers with the refusal of a policy; what it cannot come to itself is what could not be verified at all. */
export const TRIED: readonly ProblemCode[] = [
  'composition-unsupported',
  ...inspected,
  ...PROBLEM_CODES.filter((code) => /^(?:snp|tdx|sgx|tpm)-/.test(code) && problemOf(code).kind === 'not-genuine'),
]
