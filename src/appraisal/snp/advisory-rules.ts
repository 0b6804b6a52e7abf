import type { SnpClaims } from '../../verifiers/snp/claims.ts'
import type { Check } from '../../verifiers/verifier.ts'
import type { Advisory } from '../advisories.ts'
import { ADVISORIES } from '../advisories.ts'
import type { AdvisoryResult } from '../appraisal.ts'
import type { Question } from '../check.ts'
import { answers, judge, judgeLeniently, notAsked } from '../check.ts'
import type { SnpPolicy } from '../policy.ts'
import type { SnpCase, SnpRule } from './rule.ts'

const concerns = (advisory: Advisory, claims: SnpClaims): boolean =>
  advisory.products.includes(claims.product) && advisory.signingKeys.includes(claims.signing_key)

/** Whether the report shows firmware that closes the advisory, in every TCB that it names. */
function isClosed({ minima }: Advisory, claims: SnpClaims): boolean {
  const least = minima?.snp[claims.product]
  return minima !== undefined && least !== undefined && minima.fields.every((field) => claims[field].snp >= least)
}

const applies = (advisory: Advisory, claims: SnpClaims): boolean => concerns(advisory, claims) && !isClosed(advisory, claims)

/** A chip under known custody cannot have been attacked by strangers (section 11), so a list of chips answers what no firmware closes. */
const isInCustody = ({ minima }: Advisory, policy: SnpPolicy): boolean => minima === undefined && policy.chip_ids !== undefined

/** SNP-56. */
export const advisories: SnpRule = (subject) => answers(ADVISORIES, subject, answer)

function answer(advisory: Advisory, { claims, policy }: SnpCase): Check {
  const question: Question = {
    id: 'SNP-56',
    title: advisory.title,
    code: advisory.code,
    origin: 'specification',
    rule: `snp.advisories.${advisory.id}`,
  }
  const [mode, open] = [policy.advisories[advisory.id], applies(advisory, claims)]
  const seen = { actual: describe(advisory, claims), expected: remedyOf(advisory, claims) }
  if (mode === 'report') return notAsked(question, open ? `applies: ${seen.actual}` : 'does not apply')
  return (mode === 'warn' ? judgeLeniently : judge)(question, !open || isInCustody(advisory, policy), seen)
}

const describe = ({ minima }: Advisory, claims: SnpClaims): string =>
  [claims.product, claims.signing_key, ...(minima?.fields ?? []).map((field) => `${field}.snp ${claims[field].snp}`)].join(', ')

function remedyOf({ minima }: Advisory, { product }: SnpClaims): string {
  if (minima === undefined) return 'another product, a VLEK, or a list of chips in the policy'
  const least = minima.snp[product]
  return least === undefined ? 'not concerned' : `snp at least ${least} in ${minima.fields.join(', ')}`
}

/** What the token says of each advisory, whatever the policy makes of it. */
export const advisoryResults = ({ claims, policy }: SnpCase): readonly AdvisoryResult[] =>
  ADVISORIES.map((advisory) => ({
    id: advisory.id,
    mode: policy.advisories[advisory.id],
    applies: applies(advisory, claims),
    url: advisory.url,
  }))
