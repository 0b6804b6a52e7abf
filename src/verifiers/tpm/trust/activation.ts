import { hash } from 'node:crypto'
import { failed, hasOutcome, passed, skipped } from '../../checks.ts'
import { isSimulated } from '../../x509-ca.ts'
import type { Check, Context } from '../../verifier.ts'
import type { ParsedCertificate } from '../../x509.ts'
import type { ListedEks } from '../anchors.ts'
import { checkUsage } from './ak-certificate.ts'
import type { ChainScope } from './chain.ts'
import { spkiDigest } from './address.ts'
import { factKey, type OwnProof } from './facts.ts'
import type { TrustInput, TrustJudgement } from './input.ts'
import type { OwnStatement } from './own-certificate.ts'
import { TRUST_RULES } from './rules.ts'
import { leafKeyOf, notSignedBy, strongKeyOf } from './signed-by.ts'
import { certificateClaims, checkDates, checkDenied, checkKey, groundsOf } from './subject.ts'
import { faultOfForm } from './usage.ts'

/** How Assay's own authority is called in claims. */
const OWN = 'assay'

/**
 * Model `ek-activation`: a certificate that Assay itself issued when the key proved to live in the TPM of a genuine endorsement key (specification
 * tpm.md section 6). Why the EK was enrolled, and whether it is still listed, is compared anew.
 */
export function judgeActivation(leaf: ParsedCertificate, statement: OwnStatement, input: TrustInput): TrustJudgement {
  const proof = provenOwn(leaf, input)
  if ('fault' in proof) return { checks: [failed(TRUST_RULES.chain, proof.fault)] }
  const { akPublic, context, anchors } = input
  const { akName, ekSpkiSha256, basis, listedBy } = statement
  const checks = [
    passed(TRUST_RULES.chain, 'signed by Assay’s own authority'),
    checkMode(statement, context),
    checkDates([leaf], groundsOf(input)),
    checkKey(akPublic, proof.spki),
    ...(akPublic === undefined ? [] : [checkName(akPublic.name, akName)]),
    checkUsage(leaf, { authority: OWN }),
    skipped(TRUST_RULES.revocation, 'Assay’s own certificates are short-lived; the lists below are asked instead'),
    checkBasis(statement, anchors.tpm.listed, context),
    checkDenied({ name: akName, naming: 'proven', spki: proof.spki }, context),
    ...checkDeniedEk(ekSpkiSha256, context),
  ]
  if (hasOutcome(checks, 'fail')) return { checks }
  const anchor = { sha256: proof.authoritySha256, authority: OWN }
  return {
    checks,
    trust: {
      model: 'ek-activation',
      key: proof.key,
      binds: 'name',
      name: akName,
      certificate: certificateClaims({ certificate: leaf, sha256: hash('sha256', leaf.der) }, anchor),
      ek: { public_key_sha256: ekSpkiSha256, basis, listed_by: listedBy },
      gce: null,
      revocation: 'not-configured',
      validUntil: leaf.notAfter,
    },
  }
}

/** Time-free: the form of the certificate, its key, and which of our authorities signed it. */
function provenOwn(leaf: ParsedCertificate, { anchors, context }: TrustInput): OwnProof | { readonly fault: string } {
  const key = factKey({ fact: 'tpm-own/1', mode: context.mode, anchors: anchors.digest, role: 'own' }, [leaf.der])
  const remembered = context.memo.tpm.own.get(key)
  if (remembered !== undefined) return remembered
  const proof = proveOwn(leaf, { anchors, mode: context.mode })
  if (!('fault' in proof)) context.memo.tpm.own.set(key, proof)
  return proof
}

function proveOwn(leaf: ParsedCertificate, { anchors, mode }: Pick<ChainScope, 'anchors' | 'mode'>): OwnProof | { readonly fault: string } {
  const form = mode === 'production' && isSimulated(leaf) ? 'is one of the simulator' : faultOfForm(leaf)
  if (form !== undefined) return { fault: `the certificate ${form}` }
  const certified = leafKeyOf(leaf.spki)
  if (certified === undefined) return { fault: 'the certificate has a key that is weak, or none' }
  const signer = anchors.tpm.own.find(({ spki }) => isSignedBy(leaf, spki))
  return signer === undefined
    ? { fault: 'not signed by Assay’s own authority' }
    : { ...certified, authoritySha256: spkiDigest(signer.spki) }
}

function isSignedBy(leaf: ParsedCertificate, spki: Uint8Array): boolean {
  const key = strongKeyOf(spki)
  return key !== undefined && notSignedBy(leaf, key) === undefined
}

const checkMode = ({ mode }: OwnStatement, context: Context): Check => {
  const rule = { ...TRUST_RULES.model, expected: context.mode }
  return mode === context.mode ? passed(rule, `ek-activation in mode ${mode}`) : failed(rule, `a certificate of mode ${mode}`)
}

/** The name binds the attributes that were checked at enrolment, so a public area beside the certificate must be that very one. */
const checkName = (actual: string, certified: string): Check => {
  const rule = { ...TRUST_RULES.key, expected: certified }
  return actual === certified ? passed(rule, actual) : failed(rule, actual)
}

/** TPM-31: basis, EK and listing, as they are now. */
function checkBasis(statement: OwnStatement, listed: ListedEks, { rigour }: Context): Check {
  const { basis, ekSpkiSha256 } = statement
  const rule = TRUST_RULES.basis
  const actual = `EK ${ekSpkiSha256}, ${basis}`
  if (!rigour.tpm.bases.includes(basis)) return failed(rule, `${actual}; the policy takes ${rigour.tpm.bases.join(', ')}`)
  if (rigour.tpm.eks?.includes(ekSpkiSha256) === false) return failed(rule, `${actual}; not an EK of the policy`)
  const isGone = basis === 'listed' && !isListed(statement, listed)
  return isGone ? failed(rule, `${actual}; not listed any more`) : passed(rule, actual)
}

const isListed = ({ ekSpkiSha256, listedBy }: OwnStatement, { spkiSha256, authorities }: ListedEks): boolean =>
  spkiSha256.has(ekSpkiSha256) || (listedBy !== null && authorities.has(listedBy))

const checkDeniedEk = (ek: string, { rigour }: Context): readonly Check[] =>
  rigour.tpm.deniedEks.includes(ek) ? [failed(TRUST_RULES.denied, `endorsement key ${ek}`)] : []
