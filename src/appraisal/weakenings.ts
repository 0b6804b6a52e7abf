import type { AppraisalPolicy } from './policy.ts'

/**
 * The members by which a policy is weaker than an audience should share with stricter ones (design section 3, Who decides), as
 * `snp.guest_policy.debug: DANGEROUSLY_ALLOW`. Empty: the policy may stand beside others.
 */
export const weakeningsOf = (document: AppraisalPolicy): readonly string[] => [
  ...(document.issue_on === 'warning' ? ['issue_on: warning'] : []),
  ...dangerous(document, ''),
]

/**
 * The same, and what makes it weaker without forbidding it company: a TCB that lacks something. An operator should hear of all of them
 * (`config check`, `policy lint`).
 */
export const concessionsOf = (document: AppraisalPolicy): readonly string[] => [
  ...weakeningsOf(document),
  ...(['tdx', 'sgx'] as const).flatMap((technology) =>
    document[technology].accepted_tcb_statuses
      .filter((status) => status !== 'UpToDate')
      .map((status) => `${technology}.accepted_tcb_statuses: ${status}`),
  ),
]

const dangerous = (value: unknown, path: string): readonly string[] => {
  if (typeof value === 'string') return value.startsWith('DANGEROUSLY_') ? [`${path}: ${value}`] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, member]) => dangerous(member, path === '' ? key : `${path}.${key}`))
}
