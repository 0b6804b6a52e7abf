import type { z } from 'zod'
import type { ProblemCode } from '../../verifiers/problems.ts'
import { referenceActivationRequest, referenceDryRunRequest } from '../reference-requests.ts'
import { ALWAYS, BODY, CALLER, TRIED } from './common-problems.ts'
import * as answers from './reference-answers.ts'
import { SET_ACTIVATION_REQUESTS, SET_ANSWERS, SET_DOCUMENTS, SET_DRY_RUN_REQUESTS, SET_YAML } from './reference-examples.ts'

const READ: readonly ProblemCode[] = [...ALWAYS, ...CALLER, 'forbidden', 'not-ready']
const ONE: readonly ProblemCode[] = [...READ, 'reference-values-unknown']
const CHANGED: readonly ProblemCode[] = [
  'reference-values-conflict',
  'reference-values-invalid',
  'reference-values-managed-by-files',
  'audit-unavailable',
  'store-full',
]

const json = (schema: z.ZodType, example: unknown) => ({ 'application/json': { schema, example } })
const VIEW = {
  'application/json': { schema: answers.setTextAnswer, example: SET_ANSWERS.view },
  'application/yaml': { schema: 'text', example: SET_YAML },
} as const
const ETAG = 'Names the latest version, for the If-Match of whoever writes the next; of a GET also this very answer'

/** What the contract says of the operations on reference values. */
export const REFERENCE_OPERATIONS = {
  'GET /v1/reference-values': {
    operationId: 'listReferenceValues',
    tag: 'Policies',
    summary: 'See which sets of reference values there are',
    description:
      'Each with where it is kept, the versions that give values now, and the latest one; in one answer, because there are 2,100 at most.',
    answer: { status: 200, description: 'All sets', content: json(answers.setsAnswer, SET_ANSWERS.list) },
    problems: READ,
  },
  'GET /v1/reference-values/{name}': {
    operationId: 'getReferenceValues',
    tag: 'Policies',
    summary: 'Get a set of reference values',
    description:
      'With the text of its latest version; `Accept: application/yaml` gives the bare text. Whoever sends the ETag in `If-None-Match` gets 304 while the answer is the same.',
    answer: { status: 200, description: 'The set', content: VIEW, headers: { ETag: ETAG } },
    problems: [...ONE, 'not-acceptable-media-type'],
  },
  'PUT /v1/reference-values/{name}': {
    operationId: 'putReferenceValues',
    tag: 'Policies',
    summary: 'Write the next version of a set of reference values',
    description:
      'The version is a draft that gives no value until it is activated. Whoever writes says which version they saw, in `If-Match`, or that there was none, with `If-None-Match: *`. 1 MiB at most.',
    conditional: 'conditional',
    request: { schema: answers.setBody, required: 'required', examples: SET_DOCUMENTS, yaml: SET_YAML },
    answer: {
      status: 201,
      description: 'Kept as the next version',
      content: json(answers.setTextAnswer, SET_ANSWERS.view),
      unchanged: 'The latest version says this already',
      headers: { ETag: ETAG, Location: 'The version' },
    },
    problems: [...READ, ...BODY, ...CHANGED, 'precondition-required'],
  },
  'GET /v1/reference-values/{name}/versions': {
    operationId: 'listReferenceValuesVersions',
    tag: 'Policies',
    summary: 'See the versions of a set of reference values',
    description: 'Every version that was ever kept, with its author, how it stands, and why it gives no value now; 1,000 at most.',
    answer: { status: 200, description: 'The versions', content: json(answers.setVersionsAnswer, SET_ANSWERS.versions) },
    problems: ONE,
  },
  'GET /v1/reference-values/{name}/versions/{version}': {
    operationId: 'getReferenceValuesVersion',
    tag: 'Policies',
    summary: 'Get one version of a set of reference values',
    description: 'With its text as it was written.',
    answer: { status: 200, description: 'The version', content: json(answers.setVersionAnswer, SET_ANSWERS.version) },
    problems: ONE,
  },
  'POST /v1/reference-values/{name}/activations': {
    operationId: 'createReferenceValuesActivation',
    tag: 'Policies',
    summary: 'Decide whether a version of a set gives values',
    description:
      'For all processes and replicas, at the latest within a second. Several versions may be active at once. A deprecated one gives values until the time that is named, and may be activated again; a revoked one never. Of two who decide at once one is refused with 412.',
    request: { schema: referenceActivationRequest, required: 'required', examples: SET_ACTIVATION_REQUESTS },
    answer: { status: 201, description: 'Decided', content: json(answers.setAnswer, SET_ANSWERS.entry) },
    problems: [...ONE, ...BODY, ...CHANGED, 'reference-values-version-revoked', 'reference-values-state-refused', 'activator-is-author'],
  },
  'POST /v1/reference-values/{name}/dry-runs': {
    operationId: 'createReferenceValuesDryRun',
    tag: 'Policies',
    summary: 'Try a set of reference values against evidence',
    description:
      'How the policies that name the set judge, how they would if a draft or a version of it were active beside the others, or a version revoked, and which checks differ. Uses only the vendor documents that are at hand, spends nothing, and never makes a token.',
    request: { schema: referenceDryRunRequest, required: 'required', examples: SET_DRY_RUN_REQUESTS },
    answer: { status: 200, description: 'Both verdicts of each policy', content: json(answers.setDryRunAnswer, SET_ANSWERS.dryRun) },
    problems: [...ONE, ...BODY, 'policy-unknown', 'reference-values-invalid', 'reference-values-version-revoked', ...TRIED],
  },
} as const
