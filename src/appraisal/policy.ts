import { z } from 'zod'
import { PRESET_NAMES } from './presets/names.ts'
import { tokenMembers } from './policy-token.ts'
import { sgx } from './policy-sgx.ts'
import { minTcb } from './policy-tcb.ts'
import { tdx } from './policy-tdx.ts'
import { tpm } from './policy-tpm.ts'
import {
  apiVersion,
  bits64,
  digest,
  hasMembers,
  hex,
  line,
  list,
  name,
  noPlaceholder,
  onOrOff,
  referencesOrAny,
  whole,
  words,
  yesOrNo,
} from './policy-values.ts'

/** POLICY of the guest (specification snp.md section 1.1): what it may allow, and what it must insist on. */
const guestPolicy = z.strictObject({
  min_abi: apiVersion().optional(),
  smt: words(['allow', 'deny']).default('allow'),
  migrate_ma: words(['deny', 'DANGEROUSLY_ALLOW']).default('deny'),
  debug: words(['deny', 'DANGEROUSLY_ALLOW']).default('deny'),
  cxl: words(['deny', 'allow']).default('deny'),
  single_socket: words(['any', 'require']).default('any'),
  mem_aes_256_xts: words(['any', 'require']).default('any'),
  rapl_dis: words(['any', 'require']).default('any'),
  ciphertext_hiding: words(['any', 'require']).default('any'),
  page_swap_disable: words(['any', 'require']).default('any'),
})

/** PLATFORM_INFO of the host (section 1.2). The alias check closes BadRAM, AMD-SB-3015 (section 11). */
const platformInfo = z.strictObject({
  smt: onOrOff().default('any'),
  tsme: onOrOff().default('any'),
  ecc: onOrOff().default('any'),
  rapl_disabled: onOrOff().default('any'),
  ciphertext_hiding: onOrOff().default('any'),
  alias_check: onOrOff().default('require'),
  tio: onOrOff().default('any'),
  unknown_bits: words(['allow', 'deny']).default('allow'),
})

const reaction = () => words(['refuse', 'warn', 'report'])

/** How each advisory of advisories.ts counts (section 11). */
const advisories = z.strictObject({
  'amd-sb-3019': reaction().default('refuse'),
  'amd-milan-vcek-seed-extraction': reaction().default('report'),
})

/** Revocation lists (section 8) and tolerance for clocks (SNP-33: at most 300 s). */
const crl = z.strictObject({
  mode: words(['require', 'prefer', 'DANGEROUSLY_OFF']).default('require'),
  grace_seconds: whole(0, 2_592_000).default(0),
  skew_seconds: whole(0, 300).default(60),
})

/** A provider by its name, or by a pattern with one `*` for any run of lower-case letters, digits and dashes. */
const provider = () => line(255).refine((text) => text.split('*').length <= 2, { error: 'a pattern has one `*` at most' })

