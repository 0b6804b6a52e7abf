import type { Check } from '../../verifiers/verifier.ts'
import type { Question } from '../check.ts'
import { judge, judgeLeniently, notAsked, oneOf } from '../check.ts'
import type { SnpCase, SnpRule } from './rule.ts'

const OLDEST: Question = {
  id: 'SNP-02',
  title: 'VERSION reaches the policy’s minimum',
  code: 'snp-report-version-below-minimum',
  origin: 'policy',
  rule: 'snp.min_report_version',
}
const NEWEST: Question = {
  id: 'SNP-02',
  title: 'VERSION does not exceed the policy’s maximum',
  code: 'snp-report-version-unsupported',
  origin: 'policy',
  rule: 'snp.max_report_version',
}

/** SNP-02, the part that the policy decides. */
export const reportVersion: SnpRule = ({ claims, policy }) => [
  judge(OLDEST, claims.version >= policy.min_report_version, {
    actual: `${claims.version}`,
    expected: `at least ${policy.min_report_version}`,
  }),
  judge(NEWEST, claims.version <= policy.max_report_version, {
    actual: `${claims.version}`,
    expected: `at most ${policy.max_report_version}`,
  }),
]

const SIGNER: Question = {
  id: 'SNP-24',
  title: 'The policy accepts this kind of endorsement key',
  code: 'snp-signing-key-forbidden',
  origin: 'policy',
  rule: 'snp.allowed_signing_keys',
}

/** SNP-24, the permission. */
export const signingKey: SnpRule = ({ claims, policy }) => [
  judge(SIGNER, policy.allowed_signing_keys.includes(claims.signing_key), {
    actual: claims.signing_key,
    expected: oneOf(policy.allowed_signing_keys),
  }),
]

const CSP: Question = {
  id: 'SNP-45',
  title: 'The VLEK’s provider is on the policy’s list',
  code: 'snp-csp-id-untrusted',
  origin: 'policy',
  rule: 'snp.csp_ids',
}

/** Whether a provider is one of a pattern with at most one `*`, which stands for what may stand in one part of a host’s name. */
function isOf(pattern: string, named: string): boolean {
  const star = pattern.indexOf('*')
  if (star < 0) return pattern === named
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)]
  if (!named.startsWith(before) || !named.endsWith(after)) return false
  return /^[a-z0-9-]+$/.test(named.slice(before.length, Math.max(before.length, named.length - after.length)))
}

/** SNP-45. A VCEK names no provider, so the question is put to VLEKs only. */
export const provider: SnpRule = ({ claims, policy }) => {
  const named = claims.vek.csp_id
  const actual = named ?? 'none'
  if (policy.csp_ids === undefined || claims.signing_key === 'vcek') return [notAsked(CSP, actual)]
  const known = named !== null && policy.csp_ids.some((pattern) => isOf(pattern, named))
  return [judge(CSP, known, { actual, expected: oneOf(policy.csp_ids) })]
}

/** One of the two keys of ID authentication (section 13), whose digest is zero where there is none. */
type IdKey = {
  readonly field: 'id_key_digest' | 'author_key_digest'
  readonly demand: 'require_id_block' | 'require_author_key'
  readonly list: 'trusted_id_key_digests' | 'trusted_author_key_digests'
  readonly present: Question
  readonly trusted: Question & { readonly rule: string }
}

const ID_KEYS: readonly IdKey[] = [
  {
    field: 'id_key_digest',
    demand: 'require_id_block',
    list: 'trusted_id_key_digests',
    present: {
      id: 'SNP-66',
      title: 'The guest was started with an ID block',
      code: 'snp-id-block-required',
      origin: 'policy',
      rule: 'snp.require_id_block',
    },
    trusted: {
      id: 'SNP-66',
      title: 'The ID key is on the policy’s list',
      code: 'snp-id-key-untrusted',
      origin: 'policy',
      rule: 'snp.trusted_id_key_digests',
    },
  },
  {
    field: 'author_key_digest',
    demand: 'require_author_key',
    list: 'trusted_author_key_digests',
    present: {
      id: 'SNP-66',
      title: 'The ID key is signed by an author key',
      code: 'snp-author-key-required',
      origin: 'policy',
      rule: 'snp.require_author_key',
    },
    trusted: {
      id: 'SNP-66',
      title: 'The author key is on the policy’s list',
      code: 'snp-author-key-untrusted',
      origin: 'policy',
      rule: 'snp.trusted_author_key_digests',
    },
  },
]

const isAbsent = (digest: string): boolean => /^0*$/.test(digest)

/** SNP-66. The host chooses the ID block, so a key means nothing until it is listed; a list implies that the key is there. */
export function idKeys(subject: SnpCase): readonly Check[] {
  const checks: Check[] = []
  for (const key of ID_KEYS) checks.push(presence(key, subject), trust(key, subject))
  return checks
}

function presence({ present, trusted, field, demand, list }: IdKey, { claims, policy }: SnpCase): Check {
  const [actual, absent] = [claims[field], isAbsent(claims[field])]
  const seen = { actual, expected: 'a digest other than zero' }
  if (policy[demand]) return judge(present, !absent, seen)
  if (policy[list] === undefined) return notAsked(present, actual)
  return judgeAs(policy.id_key_enforcement)({ ...present, rule: trusted.rule }, !absent, seen)
}

function trust({ trusted, field, list }: IdKey, { claims, policy }: SnpCase): Check {
  const [actual, listed] = [claims[field], policy[list]]
  if (listed === undefined) return notAsked(trusted, actual)
  const known = !isAbsent(actual) && listed.includes(actual)
  return judgeAs(policy.id_key_enforcement)(trusted, known, { actual, expected: oneOf(listed) })
}

const judgeAs = (enforcement: 'enforce' | 'warn') => (enforcement === 'warn' ? judgeLeniently : judge)
