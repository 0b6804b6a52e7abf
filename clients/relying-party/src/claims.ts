import { count, filled, flag, listOf, mapOf, object, oneOf, only, optional, sha256, text, whole, type Guarded } from './shape.ts'

const maybeText = optional(text)
const maybeTexts = optional(listOf(text))
const maybeFilled = optional(filled)
const maybeCount = optional(count)
const maybeFlag = optional(flag)

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
  bootloader: maybeCount,
  tee: maybeCount,
  snp: maybeCount,
  microcode: maybeCount,
  fmc: maybeCount,
})

/** What a token tells of an SEV-SNP guest. Where a token would be too long some of it is left out, and an absent claim is no zero. */
const isSnp = object({
  product: maybeText,
  version: maybeCount,
  guest_svn: maybeCount,
  vmpl: maybeCount,
  measurement: maybeText,
  host_data: maybeText,
  family_id: maybeText,
  image_id: maybeText,
  id_key_digest: maybeText,
  author_key_digest: maybeText,
  reported_tcb: optional(tcbParts),
  signing_key: maybeText,
  csp_id: maybeText,
  revocation: maybeText,
  advisories: maybeTexts,
})

const intelTcb = object({
  status: maybeText,
  early_status: maybeText,
  tcb_date: maybeText,
  tcb_evaluation_data_number: maybeCount,
  advisory_ids: maybeTexts,
})
const intelPlatform = object({ fmspc: maybeText, sgx_type: maybeText, smt_enabled: maybeFlag })

const intel = { tcb: optional(intelTcb), platform: optional(intelPlatform), collateral_expired: maybeFlag }

/** The same of a TDX guest. */
const isTdx = object({
  ...intel,
  mr_td: maybeText,
  mr_seam: maybeText,
  mr_service_td: maybeText,
  mr_config_id: maybeText,
  mr_owner: maybeText,
  mr_owner_config: maybeText,
  rtmr0: maybeText,
  rtmr1: maybeText,
  rtmr2: maybeText,
  rtmr3: maybeText,
})

/** The same of an SGX enclave. */
const isSgx = object({
  ...intel,
  mr_enclave: maybeText,
  mr_signer: maybeText,
  isv_prod_id: maybeCount,
  isv_svn: maybeCount,
  config_id: maybeText,
})

/** The same of a host with a TPM. */
const isTpm = object({
  ak_trust: maybeText,
  enrolment_basis: maybeText,
  bank: maybeText,
  pcrs: optional(mapOf(text)),
  boot: optional(object({ secure_boot: maybeFlag, kernel_cmdline: maybeText })),
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
const JUDGEMENT = { policy: isPolicy, weakenings: maybeTexts, tolerated: maybeTexts, fresh: flag }

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
const isConfirmation = object({ jwk: optional(isKey), jkt: maybeFilled, 'x5t#S256': maybeFilled })

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
  host_id: maybeFilled,
  tcb: object({ hw: oneOf(HARDWARE), vtpm: oneOf(VTPM) }),
  dbgstat: optional(oneOf(['enabled', 'disabled-since-boot'])),
  hwmodel: maybeFilled,
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
