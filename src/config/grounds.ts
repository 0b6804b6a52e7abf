import { readFileSync } from 'node:fs'
import { collateralFromBundles, readBundle, type Bundle, type BundleItem } from '../collateral/bundle.ts'
import { ConfigError, type Config } from '../config.ts'
import { pinnedAnchors, testAnchors } from '../verifiers/anchors.ts'
import { readCertificateBlob } from '../verifiers/pem.ts'
import type { Anchors, CollateralAddress, Mode } from '../verifiers/verifier.ts'

/** Files that were named: roots in place of a vendor's, and bundles of vendor documents. */
export type GroundFiles = { readonly insecureTestRoots: readonly string[]; readonly collateralBundles: readonly string[] }

/** What a verification relies on besides the evidence: public keys, and documents that were given. */
export type Grounds = {
  readonly anchors: Anchors
  /** `test` where a root was named: the pinned ones of its vendor are then not used at all. */
  readonly mode: Exclude<Mode, 'demo'>
  readonly documents: ReadonlyMap<CollateralAddress, Uint8Array>
}

/** The public keys of this mode. The demonstration's exist in its own memory, so no other process can serve in mode demo. */
export async function groundsOf(config: Config): Promise<Grounds> {
  if (config.mode === 'demo' && config.insecureTestRoots.length === 0) {
    throw new ConfigError([
      {
        path: 'mode',
        origin: 'ASSAY_MODE',
        message: 'mode demo trusts only roots of the simulator',
        expected: '`assay demo`, or --insecure-test-root',
      },
    ])
  }
  return readGrounds(config, config.clock === undefined ? new Date() : new Date(config.clock))
}

/** Roots and bundles from files. Throws {@link ConfigError} for a file that is not what it should be. */
export async function readGrounds({ insecureTestRoots, collateralBundles }: GroundFiles, now: Date): Promise<Grounds> {
  const bundles = collateralBundles.map((path) => blamed('collateral', path, () => readBundle(readFileSync(path, 'utf8'))))
  const roots = insecureTestRoots.map((path) => blamed('insecure_test_root', path, () => readRoot(path)))
  const anchors = roots.length === 0 ? pinnedAnchors : testAnchorsOf(roots, bundles, insecureTestRoots.join(', '))
  const { documents } = await collateralFromBundles(bundles, anchors, now)
  return { anchors, mode: roots.length === 0 ? 'production' : 'test', documents }
}

const readRoot = (path: string): Uint8Array => readCertificateBlob(new Uint8Array(readFileSync(path)), 'root')

/** A root that is none would leave nothing to trust, and every piece of evidence would look forged. */
function testAnchorsOf(roots: readonly Uint8Array[], bundles: readonly Bundle[], origin: string): Anchors {
  const certificates = bundles.flatMap(({ items }) => items.filter(isCertificate).map(({ der }) => der))
  return blamed('insecure_test_root', origin, () => testAnchors(roots, certificates))
}

const isCertificate = (item: BundleItem): item is Extract<BundleItem, { kind: 'amd-certificate' }> => item.kind === 'amd-certificate'

/** A file of the operator is the operator's to mend, whatever its reader calls the fault. */
function blamed<T>(path: string, origin: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new ConfigError([{ path, origin, message: error instanceof Error ? error.message : String(error) }])
  }
}
