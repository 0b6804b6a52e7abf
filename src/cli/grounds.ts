import { collateralFromBundles, readBundle, type Bundle, type BundleItem } from '../collateral/bundle.ts'
import { anchorsOf, pinnedAnchors, testAnchors } from '../verifiers/anchors.ts'
import { readCertificateBlob } from '../verifiers/pem.ts'
import type { Anchors, Collateral, CollateralAddress, Mode } from '../verifiers/verifier.ts'
import { UsageError } from './exit.ts'
import { readBytes, readText } from './files.ts'

/** Which files a command was given. */
export type GroundFiles = { readonly insecureTestRoot: readonly string[]; readonly collateral: readonly string[] }

/** What a verification relies on besides the evidence: public keys, and documents that were given. */
export type Grounds = {
  readonly anchors: Anchors
  readonly mode: Mode
  readonly documents: ReadonlyMap<CollateralAddress, Uint8Array>
}

/** Roots and bundles as named on the command line. A root that is named replaces AMD's, and the answer is then one of mode `test`. */
export async function readGrounds(files: GroundFiles, now: Date): Promise<Grounds> {
  const bundles = files.collateral.map((path) => blamed(path, () => readBundle(readText(path))))
  const roots = files.insecureTestRoot.map((path) => blamed(path, () => readCertificateBlob(readBytes(path), path)))
  const anchors = roots.length === 0 ? pinnedAnchors : testAnchorsOf(roots, bundles, files.insecureTestRoot)
  const { documents } = await collateralFromBundles(bundles, anchors, now)
  return { anchors, mode: roots.length === 0 ? 'production' : 'test', documents }
}

/** A root that is not one would leave nothing to trust, and every piece of evidence would look forged. */
function testAnchorsOf(roots: readonly Uint8Array[], bundles: readonly Bundle[], paths: readonly string[]): Anchors {
  const certificates = bundles.flatMap(({ items }) => items.filter(isCertificate).map(({ der }) => der))
  return anchorsOf(blamed(paths.join(', '), () => testAnchors(roots, certificates)))
}

const isCertificate = (item: BundleItem): item is Extract<BundleItem, { kind: 'amd-certificate' }> => item.kind === 'amd-certificate'

/** A file of the operator that cannot be read is a matter of usage, whatever its reader calls it. */
function blamed<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(`${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Documents at hand, and `unavailable` for what is not: nobody was asked for it. */
export const collateralOf = (documents: ReadonlyMap<CollateralAddress, Uint8Array>, needs: readonly CollateralAddress[]): Collateral => ({
  documents,
  missing: new Map(needs.filter((address) => !documents.has(address)).map((address) => [address, 'unavailable'])),
  marks: new Map(),
})
