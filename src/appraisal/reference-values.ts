import { z } from 'zod'
import { contentDigest } from './canonical.ts'
import { digest, hasMembers, hex, line, name, noPlaceholder } from './policy-values.ts'
import { deepFreeze, readDocument } from './read-document.ts'
import type { ReferencePlace } from './reference-lists.ts'
import { fileStanding, type VersionStanding } from './reference-standing.ts'
import { time } from './time.ts'

/** Values of one version of a set. A version is at most 1 MiB of text, which holds fewer than 11,000 values of 48 bytes. */
const MOST_VALUES = 10_000

const TOO_MANY = `more than ${MOST_VALUES} values: spread them over several sets`

/** A value, or a value with what it is, for people: `{ value: …, label: kernel 6.12.4, 4 vCPUs }`. */
const labelled = (value: z.ZodType<string>) =>
  z.union([value, z.strictObject({ value, label: line(200) })], { error: 'expected a value or `{ value, label }`' })

type Entry = string | { readonly value: string; readonly label: string }

/** The value of an entry, with or without label. */
export const valueOf = (entry: Entry): string => (typeof entry === 'string' ? entry : entry.value)

const values = (value: z.ZodType<string>) =>
  z
    .array(labelled(value), { error: 'expected a list' })
    .min(1, { error: 'an empty list says nothing: leave the member out, or list something' })
    .max(MOST_VALUES, { error: TOO_MANY })
    .refine((entries) => new Set(entries.map((entry) => valueOf(entry))).size === entries.length, { error: 'the list holds a value twice' })
    .optional()

/** Not asked of PCRs: those of a dynamic root of trust are all ones until they are reset. */
const measurements = (value: z.ZodType<string>) => values(noPlaceholder(value))

const PCR = { error: 'expected the number of a PCR, 0 to 23, as a member' }

/** Registers of one bank. Zero is a value: nothing was measured into the register. */
const pcrs = (bytes: number) => z.record(z.string().regex(/^(?:0|1[0-9]?|2[0-3]?|[3-9])$/, PCR), values(hex(bytes)), PCR).optional()

/** Where a set has values, by the name of the measurement in the technology's own words. */
const measured = {
  snp: z.strictObject({ measurements: measurements(digest(48)) }).optional(),
  tdx: z
    .strictObject({
      mr_td: measurements(digest(48)),
      rtmr0: measurements(digest(48)),
      rtmr1: measurements(digest(48)),
      /** Zero on purpose: nothing was extended. */
      rtmr2: measurements(hex(48)),
      rtmr3: measurements(hex(48)),
      mr_seam: measurements(digest(48)),
    })
    .optional(),
  sgx: z.strictObject({ mr_enclave: measurements(digest(32)), mr_signer: measurements(digest(32)) }).optional(),
  tpm: z.strictObject({ pcrs: z.strictObject({ sha256: pcrs(32), sha384: pcrs(48), sha512: pcrs(64) }) }).optional(),
}

const validity = z
  .strictObject({ from: time().optional(), until: time().optional() })
  .refine(({ from, until }) => from === undefined || until === undefined || from < until, {
    path: ['until'],
    error: 'must be after from: a set that is never valid accepts nothing',
    when: ({ value }) => hasMembers(value),
  })

const members = z.strictObject({
  name: name(),
  description: line(500).optional(),
  /** Who answers for the set. */
  owner: line(200),
  /** Who made the values, from what (a build, a release, a document with its digest), and when. */
  provenance: z.strictObject({ by: line(200), from: line(1000), at: time() }),
  valid: validity.prefault({}),
  ...measured,
  /**
   * Measurements that their maker only warns about (Constellation's `warnOnly`), as `tpm.pcrs.sha256.0`. Kept for export: what is enforced
   * is for the policy to say, and a set never makes it weaker.
   */
  warn_only: z.array(line(64)).min(1).max(100).optional(),
})

type Frozen<T> = T extends readonly (infer E)[] ? readonly Frozen<E>[] : T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T

type Written = Frozen<Pick<z.output<typeof members>, 'snp' | 'tdx' | 'sgx' | 'tpm'>>

/** Every list of a set by its path: `snp.measurements`, `tpm.pcrs.sha256.4`. */
export function measurementsOf({ snp = {}, tdx = {}, sgx = {}, tpm }: Written): ReadonlyMap<string, readonly Entry[]> {
  const groups: readonly (readonly [string, Readonly<Record<string, readonly Entry[] | undefined>>])[] = [
    ['snp', snp],
    ['tdx', tdx],
    ['sgx', sgx],
    ...Object.entries(tpm?.pcrs ?? {}).map(([bank, registers]) => [`tpm.pcrs.${bank}`, registers ?? {}] as const),
  ]
  const lists = groups.flatMap(([group, found]) =>
    Object.entries(found).flatMap(([key, entries]) => (entries === undefined ? [] : [[`${group}.${key}`, entries] as const])),
  )
  return new Map(lists)
}

const countOf = (written: Written): number => [...measurementsOf(written).values()].reduce((sum, entries) => sum + entries.length, 0)

type Whole = Written & { readonly warn_only?: readonly string[] | undefined }

/** What must hold between members; asked of documents whose members are all as they should be. */
function consistent(written: Whole, context: z.RefinementCtx): void {
  const [count, lists] = [countOf(written), measurementsOf(written)]
  const complain = (message: string, path: readonly string[] = []) => context.addIssue({ code: 'custom', message, path: [...path] })
  if (count === 0) complain('the set has no value: list measurements under snp, tdx, sgx or tpm')
  if (count > MOST_VALUES) complain(TOO_MANY)
  if (!(written.warn_only ?? []).every((path) => lists.has(path))) complain('names a measurement that the set does not have', ['warn_only'])
}

/** One version of a set as it is written; which of its versions count is its standing, not its content. Unknown members are refused. */
export const referenceDocument = members.superRefine(consistent)

/** A file holds a version with its number and its standing, because files have no history. Without a standing it is a draft. */
const referenceFile = members
  .extend({ version: z.int().min(1).max(999_999).default(1), standing: fileStanding.default({ state: 'draft' }) })
  .superRefine(consistent)

/** One version of a set: plain data, deeply frozen. */
export type ReferenceDocument = Frozen<z.output<typeof referenceDocument>>

/** A version with the SHA-256 of its canonical JSON, by which it is named. */
export type ReferenceContent = { readonly document: ReferenceDocument; readonly sha256: string }

/** The content of a document, which nobody can change afterwards. */
export const referenceContent = (document: ReferenceDocument): ReferenceContent => deepFreeze({ document, sha256: contentDigest(document) })

/** One version of a set from YAML or JSON text. Throws PolicyError with all problems at once. */
export const readReferenceSet = (text: string, origin: string): ReferenceContent =>
  referenceContent(readDocument(text, { schema: referenceDocument, what: 'set of reference values', origin }))

/** The values of a set for one list of a policy. */
export const valuesAt = (document: ReferenceDocument, place: ReferencePlace): readonly string[] =>
  (measurementsOf(document).get(place) ?? []).map((entry) => valueOf(entry))

/** One version of a set from a file, with what the file says of it. Throws PolicyError with all problems at once. */
export function readReferenceFile(
  text: string,
  origin: string,
): ReferenceContent & { readonly version: number; readonly standing: VersionStanding } {
  const { version, standing, ...document } = readDocument(text, { schema: referenceFile, what: 'set of reference values', origin })
  return { ...referenceContent(document), version, standing }
}
