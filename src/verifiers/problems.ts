import { REQUEST_PROBLEMS } from './request-problems.ts'
import { SNP_PROBLEMS } from './snp/problems.ts'
import { TDX_PROBLEMS } from './tdx/problems.ts'
import { TPM_PROBLEMS } from './tpm/problems.ts'
import type { Check } from './verifier.ts'

/**
 * What a problem is, whichever code it has (design section 3, Codes and statuses):
 * the caller's doing, unreadable evidence, forged evidence, honest evidence that a policy refuses, no verdict possible, or our own fault.
 */
type ProblemKind = 'caller' | 'malformed' | 'not-genuine' | 'not-acceptable' | 'undecided' | 'internal'

/** One row of the table: `meaning` says what was found, `remedy` what mends it. Callers' problems have a status of their own. */
export type Problem = { readonly title: string; readonly remedy: string } & (
  | { readonly kind: Exclude<ProblemKind, 'caller'> }
  | {
      readonly kind: 'caller'
      readonly status: 400 | 401 | 403 | 404 | 405 | 406 | 408 | 409 | 412 | 413 | 414 | 415 | 422 | 428 | 429 | 431
    }
)

/**
 * Every problem that this service reports, in the order in which they outrank each other: the nearer the root of trust, the higher.
 * Codes are public API: add freely, never rename, never reuse.
 */
export const PROBLEMS = {
  ...REQUEST_PROBLEMS,

  // The challenge, made once by the service.
  'nonce-conflict': {
    kind: 'malformed',
    title: 'Exactly one of nonce and relying_party_nonce must be sent',
    remedy: 'Send `nonce` (from POST /v1/challenges) or `relying_party_nonce`, not both and not neither.',
  },
  'relying-party-nonce-not-allowed': {
    kind: 'not-acceptable',
    title: 'This audience or policy does not take a nonce of the relying party',
    remedy: 'Use a challenge from POST /v1/challenges.',
  },
  'relying-party-nonce-invalid': {
    kind: 'malformed',
    title: 'The nonce of the relying party cannot be used with this binding',
    remedy: 'Send 8 to 64 bytes; with binding "nonce" 8 to 48 that do not end in 00, and with a TPM quote not 32.',
  },
  'challenge-misused': {
    kind: 'caller',
    status: 403,
    title: 'A challenge of this service was sent as a nonce of the relying party',
    remedy: 'Send it as `nonce`.',
  },
  'challenge-unknown': {
    kind: 'not-genuine',
    title: 'The challenge was not issued by this service, or not since its store was last started',
    remedy: 'Fetch a new challenge and make new evidence for it.',
  },
  'challenge-expired': {
    kind: 'not-genuine',
    title: 'The challenge has expired',
    remedy: 'Fetch a new challenge and use it at once.',
  },
  'challenge-spent': {
    kind: 'not-genuine',
    title: 'The challenge has been used before',
    remedy: 'Fetch a new challenge for every appraisal.',
  },
  'binding-invalid': {
    kind: 'malformed',
    title: 'The binding does not allow the members that came with it',
    remedy: 'With binding "nonce", leave out cnf_jwk and runtime_data.',
  },
  'cnf-key-invalid': {
    kind: 'malformed',
    title: 'cnf_jwk is not a public key of an accepted kind',
    remedy: 'Send the public members of an EC P-256, P-384, Ed25519 or RSA (2048 bits or more) JWK only.',
  },
  'cnf-proof-invalid': {
    kind: 'not-genuine',
    title: 'The proof of possession does not verify',
    remedy: 'Sign the proof input with the private key of cnf_jwk, as the documentation of binding says.',
  },
  'cnf-key-required': {
    kind: 'not-acceptable',
    title: 'The policy requires a key that the evidence binds',
    remedy: 'Send cnf_jwk and cnf_proof, and bind them into the evidence.',
  },

  // No verdict is possible.
  overloaded: {
    kind: 'undecided',
    title: 'The service has as much work as it can do',
    remedy: 'Try again after the time that Retry-After gives.',
  },
  'not-ready': {
    kind: 'undecided',
    title: 'The service is not ready to decide',
    remedy: 'Look at /readyz; try again after the time that Retry-After gives.',
  },
  'audit-unavailable': {
    kind: 'undecided',
    title: 'The audit log cannot be written, so no token is issued',
    remedy: 'Operator: make the audit log writable again.',
  },
  'collateral-unavailable': {
    kind: 'undecided',
    title: 'Vendor collateral could not be obtained',
    remedy: 'Try again after the time that Retry-After gives, or send the certificate with the evidence.',
  },
  'collateral-expired': {
    kind: 'undecided',
    title: 'What the verdict relies on expires too soon for a token',
    remedy: 'Try again after the time that Retry-After gives; operator: refresh the collateral.',
  },

  ...SNP_PROBLEMS,
  ...TDX_PROBLEMS,
  ...TPM_PROBLEMS,

  'evidence-malformed': {
    kind: 'malformed',
    title: 'The evidence does not follow its specification',
    remedy: 'Send the bytes exactly as the platform gave them.',
  },
  'evidence-type-not-accepted': {
    kind: 'not-acceptable',
    title: 'The policy does not accept this type of evidence',
    remedy: 'Send evidence of a type that the policy lists under `evidence`, or name another policy of the audience.',
  },
  'token-name-unavailable': {
    kind: 'not-acceptable',
    title: 'A name that the policy gives its tokens cannot be formed from this evidence',
    remedy: 'Operator: let `token.subject` and `token.groups` hold values only that every guest of this policy has.',
  },
  'policy-denied': {
    kind: 'not-acceptable',
    title: 'The evidence is genuine, but the policy refuses it',
    remedy: 'Ask the operator which rule refused it.',
  },
  'internal-error': { kind: 'internal', title: 'The service failed', remedy: 'Give the request id to the operator.' },
} as const satisfies Record<string, Problem>

