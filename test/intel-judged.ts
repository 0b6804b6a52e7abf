import type { Judgement } from '../src/appraisal/appraisal.ts'
import { appraise } from '../src/appraisal/appraise.ts'
import { readPolicy } from '../src/appraisal/read-policy.ts'
import type { SgxClaims, TdxClaims } from '../src/verifiers/tdx/claims.ts'
import type { Check, Claims, Finding } from '../src/verifiers/verifier.ts'
import { sgxClaims, tdxClaims } from './intel-claims.ts'

const zeros = (bytes: number): string => '00'.repeat(bytes)

/** A TD as it should be: nothing bound to it that could move it, and a TCB that has only risen since its launch. */
export const soundTdx: TdxClaims = {
  ...tdxClaims,
  tee_tcb_svn: '0b010400000000000000000000000000',
  tee_tcb_svn2: '0d010400000000000000000000000000',
  mr_service_td: zeros(48),
  init_servtd_hash: zeros(48),
  cur_servtd_hash: zeros(48),
}

/** An enclave as it should be. */
export const soundSgx: SgxClaims = { ...sgxClaims, isv_prod_id: 7, isv_svn: 3 }

/** Options of a policy, as they are written under `tdx` or `sgx`. */
export type Options = { readonly [option: string]: unknown }

/** A finding of a genuine quote with these claims. */
export const genuineQuote = (claims: Claims, ...checks: readonly Check[]): Finding => ({
  checks: [{ id: 'TDX-52', title: 'The quote is signed by the attestation key', outcome: 'pass', origin: 'specification' }, ...checks],
  claims,
  validUntil: new Date('2026-12-01T00:00:00Z'),
})

/** What a policy with these members says of a finding. */
export const judgedUnder = (document: Options, finding: Finding): Judgement =>
  appraise({
    id: 'x',
    mode: 'test',
    freshness: 'challenge',
    policy: readPolicy(JSON.stringify({ name: 'test', ...document }), 'test'),
    items: [{ type: finding.claims?.sgx === undefined ? 'tdx' : 'sgx', finding, fresh: true }],
    keyBinding: 'bound',
    evidenceDigest: '00',
    collateral: { digest: '00', oldest_fetch: null, earliest_expiry: null },
  })

/** Every check of a judgement. */
export const checksOf = ({ appraisal }: Judgement): readonly Check[] => appraisal.evidence.flatMap((item) => item.checks)
