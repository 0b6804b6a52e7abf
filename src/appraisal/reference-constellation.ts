import { z } from 'zod'
import { line } from './policy-values.ts'
import { PolicyError, readDocument, type PolicyProblem } from './read-document.ts'
import {
  measurementsOf,
  referenceContent,
  referenceDocument,
  valueOf,
  type ReferenceContent,
  type ReferenceDocument,
} from './reference-values.ts'

const HEX = { error: 'expected lower-case hex of 32 bytes (a PCR) or 48 bytes (a register of TDX)' }
const INDEX = { error: 'expected the number of a register as a member' }

const measurements = z.record(
  z.string().regex(/^(?:0|[1-9][0-9]?)$/, INDEX),
  z.strictObject({ expected: z.string(HEX).regex(/^(?:[0-9a-f]{64}|[0-9a-f]{96})$/, HEX), warnOnly: z.boolean() }),
)

type Measurements = z.output<typeof measurements>

/** The second version of Constellation's documents of image measurements, which says the image and lists every provider and variant. */
const constellation = z.strictObject({
  version: line(200),
  ref: line(200),
  stream: line(200),
  list: z.array(z.strictObject({ csp: line(64), attestationVariant: line(64), measurements })).min(1),
})

type Image = Pick<z.output<typeof constellation>, 'version' | 'ref' | 'stream'>
type Variant = { readonly csp?: string | undefined; readonly variant?: string | undefined }

/** What is taken from a document of Constellation, and what the set says that the document does not. */
export type ConstellationImport = {
  readonly origin: string
  /** Refused when the document is about another image: a good signature of an old image is a good signature. */
  readonly expected: Partial<Image>
  /** Which entry; needed where the document has several. */
  readonly entry: Variant
  readonly set: { readonly name: string; readonly owner: string; readonly at: Date; readonly sha256: string }
}

/** A set of reference values from a document of Constellation. Throws PolicyError with what is wrong. */
export function fromConstellation(text: string, { origin, expected, entry, set }: ConstellationImport): ReferenceContent {
  const { list, ...image } = readDocument(text, { schema: constellation, what: 'document of Constellation', origin })
  const refuse = (problems: readonly PolicyProblem[]): never => {
    throw new PolicyError(origin, problems, 'document of Constellation')
  }
  const other = (['version', 'ref', 'stream'] as const).filter((key) => expected[key] !== undefined && expected[key] !== image[key])
  if (other.length > 0) return refuse(other.map((path) => ({ path, message: `${image[path]}, not ${expected[path]}` })))
  const found = list.filter(
    ({ csp, attestationVariant }) => csp === (entry.csp ?? csp) && attestationVariant === (entry.variant ?? attestationVariant),
  )
  const [chosen] = found
  if (chosen === undefined || found.length > 1)
    return refuse([{ path: 'list', message: `${found.length} entries fit; there are ${namesOf(list)}` }])
  const parsed = referenceDocument.safeParse({
    name: set.name,
    owner: set.owner,
    provenance: {
      by: 'Constellation',
      from: `image ${image.version}, ref ${image.ref}, stream ${image.stream}, ${chosen.csp} ${chosen.attestationVariant}, SHA-256 ${set.sha256}`,
      at: set.at.toISOString(),
    },
    ...registersOf(chosen.measurements, refuse),
  })
  if (parsed.success) return referenceContent(parsed.data)
  return refuse(parsed.error.issues.map(({ path, message }) => ({ path: z.core.toDotPath(path), message })))
}

const namesOf = (list: z.output<typeof constellation>['list']): string =>
  list.map(({ csp, attestationVariant }) => `${csp} ${attestationVariant}`).join(', ')

/** Registers of a TD by Constellation's numbers: MRTD, then the four RTMRs. */
const TDX = ['mr_td', 'rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'] as const

/** What Constellation's own tool writes where a value is yet to be filled in. */
const PLACEHOLDER = /^(?:1234)+$/

type Registers = Pick<ReferenceDocument, 'tdx' | 'tpm' | 'warn_only'>

function registersOf(found: Measurements, refuse: (problems: readonly PolicyProblem[]) => never): Registers {
  const rows = Object.entries(found)
  const problems = rows.flatMap(([index, { expected }]) =>
    PLACEHOLDER.test(expected) ? [{ path: index, message: 'a placeholder, not a value' }] : [],
  )
  if (problems.length > 0) return refuse(problems)
  const isTdx = rows.every(([, { expected }]) => expected.length === 96)
  if (!isTdx && rows.some(([, { expected }]) => expected.length === 96))
    return refuse([{ path: 'measurements', message: 'values of 32 and of 48 bytes: neither PCRs nor registers of TDX' }])
  const keyOf = (index: string): string => (isTdx ? (TDX[Number(index)] ?? index) : index)
  const lists = Object.fromEntries(rows.map(([index, { expected }]) => [keyOf(index), [expected]]))
  const warned = rows.filter(([, { warnOnly }]) => warnOnly).map(([index]) => `${isTdx ? 'tdx' : 'tpm.pcrs.sha256'}.${keyOf(index)}`)
  return { ...(isTdx ? { tdx: lists } : { tpm: { pcrs: { sha256: lists } } }), ...(warned.length === 0 ? {} : { warn_only: warned }) }
}

/** The image and the variant of which an exported document speaks. */
export type ConstellationExport = Image & { readonly csp: string; readonly variant: string }

/** The same in the other direction. Throws PolicyError where the set holds what the form has no place for, rather than leave it out. */
export function toConstellation(document: ReferenceDocument, { csp, variant, ...image }: ConstellationExport): string {
  const rows = [...measurementsOf(document)].map(([path, entries]) => ({ path, entries, index: indexOf(path) }))
  const problems = [
    ...rows.filter(({ index }) => index === undefined).map(({ path }) => ({ path, message: 'has no place in this form' })),
    ...rows
      .filter(({ entries }) => entries.length > 1)
      .map(({ path, entries }) => ({ path, message: `${entries.length} values; this form takes one` })),
    ...(document.tdx !== undefined && document.tpm !== undefined
      ? [{ path: 'tpm', message: 'PCRs and registers of TDX do not go into one entry' }]
      : []),
  ]
  if (problems.length > 0) throw new PolicyError(document.name, problems, 'set of reference values')
  const found = rows.map(({ path, entries, index = '' }) => {
    const [entry = ''] = entries
    return [index, { expected: valueOf(entry), warnOnly: document.warn_only?.includes(path) ?? false }] as const
  })
  const { version, ref, stream } = image
  return JSON.stringify({ version, ref, stream, list: [{ csp, attestationVariant: variant, measurements: Object.fromEntries(found) }] })
}

function indexOf(path: string): string | undefined {
  const [, register] = /^tdx\.(.+)$/.exec(path) ?? []
  if (register === undefined) return /^tpm\.pcrs\.sha256\.(\d+)$/.exec(path)?.[1]
  const index = TDX.findIndex((name) => name === register)
  return index === -1 ? undefined : `${index}`
}
