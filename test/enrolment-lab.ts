import { generateKeyPairSync, hash, type KeyObject } from 'node:crypto'
import { createApp } from '../src/app.ts'
import type { EnrolmentSettings } from '../src/config/enrolment.ts'
import { createAkAuthority, type AkAuthority } from '../src/enrolment/authority.ts'
import { problem } from '../src/routes/openapi/answers.ts'
import { enrolmentActivationAnswer, enrolmentAnswer } from '../src/routes/openapi/enrolment-answers.ts'
import { nameOfArea, publicArea, type AreaFields } from '../src/simulator/tpm-bytes.ts'
import { activateCredential } from '../src/simulator/tpm-credential.ts'
import type { Anchors } from '../src/verifiers/verifier.ts'
import { testServices, TOKENS, type TestOptions, type TestServices } from './services.ts'
import { anchorFor, anchorsWith, authority, ecKeys, ekCertificate, NOW, spkiOf, type Keys, type Variation } from './tpm-trust-lab.ts'

/** The authority of the lab's TPMs: a root of its own, and what makes certificates under it. */
export const root = authority('Lab root')
export const maker = authority('Lab maker', root)

/** Anchors that trust the lab's TPMs, and whatever else is wanted. */
export const labAnchors = (more: Partial<Anchors['tpm']> = {}): Anchors =>
  anchorsWith({ roots: [anchorFor(root)], pool: [root.der], ...more })

/** A TPM whose keys are ours to use: P-256 endorsement key, P-256 attestation key. */
export type LabTpm = {
  readonly ek: Keys
  readonly certificate: Uint8Array
  readonly spkiSha256: string
  readonly ak: { readonly publicKey: KeyObject; readonly privateKey: KeyObject; readonly area: Uint8Array; readonly name: string }
  /** What TPM2_ActivateCredential gives; throws where the blob was made for another name or EK. */
  readonly open: (begun: { readonly credential_blob: string; readonly encrypted_secret: string }) => Uint8Array
}

/** What may be different about a TPM. */
export type LabTpmOptions = { readonly certificate?: Variation; readonly ek?: Keys; readonly area?: Partial<AreaFields> }

export function labTpm(options: LabTpmOptions = {}): LabTpm {
  const ek = options.ek ?? ecKeys()
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const area = publicArea(keys.publicKey, { scheme: 'ecdsa', hash: 'sha256', ...options.area })
  const name = nameOfArea('sha256', area)
  return {
    ek,
    certificate: ekCertificate(ek.publicKey, maker, options.certificate),
    spkiSha256: hash('sha256', spkiOf(ek.publicKey)),
    ak: { ...keys, area, name: Buffer.from(name).toString('hex') },
    open: ({ credential_blob: blob, encrypted_secret: sealed }) =>
      activateCredential({ kind: 'ecc-p256', ...ek }, { blob: bytes(blob), encryptedSecret: bytes(sealed), akName: name }),
  }
}

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))

/** Whom a service of the lab enrols. */
export const SETTINGS: EnrolmentSettings = {
  listed: [],
  others: 'refuse',
  certificateLifetimeSeconds: 86_400,
  softwareTpm: 'refuse',
  expiredEkCertificate: 'refuse',
  revocation: 'require',
  crlGraceSeconds: 0,
  skewSeconds: 0,
}

/** One authority for all replicas of the lab, in mode test. */
export const labAuthority = (): AkAuthority => createAkAuthority(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'test')

/** What came back. */
export type EnrolmentAnswered = { readonly status: number; readonly headers: Headers; readonly body: unknown }

/** A service that enrols, with a clock that is set by hand. */
export type EnrolmentLab = TestServices & {
  readonly clock: { now: Date }
  readonly post: (path: string, body: unknown, as?: keyof typeof TOKENS) => Promise<EnrolmentAnswered>
}

/** A service of the lab: `settings` change what is written above. */
export async function enrolmentLab(settings: Partial<EnrolmentSettings> = {}, options: TestOptions = {}): Promise<EnrolmentLab> {
  const clock = { now: NOW }
  const enrolling = { settings: { ...SETTINGS, ...settings }, authority: labAuthority() }
  const fixture = await testServices({ anchors: labAnchors(), now: () => clock.now, enrolling, ...options })
  const app = createApp(fixture.services)
  const post: EnrolmentLab['post'] = async (path, body, as) => {
    const headers = { 'content-type': 'application/json', ...(as === undefined ? {} : { authorization: `Bearer ${TOKENS[as]}` }) }
    const response = await app.request(path, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: response.status, headers: response.headers, body: await response.json() }
  }
  return { ...fixture, clock, post }
}

/** Addresses of enrolment. */
export const BEGIN = '/v1/tpm/enrolments'
/** The second of both. */
export const FINISH = '/v1/tpm/enrolments/activations'

const base64 = (data: Uint8Array): string => Buffer.from(data).toString('base64')

/** The request of a TPM, changed where a test wants it. */
export const requestOf = (tpm: LabTpm, changes: Readonly<Record<string, unknown>> = {}): object => ({
  ek_certificate: base64(tpm.certificate),
  ek_chain: [base64(maker.der)],
  ak_public: base64(tpm.ak.area),
  ...changes,
})

/** The answer to a beginning, which must be as the contract says. */
export const begunOf = ({ status, body }: EnrolmentAnswered) => {
  if (status !== 201) throw new Error(JSON.stringify(body))
  return enrolmentAnswer.parse(body)
}

/** The answer to an end, likewise. */
export const finishedOf = ({ status, body }: EnrolmentAnswered) => {
  if (status !== 201) throw new Error(JSON.stringify(body))
  return enrolmentActivationAnswer.parse(body)
}

/** Status, code and failed checks of a refusal, which must be as the contract says. */
export function refusedWith({ status, body }: EnrolmentAnswered): string {
  const { code, checks = [] } = problem.parse(body)
  const failed = checks.flatMap((check) => (check.outcome === 'fail' ? [check.id] : []))
  return [status, code, ...failed].join(' ')
}

/** What a TPM sends back. */
export const answerOf = (tpm: LabTpm, begun: ReturnType<typeof begunOf>): { state: string; secret: string } => ({
  state: begun.state,
  secret: base64(tpm.open(begun)),
})
