import { failed, hasOutcome, passed } from '../../checks.ts'
import { AttestationError } from '../../problems.ts'
import type { Check } from '../../verifier.ts'
import type { ParsedCertificate } from '../../x509.ts'
import { spkiDigest } from './address.ts'
import type { CertifiedKey } from './facts.ts'
import type { TrustInput, TrustJudgement } from './input.ts'
import { TRUST_RULES } from './rules.ts'
import { knownKeyOf } from './signed-by.ts'
import { checkDenied, checkKey } from './subject.ts'

/**
 * Model `enrolled-ak`: the policy itself names the key (specification tpm.md section 6, TPM-31). A certificate beside it vouches for nothing, but
 * must be of the same key.
 */
export function judgeEnrolled(leaf: ParsedCertificate | AttestationError | undefined, input: TrustInput): TrustJudgement {
  if (leaf instanceof AttestationError) return { checks: [failed(TRUST_RULES.chain, leaf.message)] }
  const certified = leaf === undefined ? undefined : knownKeyOf(leaf.spki, input.context.memo.tpm)
  if (leaf !== undefined && certified === undefined) return untrusted('the certificate has a key that is weak, or none')
  return judgeKey(certified, input)
}

function judgeKey(certified: CertifiedKey | undefined, input: TrustInput): TrustJudgement {
  const { akPublic, context } = input
  const key = akPublic === undefined ? certified : knownKeyOf(akPublic.spki, context.memo.tpm)
  if (key === undefined) return untrusted('neither a public area nor a certificate tells of a key that could be trusted')
  if (context.rigour.tpm.enrolledAks.length === 0) return untrusted(NOBODY_ENROLLED)
  const { check, binds } = enrolment(key, input)
  const name = akPublic?.name
  const same = certified === undefined ? [] : [checkKey(akPublic, certified.spki)]
  const checks = [...same, check, checkDenied({ name, naming: NAMING[binds], spki: key.spki }, context)]
  return hasOutcome(checks, 'fail') ? { checks } : { checks, trust: { ...NOTHING_ELSE, key: key.key, binds, name: name ?? null } }
}

/** What an enrolment makes of the name that a public area has. */
const NAMING = { name: 'proven', key: 'told' } as const

const NOBODY_ENROLLED = 'no certificate that the policy accepts came with the evidence, and the policy enrols no key'

/** An enrolled key has no certificate that could tell more, end or be revoked. */
const NOTHING_ELSE = {
  model: 'enrolled-ak',
  certificate: null,
  ek: null,
  gce: null,
  revocation: 'not-configured',
  validUntil: undefined,
} as const

/** TPM-18: no model holds. */
export const untrusted = (why: string): TrustJudgement => ({ checks: [failed(TRUST_RULES.model, why)] })

/**
 * A name stands for the whole public area; a digest for the key alone, whose attributes then are anybody's word: the policy must have said that
 * it does not mind.
 */
function enrolment({ spki }: CertifiedKey, { akPublic, context }: TrustInput): { readonly check: Check; readonly binds: 'name' | 'key' } {
  const { enrolledAks, akWithoutPublicArea } = context.rigour.tpm
  const digest = `spki:${spkiDigest(spki)}`
  const rule = TRUST_RULES.enrolled
  if (akPublic !== undefined && enrolledAks.includes(akPublic.name)) return { check: passed(rule, akPublic.name), binds: 'name' }
  const actual = akPublic === undefined ? digest : `${akPublic.name}, ${digest}`
  if (!enrolledAks.includes(digest)) return { check: failed(rule, actual), binds: 'key' }
  if (akWithoutPublicArea === 'allow') return { check: passed(rule, digest), binds: 'key' }
  const model = { ...TRUST_RULES.model, expected: 'an enrolled name, or a policy that allows keys of which nothing but the key is known' }
  return { check: failed(model, digest), binds: 'key' }
}