/** Section 9, in its order. What is left out has its strict value; a list that is left out asks nothing, except `measurements`. */
const snp = z
  .strictObject({
    /** Absent: everything is refused (`snp-measurement-policy-missing`). */
    measurements: referencesOrAny(48).optional(),
    min_report_version: whole(2, 5).default(3),
    max_report_version: whole(2, 5).default(5),
    guest_policy: guestPolicy.prefault({}),
    policy_values: list(bits64()).optional(),
    min_guest_svn: whole(0, 0xffffffff).optional(),
    host_data: list(noPlaceholder(hex(32))).optional(),
    family_id: list(hex(16)).optional(),
    image_id: list(hex(16)).optional(),
    report_id: list(hex(32)).optional(),
    report_id_ma: list(hex(32)).optional(),
    chip_ids: list(digest(64, 8)).optional(),
    min_tcb: minTcb.optional(),
    permit_provisional_firmware: yesOrNo().default(false),
    require_reported_not_above_committed: yesOrNo().default(true),
    min_api_version: apiVersion().optional(),
    /** Counts only where the version is exactly `min_api_version`: builds of different versions cannot be compared (section 2.1). */
    min_build: whole(0, 255).optional(),
    platform_info: platformInfo.prefault({}),
    vmpl: list(whole(0, 3)).default([0]),
    require_id_block: yesOrNo().default(false),
    require_author_key: yesOrNo().default(false),
    trusted_id_key_digests: list(digest(48)).optional(),
    trusted_author_key_digests: list(digest(48)).optional(),
    id_key_enforcement: words(['enforce', 'warn']).default('enforce'),
    min_launch_mit_vector: bits64().optional(),
    min_current_mit_vector: bits64().optional(),
    require_current_mit_superset_of_launch: yesOrNo().default(false),
    allowed_signing_keys: list(words(['vcek', 'vlek'])).default(['vcek', 'vlek']),
    csp_ids: list(provider()).optional(),
    masked_chip_id: words(['refuse', 'allow']).default('refuse'),
    denied_hwids: list(digest(64, 8)).optional(),
    denied_vek_spki: list(digest(32)).optional(),
    migration_agent: words(['refuse', 'allow']).default('refuse'),
    advisories: advisories.prefault({}),
    crl: crl.prefault({}),
  })
  .refine((document) => !(document.min_report_version > document.max_report_version), {
    path: ['max_report_version'],
    error: 'must not be below min_report_version',
    when: ({ value }) => hasMembers(value),
  })
  .refine((document) => document.min_build === undefined || document.min_api_version !== undefined, {
    path: ['min_build'],
    error: 'needs min_api_version: builds compare within one version only',
    when: ({ value }) => hasMembers(value),
  })

/** The document as it is written (design sections 3 and 4), every member by itself; unknown members are refused. */
export const policyDocument = z.strictObject({
  name: name(),
  /** The preset whose members hold where this document has none; read-policy.ts lays it under. */
  extends: words(PRESET_NAMES).optional(),
  /** Technologies whose evidence is accepted at all. */
  evidence: list(words(['snp', 'tdx', 'sgx', 'tpm'])).default(['snp', 'tdx', 'sgx', 'tpm']),
  /** What evidence may be made of. `single`: one item that carries the challenge itself. The others are not supported yet, and refuse. */
  compositions: list(words(['single', 'azure-hcl', 'coconut-svsm'])).default(['single']),
  /** Whether evidence must bind a key of the caller. Without one the token is a bearer token. */
  key_binding: words(['required', 'DANGEROUSLY_OPTIONAL']).default('required'),
  /** Assay gives no replay protection for a nonce of the relying party. */
  relying_party_nonce: words(['refuse', 'allow']).default('refuse'),
  /** The worst status for which a token is still issued. */
  issue_on: words(['affirming', 'warning']).default('affirming'),
  /** `full` shows what this policy expects to callers without a role, too. */
  explain: words(['minimal', 'full']).default('minimal'),
  token: tokenMembers.prefault({}),
  /** Rules that only warn, by their paths: a failure becomes a warning. */
  warn: list(z.string({ error: 'expected the path of a rule' })).optional(),
  snp: snp.prefault({}),
  tdx: tdx.prefault({}),
  sgx: sgx.prefault({}),
  tpm: tpm.prefault({}),
})

type Frozen<T> = T extends readonly (infer E)[] ? readonly Frozen<E>[] : T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T

/** A policy with every default written out: plain data, deeply frozen. */
export type AppraisalPolicy = Frozen<z.output<typeof policyDocument>>

/** What a policy says about SEV-SNP. */
export type SnpPolicy = AppraisalPolicy['snp']

/** What a policy says about TDX. */
export type TdxPolicy = AppraisalPolicy['tdx']

/** What a policy says about enclaves of SGX. */
export type SgxPolicy = AppraisalPolicy['sgx']

/** What a policy says about hosts with a TPM. */
export type TpmPolicy = AppraisalPolicy['tpm']
