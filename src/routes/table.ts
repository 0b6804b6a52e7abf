import { createAppraisal } from './appraisals.ts'
import type { Route } from './call.ts'
import { createStreamedAppraisal } from './streamed.ts'
import { issueChallenge } from './challenges.ts'
import { listCollateral } from './collateral.ts'
import { contract, policyDocumentSchema, tokenSchema } from './contract.ts'
import { jwks, openidConfiguration } from './discovery.ts'
import { createDryRun } from './dry-runs.ts'
import { createEnrolment, createEnrolmentActivation } from './enrolments.ts'
import { livez, readyz } from './health.ts'
import { createInspection } from './inspections.ts'
import { createActivation, putPolicy } from './policies-change.ts'
import { getPolicy, getPolicyVersion, listPolicies, listPolicyVersions } from './policies.ts'
import { problemPage } from './problem-pages.ts'
import { createReferenceDryRun } from './reference-dry-runs.ts'
import { createReferenceActivation, putReferenceValues } from './reference-values-change.ts'
import { getReferenceValues, getReferenceVersion, listReferenceValues, listReferenceVersions } from './reference-values.ts'
import { listTokenKeys } from './token-keys.ts'

/** Every route with who may call it. What is not here does not exist; openapi.yaml describes the same rows. */
export const ROUTES = [
  { method: 'POST', path: '/v1/challenges', access: 'anyone', handler: issueChallenge },
  { method: 'POST', path: '/v1/appraisals', access: 'anyone', handler: createAppraisal },
  { method: 'POST', path: '/v1/appraisals/streamed', access: 'anyone', handler: createStreamedAppraisal },
  { method: 'POST', path: '/v1/inspections', access: 'anyone', handler: createInspection },
  { method: 'POST', path: '/v1/tpm/enrolments', access: 'anyone', handler: createEnrolment },
  { method: 'POST', path: '/v1/tpm/enrolments/activations', access: 'anyone', handler: createEnrolmentActivation },
  { method: 'GET', path: '/v1/collateral', access: 'anyone', handler: listCollateral },
  { method: 'GET', path: '/v1/token-keys', access: 'viewer', handler: listTokenKeys },
  { method: 'GET', path: '/v1/policies', access: 'viewer', handler: listPolicies },
  { method: 'GET', path: '/v1/policies/{name}', access: 'viewer', handler: getPolicy },
  { method: 'PUT', path: '/v1/policies/{name}', access: 'policy-author', handler: putPolicy },
  { method: 'GET', path: '/v1/policies/{name}/versions', access: 'viewer', handler: listPolicyVersions },
  { method: 'GET', path: '/v1/policies/{name}/versions/{version}', access: 'viewer', handler: getPolicyVersion },
  { method: 'POST', path: '/v1/policies/{name}/activations', access: 'policy-activator', handler: createActivation },
  { method: 'POST', path: '/v1/policies/{name}/dry-runs', access: 'policy-author', handler: createDryRun },
  { method: 'GET', path: '/v1/reference-values', access: 'viewer', handler: listReferenceValues },
  { method: 'GET', path: '/v1/reference-values/{name}', access: 'viewer', handler: getReferenceValues },
  { method: 'PUT', path: '/v1/reference-values/{name}', access: 'policy-author', handler: putReferenceValues },
  { method: 'GET', path: '/v1/reference-values/{name}/versions', access: 'viewer', handler: listReferenceVersions },
  { method: 'GET', path: '/v1/reference-values/{name}/versions/{version}', access: 'viewer', handler: getReferenceVersion },
  { method: 'POST', path: '/v1/reference-values/{name}/activations', access: 'policy-activator', handler: createReferenceActivation },
  { method: 'POST', path: '/v1/reference-values/{name}/dry-runs', access: 'policy-author', handler: createReferenceDryRun },
  { method: 'GET', path: '/.well-known/jwks.json', access: 'public', handler: jwks },
  { method: 'GET', path: '/.well-known/openid-configuration', access: 'public', handler: openidConfiguration },
  { method: 'GET', path: '/livez', access: 'public', handler: livez },
  { method: 'GET', path: '/readyz', access: 'public', handler: readyz },
  { method: 'GET', path: '/openapi.yaml', access: 'public', handler: contract },
  { method: 'GET', path: '/schemas/policy.json', access: 'public', handler: policyDocumentSchema },
  { method: 'GET', path: '/schemas/token-lean.json', access: 'public', handler: tokenSchema('lean') },
  { method: 'GET', path: '/schemas/token-ear.json', access: 'public', handler: tokenSchema('ear') },
  { method: 'GET', path: '/schemas/token-ear-veraison.json', access: 'public', handler: tokenSchema('ear-veraison') },
  { method: 'GET', path: '/problems/{code}', access: 'public', handler: problemPage },
] as const satisfies readonly Route[]

type Named<R> = R extends { readonly method: infer M extends string; readonly path: infer P extends string } ? `${M} ${P}` : never
/** `POST /v1/challenges` and so on: a row without a description in the contract does not compile. */
export type Operation = Named<(typeof ROUTES)[number]>
