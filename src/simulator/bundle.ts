import type { AmdEndpoint } from '../verifiers/snp/address.ts'
import type { SnpProduct } from '../verifiers/snp/claims.ts'
import { parseIntelAddress, type IntelUpdate } from '../verifiers/tdx/address.ts'
import type { FakeAmd } from './amd.ts'
import { intelAddresses, type FakeIntel, type PlatformOf } from './intel.ts'
import type { FakeVek } from './veks.ts'

/** A collateral bundle (design section 6), as JSON. */
export type SimBundle = { readonly format: 'assay-collateral/1'; readonly items: readonly (AmdItem | IntelItem)[] }

type AmdItem =
  | { readonly kind: 'amd-certificate'; readonly der: string }
  | { readonly kind: 'amd-crl'; readonly product: SnpProduct; readonly endpoint: AmdEndpoint; readonly der: string }

/** A document of the fake Intel in a bundle: JSON as served, lists in base64. */
type IntelItem =
  | {
      readonly kind: 'intel-tcb-info' | 'intel-qe-identity'
      readonly update: IntelUpdate
      readonly body: string
      readonly issuer_chain: string
    }
  | { readonly kind: 'intel-pck-crl'; readonly ca: 'platform' | 'processor'; readonly der: string; readonly issuer_chain: string }
  | { readonly kind: 'intel-root-ca-crl'; readonly der: string }

/** All that a verifier without a network needs of this AMD: intermediates, lists of both endpoints, and the VEKs that do not travel with their reports. */
export function collateralBundle(amd: FakeAmd, veks: readonly FakeVek[] = []): SimBundle {
  const intermediates = amd.products.flatMap((product) => (['ask', 'asvk'] as const).map((role) => amd.intermediate(product, role)))
  const lists = amd.products.flatMap((product) => (['vcek', 'vlek'] as const).map((endpoint) => ({ product, endpoint })))
  return {
    format: 'assay-collateral/1',
    items: [
      ...[...intermediates, ...veks.map((vek) => vek.der)].map((der) => ({ kind: 'amd-certificate' as const, der: base64(der) })),
      ...lists.map((list) => ({ kind: 'amd-crl' as const, ...list, der: base64(amd.crl(list)) })),
    ],
  }
}

/** All that a verifier without a network needs of this Intel for platforms of these kinds, each document once. */
export function intelBundle(intel: FakeIntel, platforms: readonly PlatformOf[] = [{}]): SimBundle {
  const addresses = new Set(platforms.flatMap((platform) => intelAddresses(platform)))
  return { format: 'assay-collateral/1', items: [...addresses].flatMap((address) => itemAt(intel, address)) }
}

function itemAt(intel: FakeIntel, address: string): readonly IntelItem[] {
  const document = parseIntelAddress(address)
  if (document === undefined) return []
  const { body, issuerChain } = intel.document(document)
  const chain = { issuer_chain: Buffer.from(issuerChain).toString() }
  if (document.kind === 'root-ca-crl') return [{ kind: 'intel-root-ca-crl', der: base64(body) }]
  if (document.kind === 'pck-crl') return [{ kind: 'intel-pck-crl', ca: document.ca, der: base64(body), ...chain }]
  return [{ kind: `intel-${document.kind}`, update: document.update, body: Buffer.from(body).toString(), ...chain }]
}

/** One bundle of several. */
export const joined = (...bundles: readonly SimBundle[]): SimBundle => ({
  format: 'assay-collateral/1',
  items: bundles.flatMap(({ items }) => items),
})

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
