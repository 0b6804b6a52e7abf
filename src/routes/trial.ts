import { randomName } from '../access/random.ts'
import type { Freshness, Judgement } from '../appraisal/appraisal.ts'
import { appraise, type AppraisalInput } from '../appraisal/appraise.ts'
import type { ActivePolicy } from '../appraisal/policy-set.ts'
import { rigourOf } from '../appraisal/rigour.ts'
import type { Obtained } from '../collateral/service.ts'
import { collateralSummary } from '../collateral/summary.ts'
import type { EvidenceType, Unverified } from '../verifiers/verifier.ts'
import type { Services } from './services.ts'
import { turns } from './turns.ts'

/** Evidence that is judged without consequence. */
export type Trial = {
  readonly type: EvidenceType
  readonly unverified: Unverified
  readonly obtained: Obtained
  /** SHA-256 over the decoded evidence, lower-case hex. */
  readonly digest: string
  /** What REPORT_DATA must be; undefined: freshness and binding are not asked. */
  readonly reportData: Uint8Array | undefined
  /** The same for extraData of a TPM quote. */
  readonly extraData: Uint8Array | undefined
  readonly keyBinding: AppraisalInput['keyBinding']
  readonly freshness: Freshness
}

/** How a policy would judge, with the documents that are at hand. Spends nothing. Throws what verification throws. */
export async function tryPolicy(policy: ActivePolicy, trial: Trial, services: Services): Promise<Judgement> {
  const { type, unverified, obtained, digest, reportData, extraData, keyBinding, freshness } = trial
  const { mode, memo, signatures, now } = services
  const rigour = rigourOf(policy.document)
  const context = { now: now(), mode, memo, signatures, rigour, reportData, extraData, tpm: { pause: turns.next } }
  const finding = await unverified.verify(obtained.collateral, context)
  return appraise({
    id: randomName(16).toString('hex'),
    mode,
    freshness,
    policy,
    items: [{ type, finding, fresh: freshness !== 'none' }],
    keyBinding,
    evidenceDigest: digest,
    collateral: collateralSummary(obtained),
  })
}
