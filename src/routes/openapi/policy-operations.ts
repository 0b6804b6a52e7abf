import type { z } from 'zod'
import type { ProblemCode } from '../../verifiers/problems.ts'
import { activationRequest, dryRunRequest } from '../policy-requests.ts'
import { ALWAYS, BODY, CALLER, TRIED } from './common-problems.ts'
import * as answers from './policy-answers.ts'
import { ACTIVATION_REQUESTS, DRY_RUN_REQUESTS, POLICY_ANSWERS, POLICY_DOCUMENTS, POLICY_YAML } from './policy-examples.ts'

const READ: readonly ProblemCode[] = [...ALWAYS, ...CALLER, 'forbidden', 'not-ready']
const ONE: readonly ProblemCode[] = [...READ, 'policy-unknown']
const CHANGED: readonly ProblemCode[] = ['policy-conflict', 'policy-invalid', 'policy-managed-by-files', 'audit-unavailable', 'store-full']

const json = (schema: z.ZodType, example: unknown) => ({ 'application/json': { schema, example } })
const VIEW = {
  'application/json': { schema: answers.policyTextAnswer, example: POLICY_ANSWERS.view },
  'application/yaml': { schema: 'text', example: POLICY_YAML },
} as const
const ETAG = 'Names the latest version, for the If-Match of whoever writes the next; of a GET also this very answer'

/** What the contract says of the operations on policies. */
export const POLICY_OPERATIONS = {
  'GET /v1/policies': {
    operationId: 'listPolicies',
    tag: 'Policies',
    summary: 'See which policies there are',
    description: 'Each with where it is kept, the version that judges, and the latest one; in one answer, because there are 2,100 at most.',
    answer: { status: 200, description: 'All policies', content: json(answers.policiesAnswer, POLICY_ANSWERS.list) },
    problems: READ,
  },
  'GET /v1/policies/{name}': {
    operationId: 'getPolicy',
    tag: 'Policies',
    summary: 'Get a policy',
    description:
      'With the text of its latest version; `Accept: application/yaml` gives the bare text. Whoever sends the ETag in `If-None-Match` gets 304 while the answer is the same.',
    answer: { status: 200, description: 'The policy', content: VIEW, headers: { ETag: ETAG } },
    problems: [...ONE, 'not-acceptable-media-type'],
  },
  'PUT /v1/policies/{name}': {
    operationId: 'putPolicy',
    tag: 'Policies',
    summary: 'Write the next version of a policy',
    description:
      'The version counts for nothing until it is activated. Whoever writes says which version they saw, in `If-Match`, or that there was none, with `If-None-Match: *`. 1 MiB at most.',
    conditional: 'conditional',
    request: { schema: answers.policyBody, required: 'required', examples: POLICY_DOCUMENTS, yaml: POLICY_YAML },
    answer: {
      status: 201,
      description: 'Kept as the next version',
      content: json(answers.policyTextAnswer, POLICY_ANSWERS.view),
      unchanged: 'The latest version says this already',
      headers: { ETag: ETAG, Location: 'The version' },
    },
    problems: [...READ, ...BODY, ...CHANGED, 'precondition-required'],
  },
  'GET /v1/policies/{name}/versions': {
    operationId: 'listPolicyVersions',
    tag: 'Policies',
    summary: 'See the versions of a policy',
    description: 'Every version that was ever kept, with its author and what it counts for; 1,000 at most.',
    answer: { status: 200, description: 'The versions', content: json(answers.versionsAnswer, POLICY_ANSWERS.versions) },
    problems: ONE,
  },
  'GET /v1/policies/{name}/versions/{version}': {
    operationId: 'getPolicyVersion',
    tag: 'Policies',
    summary: 'Get one version of a policy',
    description: 'With its text as it was written.',
    answer: { status: 200, description: 'The version', content: json(answers.versionAnswer, POLICY_ANSWERS.version) },
    problems: ONE,
  },
  'POST /v1/policies/{name}/activations': {
    operationId: 'createActivation',
    tag: 'Policies',
    summary: 'Bring a version into force, or take it out',
    description:
      'For all processes and replicas, at the latest within a second. Rolling back is activating an older version. Of two who decide at once one is refused with 412. What was revoked never counts again.',
    request: { schema: activationRequest, required: 'required', examples: ACTIVATION_REQUESTS },
    answer: { status: 201, description: 'Decided', content: json(answers.policyAnswer, POLICY_ANSWERS.entry) },
    problems: [...ONE, ...BODY, ...CHANGED, 'policy-version-revoked', 'activator-is-author'],
  },
  'POST /v1/policies/{name}/dry-runs': {
    operationId: 'createDryRun',
    tag: 'Policies',
    summary: 'Try a policy against evidence',
    description:
      'How a draft or a version would judge, how the active version does, and which checks differ. Uses only the vendor documents that are at hand, spends nothing, and never makes a token.',
    request: { schema: dryRunRequest, required: 'required', examples: DRY_RUN_REQUESTS },
    answer: { status: 200, description: 'Both verdicts', content: json(answers.dryRunAnswer, POLICY_ANSWERS.dryRun) },
    problems: [...ONE, ...BODY, 'policy-invalid', ...TRIED],
  },
} as const
