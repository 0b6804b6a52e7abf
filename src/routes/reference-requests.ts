import { z } from 'zod'
import { referenceChange } from '../appraisal/reference-standing.ts'

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
