import { z } from 'zod'
import { appraisal, check, code } from './answers.ts'
import { time } from './fields.ts'

const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({ description: 'SHA-256 of the document as canonical JSON (RFC 8785) with every default written out, lower-case hex' })
const version = z.int().min(1)
/** A policy by name, version and digest. */
export const reference = z.strictObject({ name: z.string(), version, sha256 })

const members = {
  name: z.string(),
  managed_by: z.enum(['store', 'files', 'built-in']).meta({ description: 'Only what is in the store is changed over HTTP' }),
  active: reference.nullable().meta({ description: 'What judges' }),
  shadow: reference.nullable().meta({ description: 'What is tried beside it and only reported in the log' }),
  counter: z.int().min(0).meta({ description: 'How often it was decided which version counts' }),
  latest: z.strictObject({ version, sha256 }),
  weakenings: z.array(z.string()).meta({ description: 'By what the active version is weaker than an audience should share with others' }),
}
const text = z.string().meta({ description: 'The document as it was written' })

/** Documents of one kind: a thousand in the store, a thousand in files (docs/stored-documents.md), and what is built in. */
export const MOST_NAMES = 2_100
/** Versions of one document. */
export const MOST_VERSIONS = 1_000

const entry = z.strictObject(members).meta({ id: 'Policy' })
/** GET /v1/policies. */
export const policiesAnswer = z.strictObject({ policies: z.array(entry).max(MOST_NAMES) }).meta({ id: 'PolicyList' })
/** POST /v1/policies/{name}/activations. */
export const policyAnswer = entry
/** GET and PUT /v1/policies/{name}. */
export const policyTextAnswer = z.strictObject({ ...members, text }).meta({ id: 'PolicyText' })

const versionMembers = {
  version,
  sha256,
  author: z.string().nullable(),
  created: time.nullable(),
  state: z.enum(['draft', 'active', 'shadow', 'revoked']),
}
/** GET /v1/policies/{name}/versions. */
export const versionsAnswer = z
  .strictObject({ name: z.string(), versions: z.array(z.strictObject(versionMembers)).max(MOST_VERSIONS) })
  .meta({ id: 'PolicyVersions' })
/** GET /v1/policies/{name}/versions/{version}. */
export const versionAnswer = z.strictObject({ ...versionMembers, text }).meta({ id: 'PolicyVersion' })

const verdict = z.strictObject({ accepted: z.boolean(), code: z.union([code, z.null()]), appraisal })
/** How two verdicts differ. */
export const changes = z
  .array(z.strictObject({ id: z.string(), title: z.string(), active: z.union([check, z.null()]), tried: z.union([check, z.null()]) }))
  .meta({ description: 'Checks that end otherwise, or expect something else' })

/** POST /v1/policies/{name}/dry-runs. */
export const dryRunAnswer = z
  .strictObject({
    tried: verdict,
    active: z.union([verdict, z.null()]),
    changes,
  })
  .meta({ id: 'DryRun' })

/** The body of PUT /v1/policies/{name}; GET /schemas/policy.json has the members. */
export const policyBody = z
  .looseObject({ name: z.string() })
  .meta({ id: 'PolicyDocument', description: 'GET /schemas/policy.json has the members' })
