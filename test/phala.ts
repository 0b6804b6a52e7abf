import { QuoteVerifier, type Collateral as PeerCollateral } from '@phala/dcap-qvl'
import { pckCrlAddress, qeIdentityAddress, rootCaCrlAddress, tcbInfoAddress } from '../src/verifiers/tdx/address.ts'
import { readVendorDocument } from '../src/verifiers/tdx/document.ts'
import type { CollateralAddress } from '../src/verifiers/verifier.ts'

/** What the peer says of a quote: a status with advisories, or why it refuses. */
export type PeerVerdict = { readonly status: string; readonly advisories: readonly string[] } | { readonly error: string }

/** What the peer is asked. `root`: DER, in place of Intel's. */
export type PeerQuestion = {
  readonly quote: Uint8Array
  readonly collateral: PeerCollateral
  readonly at: Date
  readonly root?: Uint8Array
}

/** Asks `@phala/dcap-qvl` (docs/divergences.md says where it and Assay differ). */
export function peerVerdict({ quote, collateral, at, root }: PeerQuestion): PeerVerdict {
  const verifier = root === undefined ? QuoteVerifier.newProd() : QuoteVerifier.newWithRootCa(Buffer.from(root))
  try {
    const report = verifier.verify(Buffer.from(quote), collateral, Math.floor(at.getTime() / 1000))
    return { status: report.status, advisories: report.advisory_ids.toSorted() }
  } catch (error) {
    return { error: error instanceof Error ? error.message : 'unknown' }
  }
}

/** The collateral of a TDX platform (standard documents, Platform CA) as the peer takes it. */
export function peerCollateral(documents: ReadonlyMap<CollateralAddress, Uint8Array>, fmspc: string): PeerCollateral {
  const at = (address: CollateralAddress) => readVendorDocument(documents.get(address) ?? new Uint8Array())
  const crl = at(pckCrlAddress('platform'))
  const [tcbInfo, identity] = [at(tcbInfoAddress('tdx', fmspc, 'standard')), at(qeIdentityAddress('tdx', 'standard'))]
  const [info, id] = [split(tcbInfo.body), split(identity.body)]
  return {
    pck_crl_issuer_chain: text(crl.issuerChain),
    root_ca_crl: Buffer.from(at(rootCaCrlAddress).body).toString('hex'),
    pck_crl: Buffer.from(crl.body).toString('hex'),
    tcb_info_issuer_chain: text(tcbInfo.issuerChain),
    tcb_info: info.value,
    tcb_info_signature: info.signature,
    qe_identity_issuer_chain: text(identity.issuerChain),
    qe_identity: id.value,
    qe_identity_signature: id.signature,
  }
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

/** The signed text and the signature of a document that Intel, or the simulator, has served. */
function split(body: Uint8Array): { readonly value: string; readonly signature: string } {
  const [, value = '', signature = ''] = /^\{"\w+":(.*),"signature":"([0-9a-f]{128})"\}$/s.exec(text(body)) ?? []
  return { value, signature }
}
