import type { SnpFacts } from './snp/facts.ts'
import type { TpmAnchors } from './tpm/anchors.ts'
import type { PcrBank, TpmClaims } from './tpm/claims.ts'
import { genuineTpm, type TpmContext, type TpmRemains, type TpmRigour } from './tpm/context.ts'
import type { TpmFacts } from './tpm/facts.ts'
import type { SgxClaims, TdxClaims } from './tdx/claims.ts'
import type { TdxFacts } from './tdx/facts.ts'
import type { SnpClaims } from './snp/claims.ts'
import type { ProblemCode } from './problems.ts'

/** How the service runs (design: modes). Everything made outside `production` is marked as such. */
export type Mode = 'production' | 'demo' | 'test'

/** An AMD SEV-SNP report with what travelled beside it. Nothing in it is believed yet. */
export type SnpEvidence = {
  readonly type: 'snp'
  /** `report`: the 1184 bytes of ATTESTATION_REPORT; `report_response`: the 1216 bytes of MSG_REPORT_RSP. */
  readonly form: 'report' | 'report_response'
  readonly bytes: Uint8Array
  /** The certificate table of the extended guest request (GHCB), untrusted transport. */
  readonly certTable?: Uint8Array
  /** Each is the bytes of one DER certificate or of one PEM block. */
  readonly certificates: readonly Uint8Array[]
}

/** What Linux configfs-tsm hands out, untouched. */
export type TsmEvidence = {
  readonly type: 'tsm'
  readonly provider: 'sev_guest' | 'tdx_guest'
  readonly outblob: Uint8Array
  readonly auxblob?: Uint8Array
  readonly manifestblob?: Uint8Array
}

/** An Intel TDX quote with what travelled beside it. Nothing in it is believed yet. */
export type TdxEvidence = {
  readonly type: 'tdx'
  /** Quote v4 or v5, possibly with zeros behind its declared end. */
  readonly quote: Uint8Array
  /** A PCK chain for quotes that hold none (certification data types 1 to 4): each the bytes of one DER certificate or of one PEM block, leaf first. */
  readonly certificates: readonly Uint8Array[]
  /** CCEL: a TCG2 crypto-agile log of what was extended into RTMR0 to 3. */
  readonly eventLog?: Uint8Array
  /** Runtime events as JSON, as dstack keeps them. */
  readonly runtimeLog?: Uint8Array
  /** The document that MRCONFIGID may bind. */
  readonly initdata?: Uint8Array
}

/** An Intel SGX quote (v3, v4 or v5) with what travelled beside it. */
export type SgxEvidence = { readonly type: 'sgx'; readonly quote: Uint8Array; readonly certificates: readonly Uint8Array[] }

/** One quote of a TPM with the PCR values that it is said to be over. */
export type TpmQuote = {
  /** TPMS_ATTEST, bare or as TPM2B_ATTEST. */
  readonly quote: Uint8Array
  /** TPMT_SIGNATURE. */
  readonly signature: Uint8Array
  /** Values by bank and index (decimal). The signed selection says which of them mean anything. */
  readonly pcrs: Readonly<Partial<Record<PcrBank, Readonly<Record<string, Uint8Array>>>>>
}

/** Quotes of a TPM 2.0 with what travelled beside them. Nothing in it is believed yet. */
export type TpmEvidence = {
  readonly type: 'tpm'
  /** One to four, every one of which is verified. */
  readonly quotes: readonly TpmQuote[]
  /** TPMT_PUBLIC of the attestation key, bare or as TPM2B_PUBLIC. */
  readonly akPublic?: Uint8Array
  /** Each the bytes of one DER certificate or of one PEM block, that of the attestation key first. */
  readonly akCertificates: readonly Uint8Array[]
  /** The TCG2 log of the firmware. */
  readonly eventLog?: Uint8Array
  /** The kernel's list of measured files (ASCII or binary), whole or in portions as they arrive. */
  readonly imaLog?: Uint8Array | AsyncIterable<Uint8Array>
}

