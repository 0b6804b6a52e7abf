import type { Check, Claims } from '../verifiers/verifier.ts'
import { judge, notAsked, oneOf, type Question } from './check.ts'
import type { AppraisalPolicy } from './policy.ts'
import { covers } from './rule-paths.ts'
import { renderName } from './token-names.ts'

/** Whether the evidence binds a key of the caller; `not-asked` on the command line, where there is no caller. */
export type KeyBinding = 'bound' | 'unbound' | 'not-asked'

const KEY: Question = {
  id: 'KEY',
  title: 'The evidence binds a key of the caller',
  code: 'cnf-key-required',
  origin: 'policy',
  rule: 'key_binding',
}

/** Whether a key was bound where the policy asks for one. */
export const keyBinding = (binding: KeyBinding, policy: AppraisalPolicy): Check =>
  binding === 'not-asked' || policy.key_binding === 'DANGEROUSLY_OPTIONAL'
    ? notAsked(KEY, binding)
    : judge(KEY, binding === 'bound', { actual: binding, expected: 'bound' })

const TYPE: Question = {
  id: 'TYPE',
  title: 'The policy accepts this type of evidence',
  code: 'evidence-type-not-accepted',
  origin: 'policy',
  rule: 'evidence',
}

const TECHNOLOGIES = ['snp', 'tdx', 'sgx', 'tpm'] as const

/** Whether the policy speaks of this kind of evidence at all. Evidence without claims of any kind is refused elsewhere. */
export function evidenceType(claims: Claims, { evidence }: AppraisalPolicy): Check {
  const found = TECHNOLOGIES.filter((technology) => claims[technology] !== undefined)
  const accepted = found.every((technology) => evidence.includes(technology))
  return judge(TYPE, accepted, { actual: found.join(', '), expected: oneOf(evidence) })
}

const COMPOSITION: Question = {
  id: 'COMPOSITION',
  title: 'The evidence is composed as the policy asks',
  code: 'composition-unsupported',
  origin: 'policy',
  rule: 'compositions',
}

/** Whether one item that carries the challenge itself is enough. Until other compositions are supported, policies that ask for them refuse. */
export const composition = ({ compositions }: AppraisalPolicy): Check =>
  judge(COMPOSITION, compositions.includes('single'), { actual: 'single', expected: oneOf(compositions) })

const NAMES: Question = {
  id: 'NAMES',
  title: 'The names that the policy gives its tokens can be formed',
  code: 'token-name-unavailable',
  origin: 'policy',
  rule: 'token',
}

/** Whether subject and groups can be formed: a token without them would be about nobody, or grant less than its holder expects. */
export function tokenNames(claims: Claims, { token: { subject, groups = [] } }: AppraisalPolicy): readonly Check[] {
  const templates = [...(subject === undefined ? [] : [subject]), ...groups]
  if (templates.length === 0) return []
  const missing = templates.filter((template) => renderName(template, claims) === undefined)
  // What the operator wrote is in `expected` and in the remedy only: `actual` is shown to everybody.
  const actual = missing.length === 0 ? 'all' : `all but ${missing.length}`
  return [judge(NAMES, missing.length === 0, { actual, expected: templates.join(', '), lacks: `not ${missing.join(', ')}` })]
}

/** Failures of rules of which the policy only warns are warnings; all else stays. */
export function withWarnings(checks: readonly Check[], { warn }: AppraisalPolicy): readonly Check[] {
  if (warn === undefined) return checks
  return checks.map((check) => (check.outcome === 'fail' && isWarned(check.rule, warn) ? { ...check, outcome: 'warn' } : check))
}

const isWarned = (rule: string | undefined, warn: readonly string[]): boolean =>
  rule !== undefined && warn.some((group) => covers(group, rule))
