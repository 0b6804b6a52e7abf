import { z } from 'zod'
import { IMA_FAULT_KINDS, type ImaClaims } from '../../verifiers/tpm/ima/claims.ts'
import { time } from './fields.ts'

const fault = z.strictObject({ entry: z.int(), path: z.string(), digest: z.string() })

/** What the IMA list of a TPM host proves. */
export const imaClaims = z
  .strictObject({
    attested_entries: z.int(),
    unattested_entries: z.int().meta({ description: 'Entries behind those that PCR 10 attests; not looked at' }),
    value: z.string().regex(/^[0-9a-f]+$/),
    boot_aggregate: z.enum(['0-7', '0-9']).nullable(),
    boot_aggregate_verified: z.boolean(),
    violations: z.int(),
    accepted: z.strictObject({ digest: z.int(), signature: z.int(), excluded: z.int(), keyring: z.int(), buffer: z.int() }),
    faults: z.partialRecord(z.enum(IMA_FAULT_KINDS), z.strictObject({ count: z.int(), first: z.array(fault).max(8) })),
    legacy_padding: z.boolean(),
    continued: z.boolean(),
    whole_list_at: time,
  })
  .meta({ id: 'ImaClaims', description: 'What the IMA list proves' }) satisfies z.ZodType<ImaClaims>
