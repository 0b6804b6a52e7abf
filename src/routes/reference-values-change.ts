import { actOf, recorded, type Action } from './act.ts'
import { readDocumentBody, readJsonBody } from './body.ts'
import { json, type Handler } from './call.ts'
import { preconditionOf } from './policies-change.ts'
import { referenceActivationRequest } from './reference-requests.ts'
import { setBody, setViewBody } from './reference-values.ts'
import { parseRequest } from './requests.ts'

/** PUT /v1/reference-values/{name}: keeps the next version, a draft that gives no value until somebody activates it. */
export const putReferenceValues: Handler = async (call, services) => {
  const act = actOf(call, services, 'reference-values-put')
  const precondition = preconditionOf(call)
  const text = await readDocumentBody(call)
  const draft = { name: call.param('name'), text, by: act.call.caller.name, precondition }
  const { view, outcome } = await recorded(act, (record) => services.references.put(draft, record))
  const location = `/v1/reference-values/${view.name}/versions/${view.latest.version}`
  return json(outcome === 'same' ? 200 : 201, setViewBody(view), { etag: view.etag, location })
}

const ACTIONS = {
  active: 'reference-values-activation',
  deprecated: 'reference-values-deprecation',
  revoked: 'reference-values-revocation',
} as const satisfies Record<string, Action>

/** POST /v1/reference-values/{name}/activations: decides how a version stands, for all processes and replicas. */
export const createReferenceActivation: Handler = async (call, services) => {
  const body = await readJsonBody(call, services.limits)
  const { expected_counter: expectedCounter, ...change } = parseRequest(referenceActivationRequest, body)
  const act = actOf(call, services, ACTIONS[change.state])
  const decision = { name: call.param('name'), change, by: act.call.caller.name, expectedCounter }
  return json(201, setBody(await recorded(act, (record) => services.references.decide(decision, record))))
}
