import { z } from 'zod'
import { whole } from './policy-values.ts'

// Security patch levels are 0 to 127, microcode 0 to 255 (specification snp.md section 2).
const legacy = {
  bootloader: whole(0, 127).optional(),
  tee: whole(0, 127).optional(),
  snp: whole(0, 127).optional(),
  microcode: whole(0, 255).optional(),
}

const stated = (value: object) => Object.values(value).some((part) => part !== undefined)
const noPart = { error: 'expected at least one of bootloader, tee, snp, microcode (fmc on Turin), or the word `any`' }

/** `any` has to be written: where a minimum is set, evidence of a product that has none is refused. */
const family19 = z.union([z.literal('any'), z.strictObject(legacy).refine(stated, noPart)])
const family1a = z.union([z.literal('any'), z.strictObject({ ...legacy, fmc: whole(0, 127).optional() }).refine(stated, noPart)])

const CPUID = { error: 'expected family and model in hex with an underscore between, such as `19_a0`' }

/** A record of zod passes over a member of this name, and no member may be passed over. */
const namesNoPrototype = (models: unknown): boolean => !Object.keys(Object(models)).includes('__proto__')

/** Minima by CPUID family and model. */
const byModel = z
  .unknown()
  .refine(namesNoPrototype, CPUID)
  .pipe(z.record(z.string().regex(/^(?:19|1a)_[0-9a-f]{2}$/, CPUID), family1a))
  .refine((models) => Object.keys(models).length > 0, CPUID)
  .refine((models) => !Object.entries(models).some(([key, parts]) => key.startsWith('19_') && parts !== 'any' && parts.fmc !== undefined), {
    error: 'fmc exists on family 1a only',
  })

/**
 * Minima of one of the four TCBs, by product line, and by CPUID family and model where microcode counts differently inside a line
 * (section 11: Genoa’s models 11h and A0h). Where both apply, both must be met.
 */
const byProduct = z
  .strictObject({
    milan: family19.optional(),
    genoa: family19.optional(),
    turin: family1a.optional(),
    cpuid: byModel.optional(),
  })
  .refine(stated, { error: 'expected at least one of milan, genoa, turin, cpuid' })

/** The four TCBs of section 2.1, each with minima of its own. */
export const minTcb = z
  .strictObject({
    reported: byProduct.optional(),
    committed: byProduct.optional(),
    current: byProduct.optional(),
    launch: byProduct.optional(),
  })
  .refine(stated, { error: 'expected at least one of reported, committed, current, launch' })