/** The closed list of codes. */
export type ProblemCode = keyof typeof PROBLEMS

const STATUS_OF_KIND = { malformed: 400, 'not-genuine': 422, 'not-acceptable': 403, undecided: 503, internal: 500 } as const

/** The row of a code. */
export const problemOf = (code: ProblemCode): Problem => PROBLEMS[code]

/** The HTTP status of a code (design section 3). */
export function statusOf(code: ProblemCode): number {
  const problem = problemOf(code)
  return problem.kind === 'caller' ? problem.status : STATUS_OF_KIND[problem.kind]
}

/** Every code in rank order. */
export const PROBLEM_CODES: readonly ProblemCode[] = Object.keys(PROBLEMS).filter(isProblemCode)

/** Whether a string is one of our codes. */
export function isProblemCode(text: string): text is ProblemCode {
  return Object.hasOwn(PROBLEMS, text)
}

/** Thrown where reading cannot go on. Facts are in fields; `message` is for logs and for `detail`, and holds no bytes of the caller. */
export class AttestationError extends Error {
  override readonly name = 'AttestationError'
  readonly code: ProblemCode
  /** The field, certificate or member that failed, in the vocabulary of its specification. */
  readonly at: string | undefined
  /** Seconds after which the same request may succeed. */
  readonly retryAfter: number | undefined
  /** Checks made before and at the failure, in order; the last one is the failed one. */
  readonly checks: readonly Check[]

  constructor(code: ProblemCode, detail: string, facts: ErrorFacts = {}) {
    super(detail, { cause: facts.cause })
    this.code = code
    this.at = facts.at
    this.retryAfter = facts.retryAfter
    this.checks = facts.checks ?? []
  }
}

/** What an error says in fields rather than in text. */
export type ErrorFacts = {
  readonly at?: string
  readonly retryAfter?: number
  readonly cause?: unknown
  readonly checks?: readonly Check[]
}