/** What an Attester sends (RFC 9334 section 8.1). Nothing in it is believed yet. */
export type Evidence = SnpEvidence | TdxEvidence | SgxEvidence | TsmEvidence | TpmEvidence
/** The names by which evidence is told apart on the wire. */
export type EvidenceType = Evidence['type']

/** Names one vendor document. Equal addresses mean the same document, so the address is also the cache key. */
export type CollateralAddress = `${'amd' | 'intel' | 'tpm'}/${string}`

/** What is known of the newest document ever accepted at an address; an older one is a rollback. `strictest`: the record was unreadable. */
export type RollbackMark = { readonly number: bigint; readonly thisUpdate: Date } | 'strictest'

/** Everything that a verifier may rely on besides the evidence. Documents are untrusted bytes until the verifier has checked them. */
export type Collateral = {
  readonly documents: ReadonlyMap<CollateralAddress, Uint8Array>
  /** Why a document is not there: the vendor said that it does not exist, or it could not be asked. */
  readonly missing: ReadonlyMap<CollateralAddress, 'not-found' | 'unavailable'>
  readonly marks: ReadonlyMap<CollateralAddress, RollbackMark>
}

/** How revocation lists count (specification snp.md section 8, design section 7). */
type RevocationMode = 'require' | 'prefer' | 'DANGEROUSLY_OFF'

/** The choices of a policy that decide whether evidence counts as genuine; without a policy {@link genuineOnly} holds. */
export type Rigour = { readonly snp: SnpRigour; readonly tdx: TdxRigour; readonly sgx: IntelRigour; readonly tpm: TpmRigour }

/** Rigour towards SEV-SNP evidence. */
export type SnpRigour = {
  readonly revocation: RevocationMode
  /** Seconds for which a revocation list is still good after its nextUpdate. */
  readonly crlGraceSeconds: number
  /** Tolerance for clocks, in seconds, 0 to 300. */
  readonly skewSeconds: number
  readonly maskedChipId: 'refuse' | 'allow'
}

/** Rigour towards collateral of Intel (specification tdx.md section 5.7), each kind of quote with its own. Revocation lists are never optional. */
export type IntelRigour = {
  /** Seconds for which lists, TCB info and QE identity are still good after their nextUpdate. */
  readonly collateralGraceSeconds: number
  /** Tolerance for clocks, in seconds, 0 to 300. */
  readonly skewSeconds: number
}

/** Rigour towards TDX quotes. */
type TdxRigour = IntelRigour & {
  /** The registers that an event log must replay to, where one is sent; events of others stay untrusted. */
  readonly replayedRtmrs: readonly (0 | 1 | 2 | 3)[]
}

/** The rigour of "is it genuine?" when no policy is asked (design section 6). */
export const genuineOnly: Rigour = {
  snp: { revocation: 'prefer', crlGraceSeconds: 0, skewSeconds: 0, maskedChipId: 'refuse' },
  tdx: { collateralGraceSeconds: 0, skewSeconds: 0, replayedRtmrs: [0, 1, 2, 3] },
  sgx: { collateralGraceSeconds: 0, skewSeconds: 0 },
  tpm: genuineTpm,
}

/** Time-free facts of bytes, remembered by digest of all that they depend on. */
export type FactTable<T> = { readonly get: (key: string) => T | undefined; readonly set: (key: string, fact: T) => void }
/** One bounded table for each kind of fact. Neither failures nor anything that depends on time or policy is ever kept. */
export type Memo = { readonly snp: SnpFacts; readonly tdx: TdxFacts; readonly tpm: TpmFacts }

/** Fixed for one appraisal. Time is data: nothing under src/verifiers may read a clock. */
export type Context = {
  readonly now: Date
  readonly mode: Mode
  /** The 64 bytes that REPORT_DATA must equal; undefined: freshness and binding are not asked. */
  readonly reportData: Uint8Array | undefined
  /** What extraData of a TPM quote must equal, length too; undefined as reportData. */
  readonly extraData: Uint8Array | undefined
  readonly tpm?: TpmContext
  readonly rigour: Rigour
  readonly memo: Memo
  /**
   * Where signatures that take half a millisecond are verified: in libuv's pool, which leaves the caller's thread to others (the default),
   * or in place, which costs less where every core has a process of its own. The verdict is the same.
   */
  readonly signatures?: 'pool' | 'in-place'
}

