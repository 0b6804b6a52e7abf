import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { codesOf, highestRanked } from '../appraisal/verdict.ts'
import { hasOutcome } from '../verifiers/checks.ts'
import { AttestationError, problemOf } from '../verifiers/problems.ts'
import { readAk } from '../verifiers/tpm/ak.ts'
import type { EkKey } from '../verifiers/tpm/credential/ek-key.ts'
import { eccSeed, makeCredential, rsaSeed, seedBytes, type Credential, type Seed } from '../verifiers/tpm/credential/make.ts'
import { CURVES } from '../verifiers/tpm/credential/templates.ts'
import type { Check, Collateral } from '../verifiers/verifier.ts'
import { basisFor, type Basis, type BasisInput } from './basis.ts'
import { proveEk, type ProvenEk, type ShownEk } from './endorsement.ts'
import type { EnrolmentParts } from './parts.ts'
import { sealState } from './state.ts'

/** A host that wants to be enrolled. */
export type EnrolmentRequest = {
  readonly ek: ShownEk
  /** TPMT_PUBLIC of the attestation key, bare or as TPM2B_PUBLIC. */
  readonly akPublic: Uint8Array
  readonly vouched: BasisInput['vouched']
  readonly collateral: Collateral
}

/** What an enrolment is about, for the audit log and for whoever keeps the list. Hex is lower-case. */
export type Enrolled = Basis & { readonly ekSpkiSha256: string; readonly akName: string }

/** An enrolment that has begun: what the TPM must open, and what must come back with it. */
export type Begun = { readonly credential: Credential; readonly state: Uint8Array; readonly expiresAt: Date; readonly about: Enrolled }

/** How long a host has to answer (specification tpm.md section 7). */
const ANSWER_SECONDS = 60
/** Fits the name hash of every template. */
const SECRET_BYTES = 32
/** When a revocation list that is missing may be at hand. */
const RETRY_SECONDS = 60

/**
 * Judges EK and attestation key (TPM-07 to TPM-12, TPM-25 to TPM-28, TPM-30) and makes a secret that only the TPM of that EK gives up, where a
 * key of that name is loaded. Throws AttestationError with all checks; undecided where a revocation list is wanted and not at hand.
 */
export async function begin(parts: EnrolmentParts, request: EnrolmentRequest): Promise<Begun> {
  const { ak, ek, basis } = judge(parts, request)
  const secret = randomBytes(SECRET_BYTES)
  const { nonce, expiresAt: challengeEnds } = await parts.challenges.issue()
  const expiresAt = new Date(Math.min(parts.now().getTime() + ANSWER_SECONDS * 1000, challengeEnds.getTime()))
  const about = { ...basis, ekSpkiSha256: ek.key.spkiSha256, akName: ak.name }
  const state = sealState(parts.seal, {
    ...about,
    version: 1,
    mode: parts.mode,
    challenge: Buffer.from(nonce).toString('base64'),
    akSpki: Buffer.from(ak.spki).toString('base64'),
    secretSha256: createHash('sha256').update(secret).digest('hex'),
    expiresAt: expiresAt.toISOString(),
    ekValidUntil: ek.validUntil?.toISOString() ?? null,
  })
  const credential = makeCredential(ek.key, seedFor(ek.key), { akName: new Uint8Array(Buffer.from(ak.name, 'hex')), secret })
  return { credential, state, expiresAt, about }
}

type Ak = { readonly name: string; readonly spki: Uint8Array }
type Judged = { readonly ak: Ak; readonly ek: ProvenEk; readonly basis: Basis }

function judge(parts: EnrolmentParts, { ek: shown, akPublic, vouched, collateral }: EnrolmentRequest): Judged {
  const { anchors, memo, mode, rules } = parts
  const reading = readAk({ akPublic, certificate: undefined }, memo, [])
  const { name } = reading.fact?.area ?? {}
  if (reading.fact === undefined || name === undefined) throw refused(reading.checks)
  const proof = proveEk(shown, { anchors, collateral, now: parts.now(), mode, memo: memo.tpm, rigour: rules.ek })
  const checks = [...reading.checks, ...proof.checks]
  if (proof.ek === undefined || hasOutcome(checks, 'fail')) throw refused(checks)
  const { check, found } = basisFor(proof.ek, { listed: anchors.tpm.listed, others: rules.others, vouched })
  if (found === undefined) throw refused([...checks, check])
  return { ak: { name, spki: reading.fact.spki }, ek: proof.ek, basis: found }
}

/** Checks that failed as the one error. None that failed would be a fault of ours, and no reason to go on. */
function refused(checks: readonly Check[]): AttestationError {
  const code = highestRanked(codesOf(checks, 'fail')) ?? 'internal-error'
  const detail = problemOf(code).title
  return new AttestationError(code, detail, { checks, ...(problemOf(code).kind === 'undecided' ? { retryAfter: RETRY_SECONDS } : {}) })
}

/** A fresh seed, in the form that only this EK's TPM can read. */
function seedFor(ek: EkKey): Seed {
  if (ek.kind !== 'ecc-p256' && ek.kind !== 'ecc-p384' && ek.kind !== 'ecc-p521') return rsaSeed(ek, randomBytes(seedBytes(ek)))
  return eccSeed(ek, generateKeyPairSync('ec', { namedCurve: CURVES[ek.kind].node }).privateKey)
}
