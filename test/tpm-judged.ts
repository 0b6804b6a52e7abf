import type { Judgement } from '../src/appraisal/appraisal.ts'
import { appraise } from '../src/appraisal/appraise.ts'
import { readPolicy } from '../src/appraisal/read-policy.ts'
import { rigourOf } from '../src/appraisal/rigour.ts'
import { anchorsOf } from '../src/verifiers/anchors.ts'
import { AttestationError } from '../src/verifiers/problems.ts'
import { verify } from '../src/verifiers/registry.ts'
import type { TpmClaims } from '../src/verifiers/tpm/claims.ts'
import type { TpmContext } from '../src/verifiers/tpm/context.ts'
import type { Anchors, Check, CollateralAddress, Context, Finding, Mode, TpmEvidence } from '../src/verifiers/verifier.ts'
import { akNameOf, TEST_NONCE } from './tpm-quotes.ts'
import { freshMemo } from './snp-in-process.ts'

/** One question about TPM evidence; what is left out is as {@link judgeTpm} says. */
export type TpmExhibit = {
  readonly evidence: TpmEvidence
  /** Members of `tpm` of the policy. */
  readonly policy?: { readonly [option: string]: unknown }
  readonly extraData?: Uint8Array | undefined
  readonly anchors?: Anchors
  readonly documents?: ReadonlyMap<CollateralAddress, Uint8Array>
  readonly at?: Date
  readonly mode?: Mode
  readonly tpm?: TpmContext
}

/** The public code of a refusal, or `accepted`. */
export type TpmAnswer = { readonly code: string; readonly claims: TpmClaims | undefined; readonly checks: readonly Check[] }

const NOBODY = anchorsOf([])
const STANDARD = { at: new Date('2026-11-24T12:00:00Z'), mode: 'production', extraData: TEST_NONCE, tpm: {} } as const

/**
 * Verifies evidence and appraises it by a policy as the service does. Unless told otherwise the policy enrols the very key of the evidence and
 * asks nothing of what booted, the nonce is that of tests, and no authority is trusted.
 */
export async function judgeTpm(exhibit: TpmExhibit): Promise<TpmAnswer> {
  const { evidence, mode, ...asked } = { ...STANDARD, ...exhibit }
  const policy = readPolicy(JSON.stringify({ name: 'matrix', issue_on: 'warning', tpm: policyOf(exhibit) }), 'matrix')
  const rigour = rigourOf(policy.document)
  const { at: now, extraData, tpm } = asked
  const context: Context = { now, mode, reportData: undefined, extraData, rigour, memo: freshMemo(), tpm }
  try {
    const finding = await find(exhibit, context)
    const judgement = appraise({ ...INPUT, mode, policy, items: [{ type: evidence.type, finding, fresh: true }] })
    return { code: judgement.code ?? 'accepted', claims: finding.claims?.tpm, checks: checksOf(judgement) }
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return { code: error.code, claims: undefined, checks: error.checks }
  }
}

/** The key of the evidence, by name; evidence without a public area names none. */
const policyOf = ({ evidence, policy }: TpmExhibit): object => {
  const enrolled = { ak_trust: ['enrolled-ak'], enrolled_aks: [akNameOf(evidence)] }
  return { ...(policy !== undefined && 'ak_trust' in policy ? {} : enrolled), unnamed_boot: 'DANGEROUSLY_ALLOW', ...policy }
}

async function find({ evidence, anchors = NOBODY, documents = new Map() }: TpmExhibit, context: Context): Promise<Finding> {
  const unverified = await verify(evidence, anchors, context)
  const missing = new Map(unverified.needs.flatMap((address) => (documents.has(address) ? [] : [[address, 'unavailable'] as const])))
  return unverified.verify({ documents, missing, marks: new Map() }, context)
}

const INPUT = {
  id: 'matrix',
  freshness: 'none',
  keyBinding: 'not-asked',
  evidenceDigest: '00',
  collateral: { digest: '', oldest_fetch: null, earliest_expiry: null },
} as const

const checksOf = ({ appraisal }: Judgement): readonly Check[] => appraisal.evidence.flatMap(({ checks }) => checks)

/** Codes of all failed checks, each once. */
export const failedCodes = ({ checks }: TpmAnswer): readonly string[] => [
  ...new Set(checks.flatMap((check) => (check.outcome === 'fail' ? [check.code] : []))),
]
