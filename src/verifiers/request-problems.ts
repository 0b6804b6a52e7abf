import type { Problem } from './problems.ts'

/** What is wrong with a request before any evidence is read, and with what operators send. A part of the table in problems.ts. */
export const REQUEST_PROBLEMS = {
  'request-malformed': {
    kind: 'malformed',
    title: 'The request is not the JSON that this operation takes',
    remedy: 'Compare the member named in `at` with openapi.yaml; unknown and duplicate members are refused.',
  },
  'request-too-large': {
    kind: 'caller',
    status: 413,
    title: 'The request is larger than the limit',
    remedy: 'Send less; the limits are in the documentation of the operation.',
  },
  'request-headers-too-large': { kind: 'caller', status: 431, title: 'The headers are too large', remedy: 'Send at most 8 KiB of them.' },
  'request-timeout': {
    kind: 'caller',
    status: 408,
    title: 'The request did not arrive in time',
    remedy:
      'Send the whole request within ten seconds; a list that is streamed within two minutes, without a stop of ten seconds, and at 64 KiB a second.',
  },
  'content-type-unsupported': {
    kind: 'caller',
    status: 415,
    title: 'The content type or encoding is not supported',
    remedy: 'Send `Content-Type: application/json` and no Content-Encoding.',
  },
  'not-acceptable-media-type': {
    kind: 'caller',
    status: 406,
    title: 'No media type that the request accepts can be answered',
    remedy: 'Accept application/json, application/eat+jwt or application/jwt.',
  },
  'route-unknown': {
    kind: 'caller',
    status: 404,
    title: 'There is nothing at this address',
    remedy: 'The addresses are listed in /openapi.yaml.',
  },
  'method-not-allowed': {
    kind: 'caller',
    status: 405,
    title: 'This address does not answer to this method',
    remedy: 'Use a method that the Allow header names.',
  },
  unauthenticated: {
    kind: 'caller',
    status: 401,
    title: 'Credentials are missing or wrong',
    remedy: 'Send `Authorization: Bearer` with a token that the operator issued.',
  },
  forbidden: {
    kind: 'caller',
    status: 403,
    title: 'The credentials do not carry the role that this operation needs',
    remedy: 'Ask the operator for a token with the role that `detail` names.',
  },
  'activator-is-author': {
    kind: 'caller',
    status: 403,
    title: 'The operator requires that somebody else activates a version than wrote it',
    remedy: 'Let another operator with the role policy-activator activate it.',
  },
  'identity-provider-unavailable': {
    kind: 'undecided',
    title: 'The identity provider cannot be asked whose token this is',
    remedy: 'Try again after the time that Retry-After gives; operator: make the issuer of `oidc` reachable.',
  },
  'rate-limited': {
    kind: 'caller',
    status: 429,
    title: 'Too many requests from this address or caller',
    remedy: 'Wait for the time that Retry-After gives.',
  },
  'enrolment-off': {
    kind: 'caller',
    status: 404,
    title: 'This service enrols no TPMs',
    remedy: 'Operator: say in `tpm.enrolment` whose TPMs are enrolled.',
  },
  'audience-not-allowed': {
    kind: 'caller',
    status: 403,
    title: 'The audience is unknown or may not use this policy',
    remedy: 'Name an audience and one of its policies as the operator configured them.',
  },
  'composition-unsupported': {
    kind: 'not-acceptable',
    title: 'The evidence is not composed as the policy asks, or such compositions are not supported',
    remedy:
      'Send one evidence item under a policy whose `compositions` hold `single`; `azure-hcl` and `coconut-svsm` are not supported yet.',
  },
  'store-full': {
    kind: 'caller',
    status: 409,
    title: 'The store already holds as many documents, versions or bytes as it takes',
    remedy: 'Nothing is ever removed from a document; write the next versions under another name, or ask the operator for another store.',
  },
  'policy-unknown': {
    kind: 'caller',
    status: 404,
    title: 'There is no policy of this name, or no such version of it',
    remedy: 'Look at GET /v1/policies and at the versions of the policy.',
  },
  'precondition-required': {
    kind: 'caller',
    status: 428,
    title: 'A document is only written by those who say which version they saw',
    remedy: 'Send `If-Match` with the ETag of the latest version, or `If-None-Match: *` for a new document.',
  },
  'policy-conflict': {
    kind: 'caller',
    status: 412,
    title: 'Somebody else changed the policy meanwhile',
    remedy: 'Read the policy again, see what changed, and decide anew.',
  },
  'policy-invalid': {
    kind: 'caller',
    status: 422,
    title: 'The policy cannot be used',
    remedy: 'Mend what the detail names; docs/policies.md lists every member.',
  },
  'policy-managed-by-files': {
    kind: 'caller',
    status: 409,
    title: 'The policy is built in or kept in files, and is not changed here',
    remedy: 'Change its file in the policy folder, or use another name.',
  },
  'policy-version-revoked': {
    kind: 'caller',
    status: 409,
    title: 'This version of the policy was revoked and never counts again',
    remedy: 'Activate another version, or write a new one.',
  },
  'reference-values-unknown': {
    kind: 'caller',
    status: 404,
    title: 'There is no set of reference values of this name, or no such version of it',
    remedy: 'Look at GET /v1/reference-values and at the versions of the set.',
  },
  'reference-values-conflict': {
    kind: 'caller',
    status: 412,
    title: 'Somebody else changed the set of reference values meanwhile',
    remedy: 'Read the set again, see what changed, and decide anew.',
  },
  'reference-values-invalid': {
    kind: 'caller',
    status: 422,
    title: 'The set of reference values cannot be used',
    remedy: 'Mend what the detail names; docs/reference-values.md lists every member.',
  },
  'reference-values-managed-by-files': {
    kind: 'caller',
    status: 409,
    title: 'The set of reference values is kept in files, and is not changed here',
    remedy: 'Change its files in the folder of reference values, or use another name.',
  },
  'reference-values-version-revoked': {
    kind: 'caller',
    status: 409,
    title: 'This version of the set was revoked and never counts again',
    remedy: 'Write a new version with those values that are still good, and activate it.',
  },
  'reference-values-state-refused': {
    kind: 'caller',
    status: 409,
    title: 'The version cannot be given this state now',
    remedy: 'Look at the state that it has: what is in force can be deprecated, until a later time, and what is active is so already.',
  },
  'evidence-type-unsupported': {
    kind: 'malformed',
    title: 'This kind of evidence is not supported',
    remedy: 'Send evidence of a type that the discovery document lists.',
  },
} as const satisfies Record<string, Problem>
