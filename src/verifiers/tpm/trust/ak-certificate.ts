import { failed, hasOutcome, passed, skipped } from '../../checks.ts'
import { attempt } from '../../der-attempt.ts'
import { AttestationError } from '../../problems.ts'
import type { Check } from '../../verifier.ts'
import { USAGE } from '../../x509-usage.ts'
import type { ParsedCertificate } from '../../x509.ts'
import type { TpmAnchor } from '../anchors.ts'
import type { GceClaims } from '../claims.ts'
import { provenChains, type ProvenChain } from './chain.ts'
import { certificatesOf, chooseChain, earliest } from './dates.ts'
import type { TpmChainFact } from './facts.ts'
import { readGceIdentity, type GceIdentity } from './gce-identity.ts'
import type { TrustInput, TrustJudgement } from './input.ts'
import { checkRevocation } from './revocation.ts'
import { TRUST_RULES } from './rules.ts'
import { certificateClaims, checkDates, checkDenied, checkKey, groundsOf } from './subject.ts'
import { PURPOSE, usagesOf, type Usages } from './usage.ts'

/** Google's authority, under which alone its identity extension and its use of the EK's purpose count (specification tpm.md section 6.1). */
const GOOGLE = 'google'

/** Model `ak-cert`: a certificate of the attestation key that leads to a configured anchor (specification tpm.md section 6, TPM-19 to TPM-24). */
export function judgeAkCertificate(leaf: ParsedCertificate, input: TrustInput): TrustJudgement {
  const { certificates, anchors, context } = input
  const proof = provenChains(leaf, certificates, { anchors, role: 'ak', mode: context.mode, memo: context.memo.tpm })
  if ('fault' in proof) return { checks: [failed(TRUST_RULES.chain, proof.fault)] }
  const chain = chooseChain(proof.chains, groundsOf(input))
  return chain === undefined ? { checks: [failed(TRUST_RULES.chain, 'no chain')] } : judgeChain(chain, proof, input)
}

function judgeChain(chain: ProvenChain, { key, spki }: TpmChainFact, input: TrustInput): TrustJudgement {
  const grounds = groundsOf(input)
  const { leaf, anchor } = chain
  const certificates = certificatesOf(chain)
  const revocation = checkRevocation(chain, TRUST_RULES.revocation, grounds)
  const identity = identityOf(leaf.certificate, anchor)
  const checks = [
    passed(TRUST_RULES.chain, `${certificates.length} certificates to ${anchor.sha256} (${anchor.authority})`),
    checkDates(certificates, grounds),
    checkKey(input.akPublic, spki),
    checkUsage(leaf.certificate, anchor),
    ...revocation.checks,
    identity.check,
    checkDenied({ name: input.akPublic?.name, naming: namingUnder(anchor), spki }, input.context),
  ]
  if (hasOutcome(checks, 'fail')) return { checks }
  return {
    checks,
    trust: {
      model: 'ak-cert',
      key,
      binds: 'key',
      name: input.akPublic?.name ?? null,
      certificate: certificateClaims(leaf, anchor),
      ek: null,
      gce: identity.claims,
      revocation: revocation.state,
      validUntil: earliest([...certificates.map(({ notAfter }) => notAfter), ...revocation.until]),
    },
  }
}

/** Keys of Google's are primary objects, whose names the TPM signs: another name fails TPM-15. Other certificates vouch for the public key alone. */
const namingUnder = ({ authority }: TpmAnchor): 'proven' | 'told' => (authority === GOOGLE ? 'proven' : 'told')

/** TPM-22. */
export function checkUsage(leaf: ParsedCertificate, { authority }: Pick<TpmAnchor, 'authority'>): Check {
  const usages = usagesOf(leaf)
  const fault = 'fault' in usages ? usages.fault : faultOfUsage(usages, authority)
  return fault === undefined ? passed(TRUST_RULES.usage, 'a certificate for an attestation key') : failed(TRUST_RULES.usage, fault)
}

function faultOfUsage({ ca, usage = 0, purposes = [] }: Usages, authority: string): string | undefined {
  if (ca || (usage & (USAGE.keyCertSign | USAGE.crlSign)) !== 0) return 'the certificate is an authority’s'
  if ((usage & USAGE.digitalSignature) === 0) return 'the key may not sign'
  const accepted: readonly string[] = authority === GOOGLE ? [PURPOSE.ak, PURPOSE.ek] : [PURPOSE.ak]
  return accepted.some((purpose) => purposes.includes(purpose)) ? undefined : `the key is for: ${purposes.join(', ')}`
}

/** TPM-24, apart from which projects, zones and instances a policy allows. */
function identityOf(leaf: ParsedCertificate, { authority }: TpmAnchor): { readonly check: Check; readonly claims: GceClaims | null } {
  const rule = TRUST_RULES.gce
  const identity = attempt(() => readGceIdentity(leaf))
  if (identity === undefined) return { check: skipped(rule, 'the certificate holds none'), claims: null }
  if (identity instanceof AttestationError) return { check: failed(rule, identity.message), claims: null }
  return { check: checkIdentity(identity, authority), claims: identity.claims }
}

function checkIdentity({ claims, production }: GceIdentity, authority: string): Check {
  const actual = `instance ${claims.instance_id} of ${claims.project_id}, under ${authority}`
  if (authority !== GOOGLE) return failed(TRUST_RULES.gce, actual)
  return production === 'yes' ? passed(TRUST_RULES.gce, actual) : failed({ ...TRUST_RULES.gce, code: 'tpm-gce-not-production' }, actual)
}
