import { z } from 'zod'
import { type AmdEndpoint, crlAddress, SNP_PRODUCTS, vcekAddress } from '../verifiers/snp/address.ts'
import { admitCollateral } from '../verifiers/admission.ts'
import type { SnpProduct } from '../verifiers/snp/claims.ts'
import { parseVek } from '../verifiers/snp/vek.ts'
import type { Anchors, CollateralAddress } from '../verifiers/verifier.ts'

/** One item for AMD; binary decoded. Items of other vendors are kept as they came. */
export type BundleItem =
  | { readonly kind: 'amd-certificate'; readonly der: Uint8Array }
  | { readonly kind: 'amd-crl'; readonly product: SnpProduct; readonly endpoint: AmdEndpoint; readonly der: Uint8Array }
  | { readonly kind: 'other'; readonly item: Readonly<Record<string, unknown>> }

/** A collateral bundle, `assay-collateral/1` (design section 6). Its items are untrusted. */
export type Bundle = { readonly items: readonly BundleItem[] }

/** The text is not a bundle. Every problem has the path of its member. */
export class BundleError extends Error {
  override readonly name = 'BundleError'
  readonly problems: readonly { readonly path: string; readonly message: string }[]

  constructor(problems: BundleError['problems']) {
    super(`not a collateral bundle: ${problems.map(({ path, message }) => `${path}: ${message}`).join('; ')}`)
    this.problems = problems
  }
}

/** Upper limits in base64 characters (design section 3, Limits): certificates 64 KiB, lists 8 MiB, other collateral 1 MiB. */
const inBase64 = (bytes: number): number => Math.ceil(bytes / 3) * 4

const binary = (most: number) =>
  z
    .string()
    .max(inBase64(most))
    .transform((text, context) => {
      const bytes = Buffer.from(text, 'base64')
      if (bytes.toString('base64') === text) return new Uint8Array(bytes)
      context.addIssue('expected canonical base64 with padding')
      return z.NEVER
    })

const amdCertificate = z.strictObject({ kind: z.literal('amd-certificate'), der: binary(64 * 1024) })
const amdCrl = z.strictObject({
  kind: z.literal('amd-crl'),
  product: z.enum(SNP_PRODUCTS),
  endpoint: z.enum(['vcek', 'vlek']),
  der: binary(8 * 1024 * 1024),
})
/** Items of vendors that this version does not read; the kinds are a closed list all the same, so that a misspelt one is noticed. */
const other = z.looseObject({
  kind: z.enum(['intel-tcb-info', 'intel-qe-identity', 'intel-pck-crl', 'intel-root-ca-crl', 'tpm-certificate', 'tpm-crl']),
})

const bundle = z.strictObject({
  format: z.literal('assay-collateral/1'),
  items: z.array(z.discriminatedUnion('kind', [amdCertificate, amdCrl, other])),
})

/** Reads the text of a bundle. Throws BundleError with every problem. */
export function readBundle(text: string): Bundle {
  const parsed = bundle.safeParse(parseJson(text))
  if (!parsed.success) throw new BundleError(parsed.error.issues.map(({ path, message }) => ({ path: path.join('.') || '.', message })))
  return {
    items: parsed.data.items.map((item) => {
      if (item.kind === 'amd-certificate' || item.kind === 'amd-crl') return item
      return { kind: 'other', item }
    }),
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new BundleError([{ path: '.', message: 'not JSON' }])
  }
}

/** The text of a bundle. */
export const writeBundle = ({ items }: Bundle): string =>
  `${JSON.stringify({ format: 'assay-collateral/1', items: items.map(written) }, null, 2)}\n`

function written(item: BundleItem): unknown {
  return item.kind === 'other' ? item.item : { ...item, der: Buffer.from(item.der).toString('base64') }
}

/** What bundles hold, by address for the verifier. Everything in it is still untrusted. */
export type BundledCollateral = {
  readonly documents: ReadonlyMap<CollateralAddress, Uint8Array>
  /** Every `amd-certificate` item in DER: where test anchors find their intermediates. */
  readonly certificates: readonly Uint8Array[]
}

/**
 * The documents of bundles by address. Of several for one address, the newest that proves genuine; if none does, the first, so that
 * its fault is named by the verifier.
 */
export async function collateralFromBundles(bundles: readonly Bundle[], anchors: Anchors, now: Date): Promise<BundledCollateral> {
  const items = bundles.flatMap((b) => b.items)
  const documents = new Map<CollateralAddress, Uint8Array>()
  for (const [address, candidates] of Map.groupBy(items.flatMap(addressed), (item) => item.address)) {
    const [first, ...others] = candidates
    if (first !== undefined)
      documents.set(address, others.length === 0 ? first.bytes : await best({ candidates, anchors, now }, first.bytes))
  }
  return { documents, certificates: items.flatMap((item) => (item.kind === 'amd-certificate' ? item.der : [])) }
}

/** A document with the address that it claims to belong to. */
export type Addressed = { readonly address: CollateralAddress; readonly bytes: Uint8Array }

/** The address of an item: a list is judged for its label, a VCEK for what it says of itself. Anything else has none. */
export function addressed(item: BundleItem): Addressed[] {
  if (item.kind === 'amd-crl') return [{ address: crlAddress(item.product, item.endpoint), bytes: item.der }]
  if (item.kind === 'other') return []
  try {
    const { kind, product, hwid, tcb } = parseVek(item.der)
    if (kind !== 'vcek' || hwid === undefined) return []
    return [{ address: vcekAddress(product, Buffer.from(hwid).toString('hex'), tcb), bytes: item.der }]
  } catch {
    // An intermediate, a root, or no certificate at all.
    return []
  }
}

type Choice = { readonly candidates: readonly Addressed[]; readonly anchors: Anchors; readonly now: Date }

async function best({ candidates, anchors, now }: Choice, otherwise: Uint8Array): Promise<Uint8Array> {
  const judged = await Promise.all(
    candidates.map(async (candidate) => {
      const admitted = await admitCollateral(candidate, anchors, now).catch(() => undefined)
      return admitted === undefined ? [] : [{ bytes: candidate.bytes, age: admitted.mark?.thisUpdate ?? admitted.expiresAt }]
    }),
  )
  return judged.flat().toSorted((a, b) => b.age.getTime() - a.age.getTime())[0]?.bytes ?? otherwise
}
