import { z } from 'zod'
import { contradictions, type Contradiction } from './impossible.ts'
import { policyDocument, type AppraisalPolicy } from './policy.ts'
import { tokenProblems } from './policy-token.ts'
import { warnCheck } from './rule-paths.ts'
import { namesBoot } from './tpm/pcrs.ts'

const { snp, tdx, sgx, tpm } = policyDocument.shape
const warnProblem = warnCheck(z.strictObject({ snp, tdx, sgx, tpm }))

/** What is wrong with a document whose members are each well-formed: rules that cannot hold, names that cannot be given, paths of no rule. */
export const coherent = z.custom<z.output<typeof policyDocument>>().superRefine((document, context) => {
  for (const { path, message } of [
    ...warnProblems(document),
    ...bootProblems(document),
    ...contradictions(document),
    ...tokenProblems(document),
  ]) {
    context.addIssue({ code: 'custom', path: [...path], message })
  }
})

const warnProblems = ({ warn = [], sgx: policy }: AppraisalPolicy): readonly Contradiction[] =>
  warn.flatMap((path, at) => {
    const message = warnProblem(path) ?? codeProblem(path, policy)
    return message === undefined ? [] : [{ path: ['warn', at], message }]
  })

/** Without `mr_enclave` these two say which code may run, so only its word may let any run. */
const codeProblem = (path: string, { mr_enclave: enclaves, mr_signer: signers }: AppraisalPolicy['sgx']): string | undefined =>
  enclaves === undefined && signers !== undefined && ['sgx.mr_signer', 'sgx.isv_prod_id'].includes(path)
    ? 'says which enclaves may run where mr_enclave does not: if any may, write `sgx.mr_enclave: DANGEROUSLY_ACCEPT_ANY`'
    : undefined

/** What says which software a TPM host may boot must refuse another: only its word lets any boot. */
const bootProblems = ({ warn = [], tpm: policy }: AppraisalPolicy): readonly Contradiction[] =>
  policy.unnamed_boot === 'refuse' && namesBoot(policy).length > 0 && namesBoot(policy, warn).length === 0
    ? [
        {
          path: ['warn'],
          message: 'only warns of all that says what may boot: if anything may, write `tpm.unnamed_boot: DANGEROUSLY_ALLOW`',
        },
      ]
    : []
