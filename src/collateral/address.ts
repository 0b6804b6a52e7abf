import { type AmdDocument, crlAddress, parseAmdAddress, SNP_PRODUCTS } from '../verifiers/snp/address.ts'
import { type IntelDocument, parseIntelAddress, pckCrlAddress, qeIdentityAddress, rootCaCrlAddress } from '../verifiers/tdx/address.ts'
import { parseTpmAddress, type TpmDocument } from '../verifiers/tpm/trust/address.ts'
import type { CollateralAddress } from '../verifiers/verifier.ts'

/** Who publishes a document; each has a host and a budget of its own. */
export type VendorName = 'amd' | 'intel' | 'tpm'
/** What an address names. */
export type VendorDocumentName = AmdDocument | IntelDocument | TpmDocument
/** The kinds of vendor documents, as GET /v1/collateral names them. */
export type DocumentKind = VendorDocumentName['kind']

/** How documents of one kind are kept. */
type Keeping =
  /** A certificate: it never changes, and another one of the same address is as good. */
  | { readonly vendor: VendorName; readonly life: 'immutable' }
  /**
   * A document that the vendor replaces before it ends, with a rollback mark. `fetched`: some are fetched in the background only, others
   * when somebody asks first. `longest`: milliseconds of its window that count when its refresh is planned.
   */
  | { readonly vendor: VendorName; readonly life: 'dated'; readonly fetched: 'in background' | 'when asked'; readonly longest: number }

/** Intel's documents are looked at anew twice a day, however long they are valid (specification tdx.md section 4, cache lifetime). */
const DAY = 86_400_000

const KINDS: Readonly<Record<DocumentKind, Keeping>> = {
  vcek: { vendor: 'amd', life: 'immutable' },
  crl: { vendor: 'amd', life: 'dated', fetched: 'in background', longest: Infinity },
  'root-ca-crl': { vendor: 'intel', life: 'dated', fetched: 'in background', longest: DAY },
  'pck-crl': { vendor: 'intel', life: 'dated', fetched: 'in background', longest: DAY },
  'qe-identity': { vendor: 'intel', life: 'dated', fetched: 'when asked', longest: DAY },
  'tpm-crl': { vendor: 'tpm', life: 'dated', fetched: 'in background', longest: DAY },
  'tcb-info': { vendor: 'intel', life: 'dated', fetched: 'when asked', longest: DAY },
}

/** Reads an address; undefined for one that names no document that is known here. */
export const parseAddress = (address: string): VendorDocumentName | undefined =>
  parseAmdAddress(address) ?? parseIntelAddress(address) ?? parseTpmAddress(address)

/** How the document of an address is kept; undefined where {@link parseAddress} is. */
export function keepingOf(address: string): Keeping | undefined {
  const document = parseAddress(address)
  return document === undefined ? undefined : KINDS[document.kind]
}

/** The vendor whose document an address names. */
export const vendorOf = (address: string): VendorName | undefined => keepingOf(address)?.vendor

/** AMD's revocation lists: two endpoints of each product. */
export const amdLists = (
  products: typeof SNP_PRODUCTS | readonly (typeof SNP_PRODUCTS)[number][] = SNP_PRODUCTS,
): readonly CollateralAddress[] => products.flatMap((product) => [crlAddress(product, 'vcek'), crlAddress(product, 'vlek')])

/** What every TDX quote needs of Intel, and what revokes the keys of any quote. */
export const INTEL_STANDING: readonly CollateralAddress[] = [
  rootCaCrlAddress,
  pckCrlAddress('platform'),
  pckCrlAddress('processor'),
  qeIdentityAddress('tdx', 'standard'),
]
