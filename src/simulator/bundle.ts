import type { SnpProduct } from '../verifiers/snp/claims.ts'
import type { AmdEndpoint } from '../verifiers/snp/address.ts'
import type { FakeAmd } from './amd.ts'
import type { FakeVek } from './veks.ts'

/** A collateral bundle (design section 6), as JSON. */
export type SimBundle = {
  readonly format: 'assay-collateral/1'
  readonly items: readonly (
    | { readonly kind: 'amd-certificate'; readonly der: string }
    | { readonly kind: 'amd-crl'; readonly product: SnpProduct; readonly endpoint: AmdEndpoint; readonly der: string }
  )[]
}

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

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
