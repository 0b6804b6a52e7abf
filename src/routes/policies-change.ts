import type { Precondition } from '../policies/policies.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { actOf, recorded, type Action } from './act.ts'
import { readDocumentBody, readJsonBody } from './body.ts'
import { json, type Call, type Handler } from './call.ts'
import { versionTag } from './etag.ts'
import { entryBody, viewBody } from './policies.ts'
import { activationRequest } from './policy-requests.ts'
import { parseRequest } from './requests.ts'

/** PUT /v1/policies/{name}: keeps the next version, which counts for nothing until somebody activates it. */
export const putPolicy: Handler = async (call, services) => {
  const act = actOf(call, services, 'policy-put')
  const precondition = preconditionOf(call)
  const text = await readDocumentBody(call)
  const draft = { name: call.param('name'), text, by: act.call.caller.name, precondition }
  const { view, outcome } = await recorded(act, (record) => services.policies.put(draft, record))
  const location = `/v1/policies/${view.name}/versions/${view.latest.version}`
  return json(outcome === 'same' ? 200 : 201, viewBody(view, services), { etag: view.etag, location })
}

/** Whoever writes says what they saw, so that nobody overwrites what they do not know. */
export function preconditionOf(call: Call): Precondition {
  const [match, noneMatch] = [call.header('if-match'), call.header('if-none-match')]
  if (match !== undefined && noneMatch === undefined) return { ifMatch: versionTag(match.trim()) }
  if (match === undefined && noneMatch?.trim() === '*') return 'absent'
  throw new AttestationError('precondition-required', 'send If-Match with one ETag, or If-None-Match: *', { at: 'If-Match' })
}

const ACTIONS = { active: 'policy-activation', shadow: 'policy-shadow', revoked: 'policy-revocation' } as const satisfies Record<
  string,
  Action
>

/** POST /v1/policies/{name}/activations: decides what a version counts for, for all processes and replicas. */
export const createActivation: Handler = async (call, services) => {
  const { expected_counter: expectedCounter, ...wanted } = parseRequest(activationRequest, await readJsonBody(call, services.limits))
  const act = actOf(call, services, ACTIONS[wanted.as])
  const activation = { ...wanted, name: call.param('name'), by: act.call.caller.name, expectedCounter }
  return json(201, entryBody(await recorded(act, (record) => services.policies.activate(activation, record)), services))
}
