import type { Anchors, Check, Collateral, Context, IntelRigour } from '../verifier.ts'
import type { ParsedCertificate } from '../x509.ts'
import type { PckCa } from './address.ts'
import type { CollateralClaims, TcbClaims } from './claims.ts'

/** What the proven PCK certificate says that collateral is held against (specification tdx.md section 3.3). */
type PlatformTcb = {
  /** 6 bytes. */
  readonly fmspc: Uint8Array
  /** 2 bytes. */
  readonly pceid: Uint8Array
  readonly pcesvn: number
  /** The 16 SGX component SVNs. */
  readonly components: readonly number[]
}

/** The chain of the PCK certificate: proven up to a pinned root, dates not yet asked. */
export type PckChain = {
  readonly issuedBy: PckCa
  readonly leaf: ParsedCertificate
  readonly ca: ParsedCertificate
  readonly root: ParsedCertificate
}

/** The report of the quoting enclave, its signature proven (section 1.6); byte fields as received. */
export type QeReport = {
  /** 4 bytes. */
  readonly miscSelect: Uint8Array
  /** 16 bytes. */
  readonly attributes: Uint8Array
  /** 32 bytes. */
  readonly mrSigner: Uint8Array
  readonly isvProdId: number
  readonly isvSvn: number
}

/** What a TD report says of the TDX module (section 1.5); byte fields as received. */
export type TdModule = {
  /** 16 bytes. */
  readonly teeTcbSvn: Uint8Array
  /** 16 bytes; undefined for TD report 1.0. */
  readonly teeTcbSvn2: Uint8Array | undefined
  /** 48 bytes. */
  readonly mrSignerSeam: Uint8Array
  /** 8 bytes. */
  readonly seamAttributes: Uint8Array
}

/** All that steps 4 to 9 of section 5 look at. The quote is proven already (steps 1 to 3). */
export type CollateralInput = {
  /** What the TD report says; undefined for an SGX quote. */
  readonly td: TdModule | undefined
  readonly platform: PlatformTcb
  readonly pck: PckChain
  readonly qe: QeReport
  readonly anchors: Anchors
  readonly collateral: Collateral
  readonly context: Context
}

/** What a TCB is judged by, apart from documents: nothing of it is a time or a choice of the operator. */
export type TcbInput = Pick<CollateralInput, 'td' | 'platform' | 'qe'>

/** Each kind of quote has a rigour of its own. */
export const rigourOf = ({ td, context }: Pick<CollateralInput, 'td' | 'context'>): IntelRigour =>
  td === undefined ? context.rigour.sgx : context.rigour.tdx

/** What is known when none of the checks failed. */
export type CollateralVerdict = {
  readonly tcb: TcbClaims
  readonly claims: CollateralClaims
  /** When each list, document and certificate that was relied on ends, grace included. The PCK chain's own are among them. */
  readonly validUntil: readonly Date[]
}

/** TDX-27 to 43, 47 to 51, 53 to 60, each answered; `verdict` is there only when none failed. */
export type CollateralJudgement = {
  readonly checks: readonly Check[]
  readonly verdict?: CollateralVerdict
  /** TDX-88: the TCB info or the QE identity is not at hand, and no revocation was found. */
  readonly undecided?: 'collateral-unavailable'
}
