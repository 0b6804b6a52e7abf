import type { ReferenceEntry, ReferenceView, StatedReference } from '../policies/reference-life.ts'
import { json, type Handler } from './call.ts'
import { negotiatedView, versionNumber } from './policies.ts'

/** GET /v1/reference-values: every set, where it is kept, and which versions give values now. */
export const listReferenceValues: Handler = async (_call, services) =>
  json(200, { reference_values: (await services.references.list()).map((entry) => setBody(entry)) })

/** GET /v1/reference-values/{name}: the same of one set, with the latest version's text and the ETag that the next writer names. */
export const getReferenceValues: Handler = async (call, services) => {
  const view = await services.references.get(call.param('name'))
  return negotiatedView(call, view, setViewBody(view))
}

/** GET /v1/reference-values/{name}/versions: every version that was ever kept, and how it stands. */
export const listReferenceVersions: Handler = async (call, services) => {
  const name = call.param('name')
  return json(200, { name, versions: (await services.references.versions(name)).map((version) => versionBody(version)) })
}

/** GET /v1/reference-values/{name}/versions/{version}: one of them with its text. */
export const getReferenceVersion: Handler = async (call, services) => {
  const asked = versionNumber(call.param('version'), 'reference-values-unknown')
  const found = await services.references.version(call.param('name'), asked)
  return json(200, { ...versionBody(found), text: found.text })
}

/** A set as it is listed. */
export const setBody = ({ name, managedBy, inForce, counter, latest }: ReferenceEntry) => ({
  name,
  managed_by: managedBy,
  in_force: inForce.map(({ version, sha256 }) => ({ version, sha256 })),
  counter,
  latest,
})

/** A set with its text. */
export const setViewBody = (view: ReferenceView) => ({ ...setBody(view), text: view.text })

const versionBody = ({ version, sha256, author, created, standing, whyNot }: StatedReference) => ({
  version,
  sha256,
  author,
  created: created?.toISOString() ?? null,
  standing,
  why_not: whyNot,
})
