import { createHash, createPublicKey, timingSafeEqual, X509Certificate } from 'node:crypto'
import { failed } from '../verifiers/checks.ts'
import { AttestationError, type ProblemCode } from '../verifiers/problems.ts'
import type { Enrolled } from './begin.ts'
import type { EnrolmentParts } from './parts.ts'
import { openState, type EnrolmentState } from './state.ts'

/** What a host brings back. */
export type ActivationRequest = {
  readonly state: Uint8Array
  /** What its TPM gave up. */
  readonly secret: Uint8Array
}

/** A certificate on its way: `serial` is upper-case hex, as OpenSSL prints it. */
export type Certified = Enrolled & { readonly serial: string; readonly notAfter: Date }

/** An attestation key with the certificate that vouches for it, and the chain behind that; all DER. */
export type Finished = Certified & { readonly certificate: Uint8Array; readonly chain: readonly Uint8Array[] }

/** Clocks of replicas and verifiers are 30 s apart at most (design section 3), and nobody should have to wait. */
const BACKDATED_SECONDS = 60

/**
 * TPM-29: the state is ours, in time and unspent, and the secret is the one that was encrypted; then the attestation key is certified.
 * `record` is told of the certificate before anybody has it. Throws AttestationError `tpm-activation-failed`, `-expired` or `-replayed`,
 * `not-ready` where the store cannot tell, and what `record` throws: the state is then spent.
 */
export async function finish(
  parts: EnrolmentParts,
  request: ActivationRequest,
  record: (certified: Certified) => Promise<void>,
): Promise<Finished> {
  const state = openState(parts.seal, request.state)
  if (state === undefined || state.mode !== parts.mode) throw refusal('tpm-activation-failed', 'a state that this service did not make')
  if (parts.now().getTime() >= Date.parse(state.expiresAt)) throw refusal('tpm-activation-expired', `ended at ${state.expiresAt}`)
  if (!isSecret(request.secret, state)) throw refusal('tpm-activation-failed', 'another secret')
  await spend(parts, state)
  const certificate = await certify(parts, state)
  const { validToDate: notAfter, serialNumber: serial } = new X509Certificate(certificate)
  const { ekSpkiSha256, akName, basis, listedBy } = state
  const certified = { ekSpkiSha256, akName, basis, listedBy, serial, notAfter }
  await record(certified)
  return { ...certified, certificate, chain: [await parts.authority.certificate()] }
}

/** Digests are compared, so that neither length nor content takes a different time. */
const isSecret = (secret: Uint8Array, { secretSha256 }: EnrolmentState): boolean =>
  timingSafeEqual(createHash('sha256').update(secret).digest(), Buffer.from(secretSha256, 'hex'))

const CODES: Partial<Record<ProblemCode, ActivationCode>> = {
  'challenge-spent': 'tpm-activation-replayed',
  'challenge-expired': 'tpm-activation-expired',
  // Ours, or the state would not have opened: the store was started anew since, and has lost what was spent.
  'challenge-unknown': 'tpm-activation-expired',
}

async function spend({ challenges }: EnrolmentParts, { challenge }: EnrolmentState): Promise<void> {
  try {
    await challenges.spend(await challenges.check(new Uint8Array(Buffer.from(challenge, 'base64'))))
  } catch (error) {
    const code = error instanceof AttestationError ? CODES[error.code] : undefined
    throw code === undefined ? error : refusal(code, error instanceof Error ? error.message : '')
  }
}

function certify({ authority, mode, now, rules }: EnrolmentParts, state: EnrolmentState): Promise<Uint8Array> {
  const { ekSpkiSha256, akName, basis, listedBy, ekValidUntil } = state
  const from = now().getTime()
  const until = Math.min(from + rules.certificateLifetimeSeconds * 1000, ekValidUntil === null ? Infinity : Date.parse(ekValidUntil))
  if (until <= from) throw refusal('tpm-activation-expired', `what vouches for the EK ended at ${String(ekValidUntil)}`)
  return authority.certify({
    publicKey: createPublicKey({ key: Buffer.from(state.akSpki, 'base64'), format: 'der', type: 'spki' }),
    statement: { mode, akName, ekSpkiSha256, basis, listedBy },
    notBefore: new Date(from - BACKDATED_SECONDS * 1000),
    notAfter: new Date(until),
  })
}

type ActivationCode = 'tpm-activation-failed' | 'tpm-activation-expired' | 'tpm-activation-replayed'

function refusal(code: ActivationCode, actual: string): AttestationError {
  const rule = {
    id: 'TPM-29',
    title: 'The TPM gave up the secret, in time and once',
    code,
    expected: 'the secret and the state of one enrolment',
  }
  return new AttestationError(code, `${rule.title}: ${actual}`, { at: 'secret', checks: [failed(rule, actual)] })
}
