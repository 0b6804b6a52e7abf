import { crlAddress, vcekAddress } from '../verifiers/snp/address.ts'
import { parseVek } from '../verifiers/snp/vek.ts'
import {
  type IntelDocument,
  type IntelUpdate,
  pckCrlAddress,
  qeIdentityAddress,
  rootCaCrlAddress,
  tcbInfoAddress,
} from '../verifiers/tdx/address.ts'
import { readVendorDocument, type VendorDocument, writeVendorDocument } from '../verifiers/tdx/document.ts'
import { addressOfList } from '../verifiers/tpm/trust/admission.ts'
import type { Anchors, CollateralAddress } from '../verifiers/verifier.ts'
import { parseAddress } from './address.ts'
import type { BundleItem } from './bundle-items.ts'

/** A document with the address that it claims to belong to. */
export type Addressed = { readonly address: CollateralAddress; readonly bytes: Uint8Array }

/**
 * The address of an item: by its label where it has one, else by what it says of itself, which admission proves; the list of a TPM authority has
 * that of the configured authority which signed it. Some have none.
 */
export function addressed(item: BundleItem, anchors: Anchors): Addressed[] {
  // A certificate completes chains; it is no document of its own.
  if (item.kind === 'tpm-certificate') return []
  if (item.kind === 'tpm-crl') return at(addressOfList(item.der, anchors), item.der)
  if (item.kind === 'amd-certificate') return at(vcekAddressOf(item.der), item.der)
  if (item.kind === 'amd-crl') return at(crlAddress(item.product, item.endpoint), item.der)
  if (item.kind === 'intel-root-ca-crl') return at(rootCaCrlAddress, writeVendorDocument({ issuerChain: new Uint8Array(), body: item.der }))
  return at(item.kind === 'intel-pck-crl' ? pckCrlAddress(item.ca) : signedAddressOf(item), writeVendorDocument(item.document))
}

const at = (address: CollateralAddress | undefined, bytes: Uint8Array): Addressed[] => (address === undefined ? [] : [{ address, bytes }])

function vcekAddressOf(der: Uint8Array): CollateralAddress | undefined {
  try {
    const { kind, product, hwid, tcb } = parseVek(der)
    return kind === 'vcek' && hwid !== undefined ? vcekAddress(product, Buffer.from(hwid).toString('hex'), tcb) : undefined
  } catch {
    // An intermediate, a root, or no certificate at all.
    return undefined
  }
}

type Signed = Extract<BundleItem, { kind: 'intel-tcb-info' | 'intel-qe-identity' }>

/** The members that tell which document a text is, read without belief and without the strictness of its verifier. */
function signedAddressOf({ kind, update, document }: Signed): CollateralAddress | undefined {
  const whole = record(parsed(document.body))
  return kind === 'intel-tcb-info'
    ? tcbAddressOf(record(whole['tcbInfo']), update)
    : identityAddressOf(record(whole['enclaveIdentity']), update)
}

const FMSPC = /^[0-9a-f]{12}$/i

/** Version 2 exists for SGX only and has no id (specification tdx.md section 4.1). */
function tcbAddressOf({ id, version, fmspc }: Fields, update: IntelUpdate): CollateralAddress | undefined {
  const tee = id === 'TDX' ? 'tdx' : id === 'SGX' || version === 2 ? 'sgx' : undefined
  return tee === undefined || typeof fmspc !== 'string' || !FMSPC.test(fmspc) ? undefined : tcbInfoAddress(tee, fmspc.toLowerCase(), update)
}

/** Intel signs identities of enclaves that quote nothing, too (QVE, QAE): they have no address. */
function identityAddressOf({ id }: Fields, update: IntelUpdate): CollateralAddress | undefined {
  const tee = id === 'TD_QE' ? 'tdx' : id === 'QE' ? 'sgx' : undefined
  return tee === undefined ? undefined : qeIdentityAddress(tee, update)
}

type Fields = Readonly<Record<string, unknown>>

const record = (value: unknown): Fields => (typeof value === 'object' && value !== null ? { ...value } : {})

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'))
  } catch {
    return undefined
  }
}

/** The opposite of {@link addressed}: the item of a kept document. Nothing for an address that is not known here. */
export function itemAt({ address, bytes }: Addressed): BundleItem[] {
  const name = parseAddress(address)
  if (name === undefined) return []
  if (name.kind === 'vcek') return [{ kind: 'amd-certificate', der: bytes }]
  if (name.kind === 'crl') return [{ kind: 'amd-crl', product: name.product, endpoint: name.endpoint, der: bytes }]
  if (name.kind === 'tpm-crl') return [{ kind: 'tpm-crl', der: bytes }]
  return [intelItem(name, readVendorDocument(bytes))]
}

function intelItem(name: IntelDocument, document: VendorDocument): BundleItem {
  if (name.kind === 'root-ca-crl') return { kind: 'intel-root-ca-crl', der: document.body }
  if (name.kind === 'pck-crl') return { kind: 'intel-pck-crl', ca: name.ca, document }
  return { kind: `intel-${name.kind}`, update: name.update, document }
}
