import type { Appraisal, ItemAppraisal, Trustworthiness } from '../appraisal/appraisal.ts'
import type { PublicJwk } from '../access/cnf.ts'
import type { SnpClaims } from '../verifiers/snp/claims.ts'

/** Names the profile `lean` (specification tokens.md C7). */
const LEAN_PROFILE = 'urn:assay:token:lean:1'

/** Tolerance for relying parties whose clocks are behind (tokens.md C7). */
const NBF_SKEW_SECONDS = 30

/** What a lean token says beside the appraisal. */
export type LeanParts = {
  readonly appraisal: Appraisal
  /** What the policy weakens by name; told so that no relying party takes the verdict for more than it is. */
  readonly weakenings: readonly string[]
  readonly issuer: string
  readonly audience: string
  readonly subject: string
  readonly hostId: string | undefined
  readonly nonce: Uint8Array
  readonly cnf: PublicJwk | undefined
  readonly jti: string
  /** Seconds since 1970. */
  readonly issuedAt: number
  readonly expiresAt: number
}

/**
 * The bytes of claims with which a token stays under 4 KiB, so that it fits into a header everywhere (tokens.md C5):
 * header and signature take 230 characters, and base64url makes four of three.
 */
const MAX_CLAIMS_BYTES = 2896

/** How much of the report is told: all that fits; else what most relying parties match; else that without single bits and the ID block. */
const DETAILS = ['all', 'most', 'least'] as const
type Detail = (typeof DETAILS)[number]

/**
 * The claims of profile `lean` as JSON (design section 4, tokens.md C7), as detailed as 4 KiB allow. Where names and key are long, single bits
 * and the other three TCBs are left out, then the ID block and CSP_ID: the policy has judged them all, and a relying party that looks
 * for them finds nothing.
 */
export function leanClaims(parts: LeanParts): string {
  let text = ''
  for (const detail of DETAILS) {
    text = JSON.stringify(claimsOf(parts, detail))
    if (Buffer.byteLength(text) <= MAX_CLAIMS_BYTES) return text
  }
  return text
}

/** Members that are undefined are not in the token. */
function claimsOf(parts: LeanParts, detail: Detail): object {
  const { appraisal } = parts
  return {
    iss: parts.issuer,
    sub: parts.subject,
    aud: parts.audience,
    iat: parts.issuedAt,
    nbf: parts.issuedAt - NBF_SKEW_SECONDS,
    exp: parts.expiresAt,
    jti: parts.jti,
    eat_profile: LEAN_PROFILE,
    eat_nonce: Buffer.from(parts.nonce).toString('base64url'),
    freshness: appraisal.freshness,
    cnf: parts.cnf === undefined ? undefined : { jwk: parts.cnf },
    host_id: parts.hostId,
    ...flatClaims(appraisal),
    submods: Object.fromEntries(appraisal.evidence.map((item) => [item.label, submod(parts, item, detail)])),
    collateral: appraisal.collateral,
    evidence_digest: appraisal.evidence_digest,
    demo: appraisal.mode === 'production' ? undefined : true,
  }
}

/** EAT claims at the top, for relying parties that match flat claims only (tokens.md C1 and C7). */
function flatClaims(appraisal: Appraisal): object {
  const snp = appraisal.evidence.find(({ claims }) => claims.snp !== undefined)?.claims.snp
  if (snp === undefined) return { tcb: { hw: 'none', vtpm: 'none' } }
  return {
    tcb: { hw: 'snp', vtpm: 'none' },
    // RFC 9711 section 4.2.9: the guest's owner fixes DEBUG at launch, so it cannot have been on since the guest was started.
    dbgstat: snp.policy.debug_allowed ? 'enabled' : 'disabled-since-boot',
    hwmodel: `AMD-SEV-SNP-${snp.product}`,
  }
}

function submod({ appraisal, weakenings }: LeanParts, item: ItemAppraisal, detail: Detail): object {
  const { snp } = item.claims
  return {
    status: item.status,
    trustworthiness: claimed(item.trustworthiness),
    policy: appraisal.policy,
    weakenings: unlessEmpty(weakenings),
    tolerated: unlessEmpty(item.checks.flatMap((check) => (check.outcome === 'warn' ? [check.code] : []))),
    fresh: item.fresh,
    assay: snp === undefined ? {} : { snp: leanSnp(snp, item, detail) },
  }
}

const unlessEmpty = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list)

/** AR4SI: 0 is "no claim is made", which is what absence says, too. */
const claimed = (vector: Trustworthiness): object => Object.fromEntries(Object.entries(vector).filter(([, value]) => value !== 0))

/**
 * What relying parties match, by the names of the appraisal. Left to the appraisal: what names the chip (CHIP_ID, hwID, the certificate's
 * key) or the guest (REPORT_ID), which `host_id` and `sub` replace, and REPORT_DATA, which says no more than the nonce and `cnf`.
 */
function leanSnp(snp: SnpClaims, item: ItemAppraisal, detail: Detail): object {
  return {
    product: snp.product,
    version: snp.version,
    guest_svn: snp.guest_svn,
    vmpl: snp.vmpl,
    measurement: snp.measurement,
    host_data: snp.host_data,
    ...STATES[detail](snp),
    reported_tcb: snp.reported_tcb,
    signing_key: snp.signing_key,
    revocation: snp.revocation,
    advisories: item.advisories.filter(({ applies }) => applies).map(({ id }) => id),
    ...(detail === 'least' ? {} : idBlock(snp)),
  }
}

/** Every bit of guest and platform, and the firmware besides REPORTED_TCB. */
const fullState = (snp: SnpClaims): object => ({
  policy: snp.policy,
  platform_info: snp.platform_info,
  current_tcb: snp.current_tcb,
  committed_tcb: snp.committed_tcb,
  launch_tcb: snp.launch_tcb,
  current_version: snp.current_version,
  committed_version: snp.committed_version,
  launch_mit_vector: snp.launch_mit_vector ?? undefined,
  current_mit_vector: snp.current_mit_vector ?? undefined,
})

/** The bits that relying parties ask for most; `value` holds them all. */
const briefState = ({ policy, platform_info: platform }: SnpClaims): object => ({
  policy: {
    value: policy.value,
    debug_allowed: policy.debug_allowed,
    migrate_ma_allowed: policy.migrate_ma_allowed,
    smt_allowed: policy.smt_allowed,
  },
  platform_info: { value: platform.value, smt_enabled: platform.smt_enabled, alias_check_complete: platform.alias_check_complete },
})

/** The fields alone. */
const bareState = ({ policy, platform_info: platform }: SnpClaims): object => ({
  policy: { value: policy.value },
  platform_info: { value: platform.value },
})

const STATES = { all: fullState, most: briefState, least: bareState } as const satisfies Record<Detail, (snp: SnpClaims) => object>

/** What the guest's owner put into the ID block, absent where there was none, and the provider that a VLEK names. */
const idBlock = (snp: SnpClaims): object => ({
  family_id: unlessZero(snp.family_id),
  image_id: unlessZero(snp.image_id),
  id_key_digest: unlessZero(snp.id_key_digest),
  author_key_digest: unlessZero(snp.author_key_digest),
  csp_id: snp.vek.csp_id ?? undefined,
})

const unlessZero = (hex: string): string | undefined => (/^0*$/.test(hex) ? undefined : hex)
