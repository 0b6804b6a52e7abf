import { z } from 'zod'
import { policyDocument } from './policy.ts'

/**
 * JSON Schema (2020-12) of a policy as it is written: names, kinds, words and defaults. What several members say together is checked when
 * the document is read.
 */
export const policySchema = (): object => ({
  title: 'Appraisal policy of Assay',
  ...z.toJSONSchema(policyDocument, { io: 'input', unrepresentable: 'any' }),
})

/** The same as a file of the documentation. */
export const policySchemaText = (): string => `${JSON.stringify(policySchema(), undefined, 2)}\n`
