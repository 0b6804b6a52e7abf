import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { basicConstraints, keyUsage } from '../src/simulator/der.ts'
import { challengeAnswer, problem } from '../src/routes/openapi/answers.ts'
import { EK_TEMPLATES } from '../src/verifiers/tpm/credential/templates.ts'
import { ekKeyOf } from '../src/verifiers/tpm/credential/ek-key.ts'
import { ekPublicOf } from '../src/verifiers/tpm/credential/ek-public.ts'
import { answerOf, BEGIN, begunOf, enrolmentLab, FINISH, finishedOf, labTpm, requestOf, type LabTpm } from './enrolment-lab.ts'
import { tpmItemOf } from './tpm-cases.ts'
import { failedCodes, judgeTpm } from './tpm-judged.ts'
import { akNameOf, TEST_AKS, testEvidence } from './tpm-quotes.ts'
import { directoryNames, ecKeys, named, NOW, swapped, tpmAttributes, USE, without, type Variation } from './tpm-trust-lab.ts'

// Specification tpm.md section 17, the rows about endorsement keys, activation and challenges, over HTTP.

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const ANYBODY = { others: 'DANGEROUSLY_ANY_GENUINE_TPM' } as const
const tpm = labTpm()

/** The public area of a TPM’s EK. */
function ekArea({ ek }: LabTpm): Uint8Array {
  const [template, key] = [EK_TEMPLATES.find(({ name }) => name === 'L-2'), ekKeyOf(ek.publicKey)]
  if (template === undefined || key === undefined) throw new Error('no such template')
  return ekPublicOf(template, key)
}

const codeOf = ({ status, body }: { readonly status: number; readonly body: unknown }): string =>
  status === 201 ? 'accepted' : problem.parse(body).code

const san = (names: readonly (readonly (readonly [string, string])[])[], critical = true): Variation => ({
  extensions: swapped({ oid: '2.5.29.17', critical, value: directoryNames(names) }),
})
const of = (certificate: Variation): object => requestOf(labTpm({ certificate }))

type Row = readonly [change: string, code: string, request: () => object]
const ROWS: readonly Row[] = [
  ['45: an authority', 'tpm-ek-cert-profile-invalid', () => of({ extensions: swapped(basicConstraints('ca')) })],
  ['45: without subjectAltName', 'tpm-ek-cert-profile-invalid', () => of({ extensions: without('2.5.29.17') })],
  ['45: without subject, its name not critical', 'tpm-ek-cert-profile-invalid', () => of(san([tpmAttributes()], false))],
  ['45: with two directory names', 'tpm-ek-cert-profile-invalid', () => of(san([tpmAttributes(), tpmAttributes()]))],
  ['46: whose key only signs', 'tpm-ek-cert-profile-invalid', () => of({ extensions: swapped(keyUsage(USE.digitalSignature)) })],
  ['48: of Intel’s under a root of STM’s', 'tpm-manufacturer-not-allowed', () => of(san([tpmAttributes('id:494E5443')]))],
  ['49: of another TPM', 'tpm-ek-public-mismatch', () => requestOf(tpm, { ek_public: base64(ekArea(labTpm())) })],
]

describe('negative matrix of TPM: endorsement certificates', () => {
  it.each(ROWS)('%s → %s', async (_, code, request) => {
    const lab = await enrolmentLab(ANYBODY)
    expect(codeOf(await lab.post(BEGIN, request()))).toBe(code)
  })

  it('47: of a program → tpm-software-tpm-not-allowed', async () => {
    const { anchors } = (await enrolmentLab(ANYBODY)).services
    const roots = anchors.tpm.roots.map((root) => ({ ...root, manufacturers: null }))
    const among = { anchors: { ...anchors, tpm: { ...anchors.tpm, roots } } }
    const request = of(san([tpmAttributes('id:00001014')]))
    expect(codeOf(await (await enrolmentLab(ANYBODY, among)).post(BEGIN, request))).toBe('tpm-software-tpm-not-allowed')
    expect(codeOf(await (await enrolmentLab({ ...ANYBODY, softwareTpm: 'allow' }, among)).post(BEGIN, request))).toBe('accepted')
  })

  it.each<[string, () => object]>([
    ['as they are', () => requestOf(tpm)],
    ['with the public area of the same TPM', () => requestOf(tpm, { ek_public: base64(ekArea(tpm)) })],
    ['with a subject, their name not critical', () => of({ ...san([tpmAttributes()], false), subject: named('tpm') })],
    ['of another key', () => requestOf(labTpm({ ek: ecKeys() }))],
  ])('but certificates %s begin an enrolment', async (_, request) => {
    expect(codeOf(await (await enrolmentLab(ANYBODY)).post(BEGIN, request()))).toBe('accepted')
  })
})

/** An enrolment that was begun, and the right answer to it. */
async function begun() {
  const lab = await enrolmentLab(ANYBODY)
  return { lab, answer: answerOf(tpm, begunOf(await lab.post(BEGIN, requestOf(tpm)))) }
}

