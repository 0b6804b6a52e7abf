import { z } from 'zod'
import { PROBLEM_CODES, problemOf, type ProblemCode } from '../../verifiers/problems.ts'
import { appraisalRequest, challengeRequest, inspectionRequest } from '../requests.ts'
import { ALWAYS, BODY, CALLER, inspected } from './common-problems.ts'
import { ENROLMENT_OPERATIONS } from './enrolment-operations.ts'
import { POLICY_OPERATIONS } from './policy-operations.ts'
import { REFERENCE_OPERATIONS } from './reference-operations.ts'
import { TOKEN_OPERATIONS } from './token-operations.ts'
import type { Operation } from '../table.ts'
import * as answers from './answers.ts'
import { ANSWERS, APPRAISAL_REQUESTS, CHALLENGE_REQUESTS, INSPECTION_REQUESTS } from './examples.ts'

type Examples = Readonly<Record<string, { readonly summary: string; readonly value: unknown }>>
/** One media type of an answer; `text` is for what is not JSON. */
type Content = { readonly schema: z.ZodType | 'text'; readonly example?: unknown }

/** What the contract says of one operation; method, path and access are in the table of routes. */
export type Description = {
  readonly operationId: string
  readonly tag: 'Attestation' | 'Policies' | 'Relying parties' | 'Operation' | 'Documentation'
  readonly summary: string
  readonly description: string
  /** `yaml`: an example of the same as text. `form`: the members are parts of a form. */
  readonly request?: {
    readonly schema: z.ZodType
    readonly required: 'required' | 'optional'
    readonly examples: Examples
    readonly yaml?: string
    readonly form?: 'multipart'
  }
  /** The operation wants `If-Match` or `If-None-Match`. */
  readonly conditional?: 'conditional'
  readonly answer: {
    readonly status: 200 | 201
    readonly description: string
    readonly content: Readonly<Record<string, Content>>
    /** What a 200 means where the usual answer is 201. */
    readonly unchanged?: string
    /** Name and meaning of headers that not every answer has. */
    readonly headers?: Readonly<Record<string, string>>
  }
  readonly problems: readonly ProblemCode[]
}

const JUDGED: readonly ProblemCode[] = ['audience-not-allowed', 'composition-unsupported', 'challenge-misused', 'not-acceptable-media-type']

/** Everything that a verdict can be; what is the caller's doing is listed above. */
const verdicts = PROBLEM_CODES.filter((code) => problemOf(code).kind !== 'caller')

const json = (schema: z.ZodType, example: unknown) => ({ 'application/json': { schema, example } })

/** The parts of a streamed request. */
const streamedRequest = z.object({
  request: appraisalRequest,
  ima_log: z.string().meta({ format: 'binary', description: 'The IMA list, ASCII or binary' }),
})

