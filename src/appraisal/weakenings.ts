import type { AppraisalPolicy } from './policy.ts'

/**
 * The members by which a policy is weaker than an audience should share with stricter ones (design section 3, Who decides), as
 * `snp.guest_policy.debug: DANGEROUSLY_ALLOW`. Empty: the policy may stand beside others.
 */
export const weakeningsOf = (document: AppraisalPolicy): readonly string[] => [
  ...(document.issue_on === 'warning' ? ['issue_on: warning'] : []),
  ...dangerous(document, ''),
]

const dangerous = (value: unknown, path: string): readonly string[] => {
  if (typeof value === 'string') return value.startsWith('DANGEROUSLY_') ? [`${path}: ${value}`] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, member]) => dangerous(member, path === '' ? key : `${path}.${key}`))
}
