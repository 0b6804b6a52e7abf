import type { AdvisoryResult } from '../appraisal.ts'
import type { IntelCase } from './rule.ts'
import { applyingAdvisories } from './tcb.ts'

/** What the appraisal says of each advisory that Intel lists for the TCB level, whatever the policy makes of it. */
export const intelAdvisoryResults = ({ claims, policy }: IntelCase): readonly AdvisoryResult[] =>
  applyingAdvisories(claims.tcb).map((id) => ({ id, mode: isRefused(id, policy) ? 'refuse' : 'report', applies: true, url: urlOf(id) }))

const isRefused = (id: string, { denied_advisories: denied, accepted_advisories: listed }: IntelCase['policy']): boolean =>
  denied?.includes(id) === true || listed?.includes(id) === false

const urlOf = (id: string): string =>
  `https://www.intel.com/content/www/us/en/security-center/advisory/${encodeURIComponent(id.toLowerCase())}.html`