/** What reading may draw on before there is a question: facts, and the mode in which they hold. */
export type Reading = Pick<Context, 'mode' | 'memo'>

/** One numbered check of a specification, with the values it looked at. */
export type Check = {
  readonly id: string
  readonly title: string
  readonly actual?: string
  readonly expected?: string
  /** Who wrote `expected`: a vendor or specification (public), or the operator's policy (shown to role viewer). */
  readonly origin?: 'specification' | 'policy'
  /** The policy’s path to the rule that was asked, as `snp.min_tcb.reported.milan`; shown to those who may see `expected`. */
  readonly rule?: string | undefined
} & ({ readonly outcome: 'pass' | 'skip' } | { readonly outcome: 'fail' | 'warn'; readonly code: ProblemCode; readonly remedy?: string })

/** Technology first, then the specification's field names in snake_case. */
export type Claims = { readonly snp?: SnpClaims; readonly tdx?: TdxClaims; readonly sgx?: SgxClaims; readonly tpm?: TpmClaims }

/**
 * Claims exist only beside the checks that make them believable: they are absent unless every check of genuineness passed.
 * `validUntil` is the earliest expiry among all that was relied on.
 */
export type Finding = {
  readonly checks: readonly Check[]
  readonly claims?: Claims
  readonly validUntil: Date
  /** Set when a vendor document that could still be fetched is missing: the answer is then `collateral-unavailable`, whatever the checks' codes. */
  readonly undecided?: 'collateral-unavailable'
  /** Only beside claims. */
  readonly remains?: TpmRemains
}

/** Evidence that has been read but not believed: it can say what it needs, and be put to the test. */
export type Unverified = {
  readonly needs: readonly CollateralAddress[]
  /** Documents that would say more but decide nothing: used where they are at hand, never fetched for this. */
  readonly wants?: readonly CollateralAddress[]
  /** Vendor documents that came with the evidence, by the address they would be fetched from; worth keeping once `verify` has passed. */
  readonly offers: ReadonlyMap<CollateralAddress, Uint8Array>
  /** How a TPM’s attestation key is known, by which an earlier quote of it is looked up ({@link TpmRemains}); unproven. */
  readonly akId?: string
  readonly verify: (collateral: Collateral, context: Context) => Promise<Finding>
}

/** The public keys that verification may end in. `digest` is the SHA-256 (hex) of the whole set and part of every memo key. */
export type Anchors = {
  readonly amd: readonly AmdAnchor[]
  readonly intel: readonly IntelAnchor[]
  readonly tpm: TpmAnchors
  readonly digest: string
}

/** Intel's SGX root (specification tdx.md section 3.1), by its public key. */
export type IntelAnchor = {
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  readonly origin: 'pinned' | 'test'
}

/** One of AMD's signing authorities (specification snp.md section 6.4), by its public key. */
export type AmdAnchor = {
  readonly product: 'Milan' | 'Genoa' | 'Turin'
  readonly role: 'ark' | 'ask' | 'asvk'
  /** Common name: `ARK-Milan`, `SEV-Milan`, `SEV-VLEK-Milan`. */
  readonly commonName: string
  readonly serial: bigint
  readonly notBefore: Date
  readonly notAfter: Date
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  /** `test` anchors are minted at run time or named by --insecure-test-root; they never exist in a production process. */
  readonly origin: 'pinned' | 'test'
}

/**
 * The one function each technology exports. Throws AttestationError when the bytes make no sense. What it proves before it tells its needs
 * comes from the memo of `reading` where that is given; without it `verify` proves everything.
 */
export type Verifier<E extends Evidence = Evidence> = (evidence: E, anchors: Anchors, reading?: Reading) => Promise<Unverified>
