import type { PublicJwk } from '../access/cnf.ts'
import type { Appraisal, ItemAppraisal } from '../appraisal/appraisal.ts'
import { isUntrusted } from '../appraisal/tdx/attributes.ts'
import type { TpmClaims } from '../verifiers/tpm/claims.ts'
import type { Claims } from '../verifiers/verifier.ts'
import { DETAILS, type Detail } from './detail.ts'
import { leanSgx } from './lean-sgx.ts'
import { leanSnp } from './lean-snp.ts'
import { leanTdx } from './lean-tdx.ts'
import { leanTpm } from './lean-tpm.ts'

/** Tolerance for relying parties whose clocks are behind (tokens.md C7). */
const NBF_SKEW_SECONDS = 30

/** What a token says beside the appraisal, whatever its profile. */
export type TokenParts = {
  readonly appraisal: Appraisal
  /** What the policy weakens by name; told so that no relying party takes the verdict for more than it is. */
  readonly weakenings: readonly string[]
  readonly issuer: string
  readonly audience: string
  readonly subject: string
  /** What the policy lets the token’s holder be a member of. */
  readonly groups?: readonly string[] | undefined
  readonly hostId: string | undefined
  readonly nonce: Uint8Array
  readonly cnf: PublicJwk | undefined
  readonly jti: string
  /** Seconds since 1970. */
  readonly issuedAt: number
  readonly expiresAt: number
  /** Bytes that the JSON may have. */
  readonly room: number
}

/** Claims of one profile, in so much detail. Members that are undefined are not in the token. */
type Rendering = (detail: Detail) => object

/**
 * Claims as JSON, as detailed as there is room for. Where names and key are long, single bits and what logs say are left out, then what the
 * guest’s owner may have set: the policy has judged it all, and a relying party that looks for it finds nothing.
 */
export function fitting(room: number, rendering: Rendering): string {
  let text = ''
  for (const detail of DETAILS) {
    text = JSON.stringify(rendering(detail))
    if (Buffer.byteLength(text) <= room) return text
  }
  return text
}

/** What every profile says in the same words (design section 4, tokens.md C7): who, for whom, until when, of what, and with which key. */
export function claimsOfAll(parts: TokenParts, profile: string): object {
  const { appraisal } = parts
  return {
    iss: parts.issuer,
    sub: parts.subject,
    groups: parts.groups,
    aud: parts.audience,
    iat: parts.issuedAt,
    nbf: parts.issuedAt - NBF_SKEW_SECONDS,
    exp: parts.expiresAt,
    jti: parts.jti,
    eat_profile: profile,
    eat_nonce: Buffer.from(parts.nonce).toString('base64url'),
    freshness: appraisal.freshness,
    cnf: parts.cnf === undefined ? undefined : { jwk: parts.cnf },
    host_id: parts.hostId,
    ...flatClaims(appraisal),
    collateral: appraisal.collateral,
    evidence_digest: appraisal.evidence_digest,
    demo: appraisal.mode === 'production' ? undefined : true,
  }
}

/** One submod for each item of evidence, by its label. */
export const submodsOf = ({ appraisal }: TokenParts, submod: (item: ItemAppraisal) => object): object =>
  Object.fromEntries(appraisal.evidence.map((item) => [item.label, submod(item)]))

/** How an item was judged: by which policy, what that weakens and tolerates, and whether the item itself carries the nonce. */
export const judgementOf = ({ appraisal, weakenings }: TokenParts, item: ItemAppraisal): object => ({
  policy: appraisal.policy,
  weakenings: unlessEmpty(weakenings),
  tolerated: unlessEmpty(item.checks.flatMap((check) => (check.outcome === 'warn' ? [check.code] : []))),
  fresh: item.fresh,
})

/** The named claims of an item, technology first. */
export function namedClaims(item: ItemAppraisal, detail: Detail): object {
  const { snp, tdx, sgx, tpm } = item.claims
  return {
    snp: snp === undefined ? undefined : leanSnp(snp, item, detail),
    tdx: tdx === undefined ? undefined : leanTdx(tdx, detail),
    sgx: sgx === undefined ? undefined : leanSgx(sgx, detail),
    tpm: tpm === undefined ? undefined : leanTpm(tpm, detail),
  }
}

/**
 * EAT claims at the top, for relying parties that match flat claims only (tokens.md C1 and C7). Of `dbgstat`, RFC 9711 section 4.2.9: debugging
 * is chosen when a guest or an enclave is launched, so where it is off it cannot have been on since. A TD is under debug by any bit of TUD.
 */
function flatClaims({ evidence }: Appraisal): object {
  const flat = evidence.flatMap(({ claims }) => flatOf(claims))[0]
  const vtpm = evidence.flatMap(({ claims: { tpm } }) => (tpm === undefined ? [] : [vtpmOf(tpm)]))[0] ?? 'none'
  if (flat === undefined) return { tcb: { hw: 'none', vtpm } }
  return { tcb: { hw: flat.hw, vtpm }, dbgstat: flat.debug ? 'enabled' : 'disabled-since-boot', hwmodel: flat.model }
}

/**
 * Who stands behind the registers of a TPM: a chip only where its endorsement key was proven. Of a key that a cloud certifies, or that somebody
 * merely enrolled, the weaker is told: whoever runs the virtual machine.
 */
const vtpmOf = ({ ak_trust }: TpmClaims): 'discrete' | 'hypervisor' => (ak_trust === 'ek-activation' ? 'discrete' : 'hypervisor')

type Flat = { readonly hw: 'snp' | 'tdx' | 'sgx'; readonly debug: boolean; readonly model: string }

function flatOf({ snp, tdx, sgx }: Claims): readonly Flat[] {
  if (snp !== undefined) return [{ hw: 'snp', debug: snp.policy.debug_allowed, model: `AMD-SEV-SNP-${snp.product}` }]
  if (tdx !== undefined) return [{ hw: 'tdx', debug: isUntrusted(tdx), model: 'Intel-TDX' }]
  return sgx === undefined ? [] : [{ hw: 'sgx', debug: sgx.debug, model: 'Intel-SGX' }]
}

const unlessEmpty = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list)
