import { z } from 'zod'
import { revocationReason } from '../appraisal/reference-standing.ts'
import { evidenceItems } from './evidence-items.ts'

/** The number of a version. */
export const version = z.int('a whole number from 1').min(1, 'a whole number from 1').max(999_999)
const counter = z
  .int()
  .min(0)
  .optional()
  .meta({ description: 'The counter of the policy as it was seen; the request is refused when it is another by now' })

/** The body of POST /v1/policies/{name}/activations. */
export const activationRequest = z
  .strictObject({
    version: version.nullable().meta({ description: 'null with `as: shadow`: nothing is tried beside the active version any more' }),
    as: z.enum(['active', 'shadow', 'revoked']).default('active').meta({
      description: 'From now on it judges, or it is tried beside the one that judges and only reported, or it never counts again',
    }),
    reason: revocationReason().optional().meta({ description: 'Kept with a revocation' }),
    expected_counter: counter,
  })
  .refine(({ version: asked, as }) => asked !== null || as === 'shadow', { error: 'only a shadow is ended with null', path: ['version'] })
  .meta({ id: 'ActivationRequest' })

/** Characters of a draft, as of a document. */
export const MOST_TEXT = 1024 * 1024
const REPORT_DATA = /^[0-9a-f]{128}$/

/** What evidence is tried with, whatever is tried. */
export const tested = {
  evidence: evidenceItems,
  key_bound: z.boolean().optional().meta({ description: 'Whether to judge as if the evidence bound a key; absent: not asked' }),
  report_data: z
    .string()
    .regex(REPORT_DATA, '64 bytes in lower-case hex')
    .optional()
    .meta({ description: 'What REPORT_DATA must be, lower-case hex; absent: freshness and binding are not asked' }),
}

/** The body of POST /v1/policies/{name}/dry-runs. */
export const dryRunRequest = z
  .strictObject({
    ...tested,
    draft: z.string().min(1).max(MOST_TEXT).optional().meta({ description: 'The text of a policy of this name, YAML or JSON' }),
    version: version.optional().meta({ description: 'A version that is kept; exactly one of this and `draft`' }),
  })
  .refine(({ draft, version: kept }) => (draft === undefined) !== (kept === undefined), {
    error: 'exactly one of draft and version',
    path: ['draft'],
  })
  .meta({ id: 'DryRunRequest' })
