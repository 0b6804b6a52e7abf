import { attempt } from '../../der-attempt.ts'
import { AttestationError } from '../../problems.ts'
import type { Anchors, CollateralAddress, Reading } from '../../verifier.ts'
import type { ParsedCertificate } from '../../x509.ts'
import type { AkTrust } from '../claims.ts'
import { judgeActivation } from './activation.ts'
import { judgeAkCertificate } from './ak-certificate.ts'
import { readTpmCertificate } from './certificate.ts'
import { proveChains, provenChains, type ChainProof } from './chain.ts'
import { judgeEnrolled, untrusted } from './enrolled.ts'
import { failed, passed } from '../../checks.ts'
import type { TrustInput, TrustJudgement } from './input.ts'
import { OWN_EXTENSION, readOwnStatement } from './own-certificate.ts'
import { listsOf } from './revocation.ts'
import { TRUST_RULES } from './rules.ts'

const LEAF = { what: 'ak_certificates[0]', code: 'tpm-ak-cert-chain-invalid' } as const

/** The certificate of the attestation key, or why it cannot be read; undefined where none came with the evidence. */
function leafOf([first]: readonly Uint8Array[]): ParsedCertificate | AttestationError | undefined {
  return first === undefined ? undefined : attempt(() => readTpmCertificate(first, LEAF))
}

/**
 * Does what the policy accepts vouch for the attestation key? (specification tpm.md section 6, TPM-18 to TPM-24, TPM-31). Exactly one model is
 * judged: the one whose certificate came with the evidence, where the policy accepts it; nothing is tried in its place when it fails.
 */
export function judgeTrust(input: TrustInput): TrustJudgement {
  const leaf = leafOf(input.certificates)
  const { akTrust } = input.context.rigour.tpm
  const model = modelOf(leaf, akTrust)
  if (model === undefined)
    return untrusted(`the evidence carries ${carriedBy(leaf)}, the policy accepts ${akTrust.join(', ') || 'nothing'}`)
  const { checks, trust } = judgeBy(model, leaf, input)
  const all = checks.some(({ id }) => id === TRUST_RULES.model.id) ? checks : [passed(TRUST_RULES.model, model), ...checks]
  return trust === undefined ? { checks: all } : { checks: all, trust }
}

type Leaf = ReturnType<typeof leafOf>

/** The model that evidence speaks for by what it carries. */
function carriedBy(leaf: Leaf): AkTrust {
  if (leaf === undefined) return 'enrolled-ak'
  return !(leaf instanceof AttestationError) && leaf.extensions.some(({ oid }) => oid === OWN_EXTENSION) ? 'ek-activation' : 'ak-cert'
}

/** A certificate of a model that the policy does not name is nothing to a policy that knows the key itself. */
function modelOf(leaf: Leaf, accepted: readonly AkTrust[]): AkTrust | undefined {
  const carried = carriedBy(leaf)
  if (accepted.includes(carried)) return carried
  return accepted.includes('enrolled-ak') ? 'enrolled-ak' : undefined
}

function judgeBy(model: AkTrust, leaf: Leaf, input: TrustInput): TrustJudgement {
  if (model === 'enrolled-ak' || leaf === undefined) return judgeEnrolled(leaf, input)
  if (leaf instanceof AttestationError) return { checks: [failed(TRUST_RULES.chain, leaf.message)] }
  if (model === 'ak-cert') return judgeAkCertificate(leaf, input)
  const statement = attempt(() => readOwnStatement(leaf))
  if (statement instanceof AttestationError) return { checks: [failed(TRUST_RULES.chain, statement.message)] }
  return statement === undefined ? untrusted('no statement of Assay’s') : judgeActivation(leaf, statement, input)
}

/**
 * The revocation lists by which the chains of an attestation key's certificate are judged, as far as the operator configured where they are had.
 * Nothing for what cannot be read or leads nowhere.
 */
export function trustNeeds(certificates: readonly Uint8Array[], anchors: Anchors, reading?: Reading): readonly CollateralAddress[] {
  const leaf = leafOf(certificates)
  const isAsked = anchors.tpm.crlSources.length > 0 && carriedBy(leaf) === 'ak-cert'
  if (!isAsked || leaf === undefined || leaf instanceof AttestationError) return []
  const proof = proofOf(leaf, certificates, { anchors, reading })
  return 'fault' in proof ? [] : [...new Set(proof.chains.flatMap((chain) => listsOf(chain, anchors.tpm)))]
}

function proofOf(
  leaf: ParsedCertificate,
  certificates: readonly Uint8Array[],
  { anchors, reading }: { readonly anchors: Anchors; readonly reading: Reading | undefined },
): ChainProof {
  // Without a mode nothing is believed yet, and only what would be asked for is told.
  if (reading === undefined) return proveChains(leaf, certificates.slice(1), { anchors, role: 'ak', mode: 'test' })
  return provenChains(leaf, certificates, { anchors, role: 'ak', mode: reading.mode, memo: reading.memo.tpm })
}
