import { readFileSync } from 'node:fs'
import { collateralFromBundles, readBundle, type Bundle, type BundleItem } from '../collateral/bundle.ts'
import { ConfigError, type Config } from '../config.ts'
import { pinnedAnchors, testAnchors, withTpmAnchors } from '../verifiers/anchors.ts'
import { readCertificateBlob } from '../verifiers/pem.ts'
import type { TpmAnchors } from '../verifiers/tpm/anchors.ts'
import type { Anchors, CollateralAddress, Mode } from '../verifiers/verifier.ts'
import { tpmAnchorsOf, trustAnchorsOf } from './tpm-files.ts'
import { NO_TPM_TRUST, type TpmTrust } from './tpm-trust.ts'

/** Files that were named: roots in place of a vendor's, and bundles of vendor documents. */
export type GroundFiles = {
  readonly insecureTestRoots: readonly string[]
  readonly collateralBundles: readonly string[]
  /** Whose certificates of TPM keys count; nobody's by default. */
  readonly tpm?: { readonly trust: TpmTrust }
  /** Files of authorities of TPMs that count beside these. */
  readonly trustAnchors?: readonly string[]
}

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
export async function readGrounds(files: GroundFiles, now: Date): Promise<Grounds> {
  const { insecureTestRoots, collateralBundles } = files
  const bundles = collateralBundles.map((path) => blamed('collateral', path, () => readBundle(readFileSync(path, 'utf8'))))
  const roots = insecureTestRoots.map((path) => blamed('insecure_test_root', path, () => readRoot(path)))
  const vendors = roots.length === 0 ? pinnedAnchors : testAnchorsOf(roots, bundles, insecureTestRoots.join(', '))
  const mode = roots.length === 0 ? 'production' : 'test'
  const anchors = withTpmAnchors(vendors, tpmOf(files, bundles, mode))
  const { documents } = await collateralFromBundles(bundles, anchors, now)
  return { anchors, mode, documents }
}

/** Authorities from configuration and command line; certificates of bundles complete chains and are trusted for nothing. */
function tpmOf({ tpm, trustAnchors = [] }: GroundFiles, bundles: readonly Bundle[], mode: Mode): TpmAnchors {
  const configured = tpmAnchorsOf(tpm?.trust ?? NO_TPM_TRUST, mode)
  const named = trustAnchorsOf(trustAnchors, mode)
  const given = bundles.flatMap(({ items }) => items.flatMap((item) => (item.kind === 'tpm-certificate' ? [item.der] : [])))
  return { ...configured, roots: [...configured.roots, ...named.roots], pool: [...configured.pool, ...named.pool, ...given] }
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
