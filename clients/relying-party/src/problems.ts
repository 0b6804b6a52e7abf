/** What a relying party tells a caller: no valid token (401), a valid one that is not enough (403), or that it cannot say now (503). */
type Row = readonly [status: 401 | 403 | 500 | 503, title: string]

/** Every way in which a check can end badly. The title says what to do about it, and holds nothing of the token. */
const PROBLEMS = {
  'options-invalid': [500, 'The options of the relying party cannot be checked; mend them'],
  'keys-unavailable': [503, 'The keys of the attestation service cannot be fetched; try again later'],
  'keys-invalid': [503, 'The attestation service publishes no key set to trust; mend it there'],
  'replay-memory-full': [503, 'No more proofs can be remembered now; try again later'],
  'token-missing': [401, 'Send an attestation token in the header Authorization'],
  'token-malformed': [401, 'Send the token as it was issued: three parts of canonical base64url'],
  'header-not-allowed': [401, 'The header of a token may hold alg, typ and kid only'],
  'algorithm-not-allowed': [401, 'The algorithm of the token is not accepted here'],
  'type-not-allowed': [401, 'The token is of another type than its profile and mode have'],
  'key-unknown': [401, 'No such key is published; get a fresh token'],
  'key-unusable': [401, 'The published key may not verify this token'],
  'signature-invalid': [401, 'The signature of the token does not verify'],
  'claims-malformed': [401, 'The token does not hold the claims of its profile'],
  'profile-not-accepted': [401, 'Get a token of a profile that is accepted here'],
  'issuer-mismatch': [401, 'The token comes from another attestation service'],
  'audience-mismatch': [401, 'The token is for another relying party; ask for this audience'],
  'demo-not-accepted': [401, 'A token of a demonstration or a test proves nothing'],
  'token-expired': [401, 'The token has expired; attest again'],
  'token-not-yet-valid': [401, 'The token is from the future; mend the clocks'],
  'lifetime-too-long': [401, 'The token lives longer than an attestation token may'],
  'freshness-not-accepted': [401, 'The freshness of the token is not accepted here'],
  'nonce-mismatch': [401, 'Attest with the nonce of this relying party'],
  'confirmation-missing': [401, 'The token is bound to no key; attest with a key of yours'],
  'confirmation-mismatch': [401, 'The token is bound to another key than you prove'],
  'confirmation-required': [401, 'The token is bound to a key; prove that you have it'],
  'proof-missing': [401, 'Send exactly one DPoP proof, with the token under the scheme DPoP'],
  'proof-malformed': [401, 'Send a DPoP proof as RFC 9449 describes it'],
  'proof-signature-invalid': [401, 'The signature of the proof does not verify'],
  'proof-mismatch': [401, 'The proof is for another request or another token'],
  'proof-outdated': [401, 'Make a proof for each request, with the right time'],
  'proof-nonce': [401, 'Make a proof with the nonce of the header DPoP-Nonce'],
  'proof-replayed': [401, 'The proof was used before; make one for each request'],
  'certificate-missing': [401, 'Connect with a TLS client certificate of the attested key'],
  'certificate-malformed': [401, 'The TLS client certificate or key cannot be read'],
  'status-not-accepted': [403, 'The verdict is not accepted here'],
  'policy-not-accepted': [403, 'The policy is not accepted here'],
  'weakening-not-accepted': [403, 'A weakening of the policy is not accepted here'],
  'tolerated-not-accepted': [403, 'A check failed and was tolerated, which is not accepted here'],
  'hardware-not-accepted': [403, 'The hardware is not accepted here'],
  'debug-not-accepted': [403, 'The guest is not shown to be safe from debugging'],
  'claim-not-accepted': [403, 'The token does not show what is demanded here'],
} as const satisfies Readonly<Record<string, Row>>

/** One of them. */
export type ProblemCode = keyof typeof PROBLEMS

/** What was found and what was expected; for logs of the relying party, not for the caller. */
export type Facts = { readonly [name: string]: unknown }

/** The only error of this package. `code` says what is wrong, `facts` with which value, `status` what HTTP makes of it. */
export class AttestationRefused extends Error {
  readonly code: ProblemCode
  readonly facts: Facts
  readonly status: Row[0]

  constructor(code: ProblemCode, facts: Facts = {}, cause?: unknown) {
    super(PROBLEMS[code][1], cause === undefined ? undefined : { cause })
    this.name = 'AttestationRefused'
    this.code = code
    this.facts = facts
    this.status = PROBLEMS[code][0]
  }
}