const later = (lab: { readonly clock: { now: Date } }, milliseconds: number): void => {
  lab.clock.now = new Date(NOW.getTime() + milliseconds)
}

describe('negative matrix of TPM: activation', () => {
  it('50: a secret that differs in its last byte → tpm-activation-failed', async () => {
    const { lab, answer } = await begun()
    const secret = Buffer.from(answer.secret, 'base64')
    const wrong = secret.with(secret.length - 1, (secret.at(-1) ?? 0) ^ 1)
    expect(codeOf(await lab.post(FINISH, { ...answer, secret: base64(wrong) }))).toBe('tpm-activation-failed')
    expect(codeOf(await lab.post(FINISH, answer))).toBe('accepted')
  })

  it('51: after 60 seconds → tpm-activation-expired', async () => {
    const { lab, answer } = await begun()
    later(lab, 60_000)
    expect(codeOf(await lab.post(FINISH, answer))).toBe('tpm-activation-expired')
    later(lab, 59_999)
    expect(codeOf(await lab.post(FINISH, answer))).toBe('accepted')
  })

  it('51: twice → tpm-activation-replayed', async () => {
    const { lab, answer } = await begun()
    expect(codeOf(await lab.post(FINISH, answer))).toBe('accepted')
    expect(codeOf(await lab.post(FINISH, answer))).toBe('tpm-activation-replayed')
  })

  it('52: a quote by another key than the one that was activated → tpm-ak-cert-key-mismatch', async () => {
    const { lab, answer } = await begun()
    const { ak_certificate: pem } = finishedOf(await lab.post(FINISH, answer))
    const ak = { ...tpm.ak, scheme: TEST_AKS.p256.scheme }
    const policy = { ak_trust: ['ek-activation'], ek: { bases: ['DANGEROUSLY_ANY_GENUINE_TPM'] } }
    const by = (key: typeof ak | typeof TEST_AKS.p256) =>
      judgeTpm({
        evidence: { ...testEvidence([{}], key), akCertificates: [new Uint8Array(new X509Certificate(pem).raw)] },
        policy,
        anchors: lab.services.anchors,
        at: NOW,
        mode: 'test',
      })
    const [activated, other] = [await by(ak), await by(TEST_AKS.p256)]
    expect([activated.code, failedCodes(activated), activated.claims?.ak_trust]).toEqual(['accepted', [], 'ek-activation'])
    expect(other.code).toBe('tpm-ak-cert-key-mismatch')
  })

  it('52: the same without the certificate, where the first key is enrolled by name → tpm-ak-not-enrolled', async () => {
    const [first, other] = [testEvidence([{}], { ...tpm.ak, scheme: TEST_AKS.p256.scheme }), testEvidence()]
    const policy = { ak_trust: ['enrolled-ak'], enrolled_aks: [akNameOf(first)] }
    expect((await judgeTpm({ evidence: first, policy })).code).toBe('accepted')
    expect((await judgeTpm({ evidence: other, policy })).code).toBe('tpm-ak-not-enrolled')
  })
})

const POLICY = {
  name: 'tpm',
  key_binding: 'DANGEROUSLY_OPTIONAL',
  evidence: ['tpm'],
  tpm: { ak_trust: ['enrolled-ak'], enrolled_aks: [akNameOf(testEvidence())], unnamed_boot: 'DANGEROUSLY_ALLOW' },
}
const AUDIENCE = { name: 'tpm', policies: ['tpm'], profile: 'lean', alg: 'ES256', relyingPartyNonce: 'refuse' } as const

/** A service of mode test, and a request that carries a quote for a challenge of its own. */
async function challenged() {
  const lab = await enrolmentLab({}, { policies: [POLICY], audiences: [AUDIENCE] })
  const { body } = await lab.post('/v1/challenges', {})
  const nonce = challengeAnswer.parse(body).nonce
  const evidence = testEvidence([{ attest: { extraData: new Uint8Array(Buffer.from(nonce, 'base64')) } }])
  const request = { evidence: [tpmItemOf(evidence)], nonce, binding: 'nonce', audience: AUDIENCE.name }
  return { lab, ask: () => lab.post('/v1/appraisals', request) }
}

// Challenges are the service’s, so the codes of the specification’s nonce-replayed and nonce-expired are those of all evidence.
describe('negative matrix of TPM: challenges', () => {
  it('14: the same challenge twice → challenge-spent', async () => {
    const { ask } = await challenged()
    expect(codeOf(await ask())).toBe('accepted')
    expect(codeOf(await ask())).toBe('challenge-spent')
  })

  it('15: a challenge after its end → challenge-expired', async () => {
    const { lab, ask } = await challenged()
    later(lab, 24 * 3_600_000)
    expect(codeOf(await ask())).toBe('challenge-expired')
  })
})
