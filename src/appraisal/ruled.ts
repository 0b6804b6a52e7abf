import type { Check, Claims } from '../verifiers/verifier.ts'
import type { AdvisoryResult } from './appraisal.ts'
import type { Question } from './check.ts'
import { judge } from './check.ts'
import type { AppraisalPolicy } from './policy.ts'
import { sgxChecks } from './sgx/rules.ts'
import { advisoryResults } from './snp/advisory-rules.ts'
import { snpChecks } from './snp/rules.ts'
import { intelAdvisoryResults } from './tdx/advisory-results.ts'
import { tdxChecks } from './tdx/rules.ts'
import { tpmChecks } from './tpm/rules.ts'

/** The answers of the rules of one technology, or of all whose claims there are. */
type Ruled = { readonly checks: readonly Check[]; readonly advisories: readonly AdvisoryResult[] }

const NO_RULES: Question = { id: 'POLICY', title: 'The policy has rules for this evidence', code: 'policy-denied', origin: 'specification' }

/** Each technology has its rules; claims that no rule looked at are not acceptable. */
export function ruled({ snp, tdx, sgx, tpm }: Claims, policy: AppraisalPolicy): Ruled {
  const answers = [
    ...(snp === undefined ? [] : [aboutSnp({ claims: snp, policy: policy.snp })]),
    ...(tdx === undefined ? [] : [aboutTdx({ of: 'tdx', claims: tdx, policy: policy.tdx })]),
    ...(sgx === undefined ? [] : [aboutSgx({ of: 'sgx', claims: sgx, policy: policy.sgx })]),
    ...(tpm === undefined ? [] : [aboutTpm({ claims: tpm, policy: policy.tpm })]),
  ]
  if (answers.length === 0)
    return { checks: [judge(NO_RULES, false, { actual: 'none', expected: 'snp, tdx, sgx or tpm' })], advisories: [] }
  return { checks: answers.flatMap(({ checks }) => checks), advisories: answers.flatMap(({ advisories }) => advisories) }
}

const aboutSnp = (subject: Parameters<typeof snpChecks>[0]): Ruled => ({ checks: snpChecks(subject), advisories: advisoryResults(subject) })

const aboutTdx = (subject: Parameters<typeof tdxChecks>[0]): Ruled => ({
  checks: tdxChecks(subject),
  advisories: intelAdvisoryResults(subject),
})

const aboutTpm = (subject: Parameters<typeof tpmChecks>[0]): Ruled => ({ checks: tpmChecks(subject), advisories: [] })

const aboutSgx = (subject: Parameters<typeof sgxChecks>[0]): Ruled => ({
  checks: sgxChecks(subject),
  advisories: intelAdvisoryResults(subject),
})
