import type { Appraisal, ItemAppraisal, Trustworthiness } from '../appraisal/appraisal.ts'
import type { PublicJwk } from '../access/cnf.ts'
import type { SnpClaims } from '../verifiers/snp/claims.ts'

/** Names the profile `lean` (specification tokens.md C7). */
export const LEAN_PROFILE = 'urn:assay:token:lean:1'

/** Tolerance for relying parties whose clocks are behind (tokens.md C7). */
const NBF_SKEW_SECONDS = 30

/** What a lean token says beside the appraisal. */
export type LeanParts = {
  readonly appraisal: Appraisal
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

/** The claims of profile `lean` (design section 4, tokens.md C7). Members that are undefined are not in the token. */
export function leanClaims(parts: LeanParts): object {
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
    submods: Object.fromEntries(appraisal.evidence.map((item) => [item.label, submod(appraisal, item)])),
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

function submod(appraisal: Appraisal, item: ItemAppraisal): object {
  return {
    status: item.status,
    trustworthiness: claimed(item.trustworthiness),
    policy: appraisal.policy,
    fresh: item.fresh,
    assay: item.claims.snp === undefined ? {} : { snp: leanSnp(item.claims.snp, item) },
  }
}

/** AR4SI: 0 is "no claim is made", which is what absence says, too. */
const claimed = (vector: Trustworthiness): object => Object.fromEntries(Object.entries(vector).filter(([, value]) => value !== 0))

/**
 * What relying parties match, by the names of the appraisal. Left to the appraisal: what names the chip (CHIP_ID, hwID, the certificate's
 * key) or the guest (REPORT_ID), which `host_id` and `sub` replace; REPORT_DATA, which says no more than the nonce and `cnf`; and detail
 * that would break the limit of 4 KiB.
 */
function leanSnp(snp: SnpClaims, item: ItemAppraisal): object {
  return {
    product: snp.product,
    version: snp.version,
    guest_svn: snp.guest_svn,
    vmpl: snp.vmpl,
    measurement: snp.measurement,
    host_data: snp.host_data,
    family_id: unlessZero(snp.family_id),
    image_id: unlessZero(snp.image_id),
    id_key_digest: unlessZero(snp.id_key_digest),
    author_key_digest: unlessZero(snp.author_key_digest),
    policy: {
      value: snp.policy.value,
      debug_allowed: snp.policy.debug_allowed,
      migrate_ma_allowed: snp.policy.migrate_ma_allowed,
      smt_allowed: snp.policy.smt_allowed,
    },
    platform_info: {
      value: snp.platform_info.value,
      smt_enabled: snp.platform_info.smt_enabled,
      alias_check_complete: snp.platform_info.alias_check_complete,
    },
    reported_tcb: snp.reported_tcb,
    signing_key: snp.signing_key,
    csp_id: snp.vek.csp_id ?? undefined,
    revocation: snp.revocation,
    advisories: item.advisories.filter(({ applies }) => applies).map(({ id }) => id),
  }
}

const unlessZero = (hex: string): string | undefined => (/^0*$/.test(hex) ? undefined : hex)
