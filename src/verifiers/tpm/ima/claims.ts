/** An entry that a rule refused: its place in the list (from 1), its path as the kernel wrote it, cut to 256 characters. */
export type ImaFault = { readonly entry: number; readonly path: string; readonly digest: string }

/** Kinds of faults, in the order of specification tpm.md section 16, TPM-64 to 68. */
export const IMA_FAULT_KINDS = [
  'boot-aggregate',
  'violation',
  'not-allowed',
  'hash-mismatch',
  'signature-malformed',
  'signature-invalid',
  'keyring',
] as const

/** What is wrong with an entry. */
export type ImaFaultKind = (typeof IMA_FAULT_KINDS)[number]

/** The first faults of each kind, at most eight; counts of all. Kinds that did not occur are absent. */
export type ImaFaults = Readonly<Partial<Record<ImaFaultKind, { readonly count: number; readonly first: readonly ImaFault[] }>>>

/** Entries by rule of the policy that accepted them. */
export type ImaAccepted = {
  readonly digest: number
  readonly signature: number
  readonly excluded: number
  readonly keyring: number
  readonly buffer: number
}

/** Which PCRs boot_aggregate is the digest of; null where it was not verified. */
export type BootAggregate = '0-7' | '0-9' | null

/** What the IMA list proves (specification tpm.md section 12). */
export type ImaClaims = {
  /** Entries that PCR 10 attests: the beginning of the list that leads to it. */
  readonly attested_entries: number
  /** Entries behind it, which nothing attests; not looked at. */
  readonly unattested_entries: number
  /** PCR 10 where the attested beginning ends, lower-case hex. */
  readonly value: string
  readonly boot_aggregate: BootAggregate
  readonly boot_aggregate_verified: boolean
  readonly violations: number
  readonly accepted: ImaAccepted
  readonly faults: ImaFaults
  /** Whether the banks were extended by SHA-1 padded with zeros, as kernels before 5.8 did. */
  readonly legacy_padding: boolean
  /** Whether a state of an earlier appraisal was continued, and when the whole list was last seen (RFC 3339). */
  readonly continued: boolean
  readonly whole_list_at: string
}
