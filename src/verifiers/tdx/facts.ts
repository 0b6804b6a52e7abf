import type { KeyObject } from 'node:crypto'
import type { RevocationList } from '../crl.ts'
import type { Check, FactTable, Mode } from '../verifier.ts'
import type { ParsedCertificate } from '../x509.ts'
import type { PckCa } from './address.ts'
import type { Window } from './certificate-dates.ts'
import type { Dated } from './collateral-dates.ts'
import type { EnclaveReport } from './enclave-report.ts'
import type { QeIdentity } from './qe-identity.ts'
import type { SgxExtension } from './sgx-extension.ts'
import type { SignedDocument } from './signed-document.ts'
import type { TcbInfo } from './tcb-info.ts'
import type { TcbJudgement } from './tcb-verdict.ts'

/** A PCK chain that is proven up to a pinned root (TDX-18 to 26): no dates, no revocation, no quote. */
export type PckFact = {
  readonly leaf: ParsedCertificate
  readonly ca: ParsedCertificate
  readonly root: ParsedCertificate
  readonly issuedBy: PckCa
  /** The public key of the PCK. */
  readonly key: KeyObject
  readonly extension: SgxExtension
  /** Of root, CA and PCK. */
  readonly windows: readonly Window[]
  /** The checks that made this a fact; all passed. */
  readonly checks: readonly Check[]
}

/** A quoting enclave that a proven PCK vouches for, and its attestation key (TDX-44 to 46). Quotes of one platform share it. */
export type QeFact = {
  /** The attestation key. */
  readonly key: KeyObject
  readonly report: EnclaveReport
  /** The checks that made this a fact; all passed. */
  readonly checks: readonly Check[]
}

/** A revocation list that its authority has signed; `about` says it for people. */
export type ProvenList = { readonly list: RevocationList; readonly dated: Dated; readonly about: string }

/** What verification of TDX and SGX quotes remembers: every table is bounded by whoever hands it in. */
export type TdxFacts = {
  readonly pck: FactTable<PckFact>
  readonly qe: FactTable<QeFact>
  /** Revocation lists whose signature by the root or by a PCK authority was verified. */
  readonly crl: FactTable<ProvenList>
  /** Documents that Intel’s TCB signing key has signed, with the chain of that key. */
  readonly tcbInfo: FactTable<SignedDocument<TcbInfo>>
  readonly qeIdentity: FactTable<SignedDocument<QeIdentity>>
  /** What such documents make of a TCB in which nothing fails (TDX-40 to 60). */
  readonly tcb: FactTable<TcbJudgement>
}

/** What a remembered fact depends on besides its bytes. `fact`: name and version, raised whenever what is checked changes. */
export type TdxFactScope = {
  readonly fact: 'intel-pck/1' | 'intel-qe/1' | 'intel-crl/1' | 'intel-tcb-info/1' | 'intel-qe-identity/1'
  readonly mode: Mode
  /** Digest of the anchors. */
  readonly anchors: string
}

/**
 * The key of a fact: name, mode, anchors, and a digest of each of the byte strings that it depends on (design section 2, Memoised). None of them
 * has a blank in it, so that no two lists are written alike.
 */
export const tdxFactKey = ({ fact, mode, anchors }: TdxFactScope, digests: readonly string[]): string =>
  `${fact} ${mode} ${anchors} ${digests.join(' ')}`
