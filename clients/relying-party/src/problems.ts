/** What a relying party tells a caller: no valid token (401), a valid one that is not enough (403), or that it cannot say now (503). */
type Row = { readonly status: 401 | 403 | 500 | 503; readonly title: string }

/** Every way in which a check can end badly. The title says what to do about it, and holds nothing of the token. */
const PROBLEMS = {
  'options-invalid': { status: 500, title: 'The relying party asks for something that cannot be checked; mend its options' },
  'keys-unavailable': { status: 503, title: 'The keys of the attestation service cannot be fetched now; try again later' },
  'keys-invalid': { status: 503, title: 'The keys of the attestation service are not a key set to trust; its operator must mend it' },
  'replay-memory-full': { status: 503, title: 'No more proofs can be remembered now; try again later' },
  'token-missing': { status: 401, title: 'Send an attestation token in the header Authorization' },
  'token-malformed': { status: 401, title: 'Send the token as the attestation service issued it: three parts of canonical base64url' },
  'header-not-allowed': { status: 401, title: 'The header of a token may hold alg, typ and kid only' },
  'algorithm-not-allowed': { status: 401, title: 'The token is signed with an algorithm that is not accepted here' },
  'type-not-allowed': { status: 401, title: 'The token is of another type than its profile and mode have' },
  'key-unknown': { status: 401, title: 'The attestation service publishes no such key; get a fresh token from it' },
  'key-unusable': { status: 401, title: 'The attestation service publishes this key in a form that may not verify tokens' },
  'signature-invalid': { status: 401, title: 'The signature of the token does not verify' },
  'claims-malformed': { status: 401, title: 'The token does not hold the claims of its profile' },
  'profile-not-accepted': { status: 401, title: 'Get a token of a profile that is accepted here' },
  'issuer-mismatch': { status: 401, title: 'The token comes from another attestation service' },
  'audience-mismatch': { status: 401, title: 'The token is for another relying party; ask the attestation service for this audience' },
  'demo-not-accepted': { status: 401, title: 'The token was made for a demonstration or a test and proves nothing' },
  'token-expired': { status: 401, title: 'The token has expired; attest again' },
  'token-not-yet-valid': { status: 401, title: 'The token is from the future; mend the clocks' },
  'lifetime-too-long': { status: 401, title: 'The token lives longer than an attestation token may' },
  'freshness-not-accepted': { status: 401, title: 'The token is not fresh in a way that is accepted here' },
  'nonce-mismatch': { status: 401, title: 'The token does not answer the nonce of this relying party; attest with it' },
  'confirmation-missing': { status: 401, title: 'The token is bound to no key; attest with a key of yours' },
  'confirmation-mismatch': { status: 401, title: 'The token is bound to another key than the one that you prove' },
  'confirmation-required': { status: 401, title: 'The token is bound to a key; prove that you have it' },
  'proof-missing': { status: 401, title: 'Send exactly one DPoP proof, with the token under the scheme DPoP' },
  'proof-malformed': { status: 401, title: 'Send a DPoP proof as RFC 9449 describes it' },
  'proof-signature-invalid': { status: 401, title: 'The signature of the DPoP proof does not verify' },
  'proof-mismatch': { status: 401, title: 'The DPoP proof is for another request or another token' },
  'proof-outdated': { status: 401, title: 'Make a DPoP proof for each request, with the right time' },
  'proof-nonce': { status: 401, title: 'Make a DPoP proof with the nonce of the header DPoP-Nonce' },
  'proof-replayed': { status: 401, title: 'The DPoP proof was used before; make one for each request' },
  'certificate-missing': { status: 401, title: 'Connect with a TLS client certificate of the attested key' },
  'certificate-malformed': { status: 401, title: 'The TLS client certificate or key cannot be read' },
  'status-not-accepted': { status: 403, title: 'The verdict of the attestation service is not one that is accepted here' },
  'policy-not-accepted': { status: 403, title: 'The token was given under a policy that is not accepted here' },
  'weakening-not-accepted': { status: 403, title: 'The policy of the token is weakened in a way that is not accepted here' },
  'tolerated-not-accepted': { status: 403, title: 'A check failed and was tolerated, which is not accepted here' },
  'hardware-not-accepted': { status: 403, title: 'The hardware is of a kind that is not accepted here' },
  'debug-not-accepted': { status: 403, title: 'The guest can be debugged from outside, or is not shown to be safe from it' },
  'claim-not-accepted': { status: 403, title: 'The token does not show what is demanded here' },
} as const satisfies Readonly<Record<string, Row>>

/** One of them. */
export type ProblemCode = keyof typeof PROBLEMS

/** What was found and what was expected; for logs of the relying party, not for the caller. */
export type Facts = { readonly [name: string]: unknown }

/** The only error of this package. `code` says what is wrong, `facts` with which value, `status` what HTTP makes of it. */
export class AttestationRefused extends Error {
  readonly code: ProblemCode
  readonly facts: Facts
  readonly status: Row['status']

  constructor(code: ProblemCode, facts: Facts = {}, cause?: unknown) {
    super(PROBLEMS[code].title, cause === undefined ? undefined : { cause })
    this.name = 'AttestationRefused'
    this.code = code
    this.facts = facts
    this.status = PROBLEMS[code].status
  }
}
