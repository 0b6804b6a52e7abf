import { weakeningsOf } from '../appraisal/weakenings.ts'
import type { PolicyEntry, PolicyView, StatedVersion } from '../policies/policies.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { negotiate } from './accept.ts'
import { json, type Answer, type Call, type Handler } from './call.ts'
import { revalidated } from './etag.ts'
import type { Services } from './services.ts'

/** GET /v1/policies: every policy, where it is kept, and which version judges. */
export const listPolicies: Handler = async (_call, services) =>
  json(200, { policies: (await services.policies.list()).map((entry) => entryBody(entry, services)) })

/** GET /v1/policies/{name}: the same of one policy, with the latest version's text and the ETag that the next writer names. */
export const getPolicy: Handler = async (call, services) => {
  const view = await services.policies.get(call.param('name'))
  return negotiatedView(call, view, viewBody(view, services))
}

/** A document in the form that the caller likes: as JSON, or its bare text. */
export function negotiatedView(call: Call, { text, etag }: Pick<PolicyView, 'text' | 'etag'>, body: object): Answer {
  const type = negotiate(call.header('accept'), ['application/json', 'application/yaml'])
  const answer = type === 'application/json' ? json(200, body) : { status: 200, headers: { 'content-type': type }, body: text }
  return revalidated(call, answer, etag)
}

/** GET /v1/policies/{name}/versions: every version that was ever kept, and what it counts for. */
export const listPolicyVersions: Handler = async (call, services) => {
  const name = call.param('name')
  return json(200, { name, versions: (await services.policies.versions(name)).map(versionBody) })
}

/** GET /v1/policies/{name}/versions/{version}: one of them with its text. */
export const getPolicyVersion: Handler = async (call, services) => {
  const found = await services.policies.version(call.param('name'), versionNumber(call.param('version'), 'policy-unknown'))
  return json(200, { ...versionBody(found), text: found.text })
}

const VERSION = /^[1-9][0-9]{0,5}$/

/** The number in an address. Throws `code` for what is no number of a version. */
export function versionNumber(text: string, code: 'policy-unknown' | 'reference-values-unknown'): number {
  if (VERSION.test(text)) return Number(text)
  throw new AttestationError(code, 'a version has a number, from 1')
}

/** A policy as it is listed. */
export const entryBody = (entry: PolicyEntry, services: Services) => ({
  name: entry.name,
  managed_by: entry.managedBy,
  active: entry.active,
  shadow: entry.shadow,
  counter: entry.counter,
  latest: entry.latest,
  weakenings: weakenings(entry, services),
})

function weakenings({ name }: PolicyEntry, { policies }: Services): readonly string[] {
  const active = policies.snapshot().get(name)
  return active === undefined ? [] : weakeningsOf(active.document)
}

/** A policy with its text. */
export const viewBody = (view: PolicyView, services: Services) => ({ ...entryBody(view, services), text: view.text })

const versionBody = ({ version, sha256, author, created, state }: StatedVersion) => ({
  version,
  sha256,
  author,
  created: created?.toISOString() ?? null,
  state,
})
