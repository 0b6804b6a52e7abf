import { z } from 'zod'
import { referenceChange } from '../appraisal/reference-standing.ts'
import { MOST_TEXT, tested, version } from './policy-requests.ts'

const counter = z
  .int()
  .min(0)
  .optional()
  .meta({ description: 'The counter of the set as it was seen; the request is refused when it is another by now' })

/** The body of POST /v1/reference-values/{name}/activations. */
export const referenceActivationRequest = z
  .union(
    referenceChange.options.map((option) => option.extend({ expected_counter: counter })),
    { error: 'expected version and `state: active`, `state: deprecated` with `until`, or `state: revoked` with `reason`' },
  )
  .meta({ id: 'ReferenceActivationRequest' })

/** Policies that one dry-run tries. */
export const MOST_TRIED = 16

const draft = z.string().min(1).max(MOST_TEXT)
const policies = z
  .array(z.string().min(1).max(128))
  .min(1)
  .max(MOST_TRIED)
  .refine((names) => new Set(names).size === names.length, { error: 'a policy twice' })
  .optional()
  .meta({ description: `Policies that name the set; absent: all of them, of which the first ${MOST_TRIED} are tried` })

const ONE_OF = { error: 'exactly one of draft and version, and only a version can be tried as revoked', path: ['draft'] }

/** The body of POST /v1/reference-values/{name}/dry-runs. */
export const referenceDryRunRequest = z
  .strictObject({
    ...tested,
    draft: draft.optional().meta({ description: 'The text of a set of this name, YAML or JSON, as if it were active beside the others' }),
    version: version.optional().meta({ description: 'A version that is kept; exactly one of this and `draft`' }),
    as: z.enum(['active', 'revoked']).default('active').meta({ description: 'What would be decided about the version' }),
    policies,
  })
  .refine(
    (body) => (body.draft === undefined) !== (body.version === undefined) && (body.draft === undefined || body.as === 'active'),
    ONE_OF,
  )
  .meta({ id: 'ReferenceDryRunRequest' })
