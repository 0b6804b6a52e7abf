import { count, filled, flag, listOf, mapOf, object, oneOf, only, optional, sha256, text, whole, type Guarded } from './shape.ts'

/** Verdicts of AR4SI (draft-ietf-rats-ar4si section 2.3.2). */
const STATUSES = ['none', 'affirming', 'warning', 'contraindicated'] as const
const isStatus = oneOf(STATUSES)

/** One of them. */
export type Status = (typeof STATUSES)[number]

/** How fresh evidence is: bound to a challenge of Assay, to one whose use is not shared by its replicas, or to a nonce of the relying party. */
export const FRESHNESS = ['challenge', 'time-boxed', 'relying-party'] as const

/** One of them. */
export type Freshness = (typeof FRESHNESS)[number]

/** Whose memory protection a guest is under; `none`: a TPM alone. */
export const HARDWARE = ['snp', 'tdx', 'sgx', 'none'] as const

/** One of them. */
export type Hardware = (typeof HARDWARE)[number]

const VTPM = ['hypervisor', 'paravisor', 'in-guest', 'discrete', 'none'] as const

/** Parts of a TCB of AMD, which differ by product. */
export const tcbParts = object({
  bootloader: optional(count),
  tee: optional(count),
  snp: optional(count),
  microcode: optional(count),
  fmc: optional(count),
})

/** What a token tells of an SEV-SNP guest. Where a token would be too long some of it is left out, and an absent claim is no zero. */
const isSnp = object({
  product: optional(text),
  version: optional(count),
  guest_svn: optional(count),
  vmpl: optional(count),
  measurement: optional(text),
  host_data: optional(text),
  family_id: optional(text),
  image_id: optional(text),
  id_key_digest: optional(text),
  author_key_digest: optional(text),
  reported_tcb: optional(tcbParts),
  signing_key: optional(text),
  csp_id: optional(text),
  revocation: optional(text),
  advisories: optional(listOf(text)),
})

const intelTcb = object({
  status: optional(text),
  early_status: optional(text),
  tcb_date: optional(text),
  tcb_evaluation_data_number: optional(count),
  advisory_ids: optional(listOf(text)),
})
const intelPlatform = object({ fmspc: optional(text), sgx_type: optional(text), smt_enabled: optional(flag) })

const intel = { tcb: optional(intelTcb), platform: optional(intelPlatform), collateral_expired: optional(flag) }

/** The same of a TDX guest. */
const isTdx = object({
  ...intel,
  mr_td: optional(text),
  mr_seam: optional(text),
  mr_service_td: optional(text),
  mr_config_id: optional(text),
  mr_owner: optional(text),
  mr_owner_config: optional(text),
  rtmr0: optional(text),
  rtmr1: optional(text),
  rtmr2: optional(text),
  rtmr3: optional(text),
})

/** The same of an SGX enclave. */
const isSgx = object({
  ...intel,
  mr_enclave: optional(text),
  mr_signer: optional(text),
  isv_prod_id: optional(count),
  isv_svn: optional(count),
  config_id: optional(text),
})

/** The same of a host with a TPM. */
const isTpm = object({
  ak_trust: optional(text),
  enrolment_basis: optional(text),
  bank: optional(text),
  pcrs: optional(mapOf(text)),
  boot: optional(object({ secure_boot: optional(flag), kernel_cmdline: optional(text) })),
})

const BY_TECHNOLOGY = { snp: optional(isSnp), tdx: optional(isTdx), sgx: optional(isSgx), tpm: optional(isTpm) }

/** Claims of one piece of evidence, technology first. */
const isTechnologies = object(BY_TECHNOLOGY)

/** What evidence can be of. */
export const TECHNOLOGIES = ['snp', 'tdx', 'sgx', 'tpm'] as const satisfies readonly (keyof typeof BY_TECHNOLOGY)[]

/** One of them. */
export type Technology = (typeof TECHNOLOGIES)[number]

const isPolicy = object({ name: filled, version: count, sha256 })

/** Which policy judged. */
export type PolicyReference = Guarded<typeof isPolicy>

const vector = mapOf(whole)
const JUDGEMENT = { policy: isPolicy, weakenings: optional(listOf(text)), tolerated: optional(listOf(text)), fresh: flag }

/** One piece of evidence as it was judged, in the words of profile `lean`, whatever the profile. */
const ITEM = { status: isStatus, trustworthiness: vector, ...JUDGEMENT, assay: isTechnologies }

/** A piece of evidence as profile `lean` tells it. */
export const isLeanSubmod = object(ITEM)

/** The same of draft-ietf-rats-ear. */
export const isEarSubmod = object({
  ear_status: isStatus,
  ear_trustworthiness_vector: vector,
  assay: object({ ...JUDGEMENT, ...BY_TECHNOLOGY }),
})

/** The same with the names of an older draft, which deployed libraries read. */
export const isVeraisonSubmod = object({
  'ear.status': isStatus,
  'ear.trustworthiness-vector': vector,
  'ear.veraison.annotated-evidence': isTechnologies,
  'ear.veraison.policy-claims': object(JUDGEMENT),
})

const isKey = object({ kty: filled })

/** What a token is bound to (RFC 7800 section 3, RFC 8705 section 3.1, RFC 9449 section 6.1). */
const isConfirmation = object({ jwk: optional(isKey), jkt: optional(filled), 'x5t#S256': optional(filled) })

/** What every profile says in the same words. */
export const COMMON = {
  iss: filled,
  sub: filled,
  groups: optional(listOf(filled)),
  aud: filled,
  iat: count,
  nbf: count,
  exp: count,
  jti: filled,
  eat_profile: filled,
  eat_nonce: filled,
  freshness: oneOf(FRESHNESS),
  cnf: optional(isConfirmation),
  host_id: optional(filled),
  tcb: object({ hw: oneOf(HARDWARE), vtpm: oneOf(VTPM) }),
  dbgstat: optional(oneOf(['enabled', 'disabled-since-boot'])),
  hwmodel: optional(filled),
  evidence_digest: sha256,
  demo: optional(only(true)),
  submods: mapOf(object({})),
}
const isCommon = object(COMMON)

/** The claims of a token that are the same in every profile. */
export type Claims = Guarded<typeof isCommon>

/** What a token is bound to. */
export type Confirmation = NonNullable<Claims['cnf']>

/** One piece of evidence as it was judged, whatever the profile calls it. */
export type Item = { readonly label: string } & Guarded<typeof isLeanSubmod>
