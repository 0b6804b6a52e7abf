import { z } from 'zod'
import { code, statusWord } from './answers.ts'
import { time } from './fields.ts'
import { changes, MOST_NAMES, MOST_VERSIONS, reference } from './policy-answers.ts'

const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({ description: 'SHA-256 of the document as canonical JSON (RFC 8785), lower-case hex' })
const version = z.int().min(1)
const named = z.strictObject({ version, sha256 })

const members = {
  name: z.string(),
  managed_by: z.enum(['store', 'files']).meta({ description: 'Only what is in the store is changed over HTTP' }),
  in_force: z.array(named).meta({ description: 'The versions that give policies values at this moment' }),
  counter: z.int().min(0).meta({ description: 'How often something was decided about a version' }),
  latest: named,
}
const text = z.string().meta({ description: 'The document as it was written; of one in files, its content as JSON' })

/** POST /v1/reference-values/{name}/activations. */
export const setAnswer = z.strictObject(members).meta({ id: 'ReferenceValues' })
/** GET /v1/reference-values. */
export const setsAnswer = z.strictObject({ reference_values: z.array(setAnswer).max(MOST_NAMES) }).meta({ id: 'ReferenceValuesList' })
/** GET and PUT /v1/reference-values/{name}. */
export const setTextAnswer = z.strictObject({ ...members, text }).meta({ id: 'ReferenceValuesText' })

const versionMembers = {
  version,
  sha256,
  author: z.string().nullable(),
  created: time.nullable(),
  standing: z.union([
    z.strictObject({ state: z.literal('draft') }),
    z.strictObject({ state: z.literal('active') }),
    z.strictObject({ state: z.literal('deprecated'), until: time }),
    z.strictObject({ state: z.literal('revoked'), reason: z.string() }),
  ]),
  why_not: z.string().nullable().meta({ description: 'Why the version gives no value at this moment; null: it does' }),
}
/** GET /v1/reference-values/{name}/versions. */
export const setVersionsAnswer = z
  .strictObject({ name: z.string(), versions: z.array(z.strictObject(versionMembers)).max(MOST_VERSIONS) })
  .meta({ id: 'ReferenceValuesVersions' })
/** GET /v1/reference-values/{name}/versions/{version}. */
export const setVersionAnswer = z.strictObject({ ...versionMembers, text }).meta({ id: 'ReferenceValuesVersion' })

const verdict = z.strictObject({ accepted: z.boolean(), code: z.union([code, z.null()]), status: statusWord })
/** POST /v1/reference-values/{name}/dry-runs. */
export const setDryRunAnswer = z
  .strictObject({
    tried: z.strictObject({ version: z.int().min(0).meta({ description: '0: a draft' }), sha256 }),
    policies: z.array(z.strictObject({ policy: reference, active: verdict, tried: verdict, changes })),
    omitted: z.array(z.string()).meta({ description: 'Policies that name the set, too, and were not tried: ask for them in `policies`' }),
  })
  .meta({ id: 'ReferenceDryRun' })

/** The body of PUT /v1/reference-values/{name}. */
export const setBody = z
  .looseObject({ name: z.string() })
  .meta({ id: 'ReferenceValuesDocument', description: 'docs/reference-values.md has the members' })
