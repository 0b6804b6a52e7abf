import { z } from 'zod'
import { admitCollateral } from '../verifiers/admission.ts'
import type { Anchors, CollateralAddress } from '../verifiers/verifier.ts'
import { addressed, type Addressed } from './bundle-address.ts'
import { bundleItem, writtenItem, type BundleItem } from './bundle-items.ts'

export type { BundleItem }

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

const bundle = z
  .strictObject({ format: z.literal('assay-collateral/1'), items: z.array(bundleItem) })
  .transform(({ items }): Bundle => ({ items }))

/** Reads the text of a bundle. Throws BundleError with every problem. */
export function readBundle(text: string): Bundle {
  const parsed = bundle.safeParse(parseJson(text))
  if (!parsed.success) throw new BundleError(parsed.error.issues.map(({ path, message }) => ({ path: path.join('.') || '.', message })))
  return parsed.data
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
  `${JSON.stringify({ format: 'assay-collateral/1', items: items.map(writtenItem) }, null, 2)}\n`

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
  for (const [address, candidates] of Map.groupBy(
    items.flatMap((item) => addressed(item, anchors)),
    (item) => item.address,
  )) {
    const [first, ...others] = candidates
    if (first !== undefined)
      documents.set(address, others.length === 0 ? first.bytes : await best({ candidates, anchors, now }, first.bytes))
  }
  return { documents, certificates: items.flatMap((item) => (item.kind === 'amd-certificate' ? item.der : [])) }
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