/** Every row of the table of routes has its description here, or this does not compile. */
export const OPERATIONS = {
  'POST /v1/challenges': {
    operationId: 'createChallenge',
    tag: 'Attestation',
    summary: 'Get a nonce',
    description: 'A nonce to bind into evidence: good for one appraisal, for a few minutes.',
    request: { schema: challengeRequest, required: 'optional', examples: CHALLENGE_REQUESTS },
    answer: { status: 201, description: 'A fresh challenge', content: json(answers.challengeAnswer, ANSWERS.challenge) },
    problems: [...ALWAYS, ...CALLER, ...BODY, 'not-ready'],
  },
  'POST /v1/appraisals': {
    operationId: 'createAppraisal',
    tag: 'Attestation',
    summary: 'Have evidence appraised',
    description:
      'Evidence in, token and appraisal out. A refusal has another status than 201 and never carries a token; its `code` is the failed check nearest the root of trust, and `checks` lists them all. After 503 the same request may be sent again.',
    request: { schema: appraisalRequest, required: 'required', examples: APPRAISAL_REQUESTS },
    answer: {
      status: 201,
      description: 'Accepted',
      content: {
        ...json(answers.appraisalAnswer, ANSWERS.appraisal),
        'application/eat+jwt': { schema: 'text', example: ANSWERS.token },
        'application/jwt': { schema: 'text', example: ANSWERS.token },
      },
    },
    problems: [...ALWAYS, ...CALLER, ...BODY, ...JUDGED, ...verdicts],
  },
  'POST /v1/appraisals/streamed': {
    operationId: 'createStreamedAppraisal',
    tag: 'Attestation',
    summary: 'Have a TPM host appraised whose IMA list is long',
    description:
      'Two parts in this order: `request`, the JSON of POST /v1/appraisals with one item of type `tpm` and without `ima_log`; then `ima_log`, the list as the kernel gives it, up to 16 MiB unless the operator takes more. It is judged as it arrives. Answers are those of POST /v1/appraisals.',
    request: { schema: streamedRequest, required: 'required', examples: {}, form: 'multipart' },
    answer: {
      status: 201,
      description: 'Accepted',
      content: {
        ...json(answers.appraisalAnswer, ANSWERS.appraisal),
        'application/eat+jwt': { schema: 'text', example: ANSWERS.token },
        'application/jwt': { schema: 'text', example: ANSWERS.token },
      },
    },
    problems: [...ALWAYS, ...CALLER, ...BODY, ...JUDGED, ...verdicts],
  },
  'POST /v1/inspections': {
    operationId: 'createInspection',
    tag: 'Attestation',
    summary: 'Decode evidence without trusting it',
    description: 'Every field of evidence in words. Nothing is verified, nothing is spent, and there is never a token.',
    request: { schema: inspectionRequest, required: 'required', examples: INSPECTION_REQUESTS },
    answer: { status: 200, description: 'The decoded fields', content: json(answers.inspectionAnswer, ANSWERS.inspection) },
    problems: [...ALWAYS, ...CALLER, ...BODY, ...inspected],
  },
  'GET /v1/collateral': {
    operationId: 'listCollateral',
    tag: 'Operation',
    summary: 'See which vendor documents are cached',
    description: 'Age, expiry and next refresh of each. Addresses that name a chip are shown to callers with a role only.',
    answer: { status: 200, description: 'What is cached', content: json(answers.collateralAnswer, ANSWERS.collateral) },
    problems: [...ALWAYS, ...CALLER],
  },
  ...ENROLMENT_OPERATIONS,
  ...POLICY_OPERATIONS,
  ...REFERENCE_OPERATIONS,
  'GET /.well-known/jwks.json': {
    operationId: 'getJwks',
    tag: 'Relying parties',
    summary: 'Get the public keys that tokens are signed with',
    description: 'RFC 7517. `kid` is the RFC 7638 thumbprint.',
    answer: { status: 200, description: 'The key set', content: json(answers.jwksAnswer, ANSWERS.jwks) },
    problems: [...ALWAYS, 'not-ready'],
  },
  'GET /.well-known/openid-configuration': {
    operationId: 'getDiscovery',
    tag: 'Relying parties',
    summary: 'Get the discovery document',
    description: 'OpenID Connect discovery, for relying parties that take this service as an issuer.',
    answer: { status: 200, description: 'The discovery document', content: json(answers.discoveryAnswer, ANSWERS.discovery) },
    problems: ALWAYS,
  },
  'GET /livez': {
    operationId: 'getLiveness',
    tag: 'Operation',
    summary: 'Ask whether the process answers',
    description: 'Asks nothing else.',
    answer: { status: 200, description: 'It does', content: json(answers.aliveAnswer, ANSWERS.alive) },
    problems: ALWAYS,
  },
  'GET /readyz': {
    operationId: 'getReadiness',
    tag: 'Operation',
    summary: 'Ask whether the process can decide',
    description: 'False while it starts, drains, or lacks what it needs; `detail` then says why.',
    answer: { status: 200, description: 'It can', content: json(answers.readyAnswer, ANSWERS.ready) },
    problems: [...ALWAYS, 'not-ready'],
  },
  'GET /openapi.yaml': {
    operationId: 'getContract',
    tag: 'Documentation',
    summary: 'Get this document',
    description: 'OpenAPI 3.1. Whoever sends the ETag in `If-None-Match` gets 304 while the document is the same.',
    answer: {
      status: 200,
      description: 'This document',
      content: { 'application/yaml': { schema: 'text' } },
      headers: { ETag: 'Names this text' },
    },
    problems: ALWAYS,
  },
  'GET /schemas/policy.json': {
    operationId: 'getPolicySchema',
    tag: 'Documentation',
    summary: 'Get the JSON Schema of a policy',
    description: 'JSON Schema 2020-12. What several members say together is checked when a policy is read.',
    answer: {
      status: 200,
      description: 'The schema',
      content: { 'application/schema+json': { schema: 'text' } },
      headers: { ETag: 'Names this text' },
    },
    problems: ALWAYS,
  },
  ...TOKEN_OPERATIONS,
  'GET /problems/{code}': {
    operationId: 'getProblem',
    tag: 'Documentation',
    summary: 'Get the page of a problem',
    description: 'Where the `type` of every problem leads.',
    answer: {
      status: 200,
      description: 'What the code means and what mends it',
      content: { 'text/html': { schema: 'text' }, 'application/json': { schema: answers.problemPageAnswer } },
    },
    problems: [...ALWAYS, 'route-unknown', 'not-acceptable-media-type'],
  },
} as const satisfies Record<Operation, Description>
