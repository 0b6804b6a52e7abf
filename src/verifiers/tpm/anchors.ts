/** What a TPM authority may vouch for. */
export type TpmRole = 'ek' | 'ak'

/**
 * A TPM authority that the operator trusts: a certificate known by its SHA-256 (specification tpm.md section 8.8, 18). Its bytes come
 * from configuration or with the evidence; either way they count only if this is their digest.
 */
export type TpmAnchor = {
  /** SHA-256 of the certificate's DER, lower-case hex. */
  readonly sha256: string
  readonly roles: readonly TpmRole[]
  /** Whose it is: `google`, `azure`, a manufacturer's name, or what the operator calls it. Google's identity extension is believed under `google` alone. */
  readonly authority: string
  /** Manufacturers (8 hex digits of the vendor id) that it may vouch for; empty: those of no EK (attestation keys only), null: any. */
  readonly manufacturers: readonly string[] | null
  readonly origin: 'pinned' | 'configured' | 'test'
}

/** Where the revocation list of one authority is had: its address as collateral, by SHA-256 of the authority's SubjectPublicKeyInfo. */
export type TpmCrlSource = { readonly issuerSpkiSha256: string; readonly address: `tpm/${string}` }

/** Assay's own authority for attestation keys (issue: enrolment): an anchor for nothing else. `mode` is part of its certificates. */
type OwnAuthority = {
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
}

/** EKs that may be enrolled without a caller who vouches for them; compared anew at every appraisal. */
export type ListedEks = {
  /** SHA-256 of SubjectPublicKeyInfo, lower-case hex. */
  readonly spkiSha256: ReadonlySet<string>
  /** SHA-256 of the DER of authorities, every EK of which is listed. */
  readonly authorities: ReadonlySet<string>
}

/** All that TPM evidence may end in. */
export type TpmAnchors = {
  readonly roots: readonly TpmAnchor[]
  /** Certificates by their DER that may complete a chain: anchors' own and intermediates; untrusted until they lead to an anchor. */
  readonly pool: readonly Uint8Array[]
  readonly crlSources: readonly TpmCrlSource[]
  readonly own: readonly OwnAuthority[]
  readonly listed: ListedEks
}

/** Nobody is trusted: TPM roots are the operator's to name. */
export const NO_TPM_ANCHORS: TpmAnchors = {
  roots: [],
  pool: [],
  crlSources: [],
  own: [],
  listed: { spkiSha256: new Set(), authorities: new Set() },
}

/**
 * Every field of a set, for the digest that names it in memo keys. Which EKs are listed is no part of it: that is compared anew at every
 * appraisal, and no remembered fact depends on it.
 */
export const tpmFieldsOf = ({ roots, pool, crlSources, own }: TpmAnchors): readonly (string | Uint8Array)[] => [
  ...roots.flatMap(rootFieldsOf),
  ...pool.flatMap((certificate) => ['tpm-certificate', certificate]),
  ...crlSources.flatMap(({ issuerSpkiSha256, address }) => ['tpm-crl', issuerSpkiSha256, address]),
  ...own.flatMap(({ spki }) => ['assay', spki]),
]

const rootFieldsOf = ({ sha256, roles, authority, manufacturers, origin }: TpmAnchor): readonly string[] => [
  'tpm',
  sha256,
  roles.join(),
  authority,
  manufacturers?.join() ?? 'any',
  origin,
]
