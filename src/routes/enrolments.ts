import type { AuditLine } from '../access/audit.ts'
import { mayActAs } from '../access/roles.ts'
import type { Enrolled } from '../enrolment/begin.ts'
import type { Enrolment } from '../enrolment/enrolment.ts'
import type { Certified } from '../enrolment/finish.ts'
import { AttestationError, problemOf } from '../verifiers/problems.ts'
import { toolsFile } from '../verifiers/tpm/credential/make.ts'
import { ekNeeds } from '../verifiers/tpm/trust/ek-certificate.ts'
import { readJsonBody } from './body.ts'
import { json, type Call, type Handler } from './call.ts'
import { activationRequest, enrolmentRequest, type EnrolmentBody } from './enrolment-requests.ts'
import { parseRequest } from './requests.ts'
import type { Services } from './services.ts'

/** POST /v1/tpm/enrolments: EK and public area of an attestation key in, a secret that only its TPM gives up out. */
export const createEnrolment: Handler = async (call, services) => {
  const enrolment = enrolmentOf(services)
  const body = parseRequest(enrolmentRequest, await readJsonBody(call, services.limits))
  return call.work.run(async () => {
    const told = { call, services, action: 'tpm-enrolment' } as const
    const { credential, state, expiresAt, about } = await refusalsRecorded(told, async () => {
      const begun = await enrolment.begin(await requestOf(body, call, services))
      await record(told, begun.about)
      return begun
    })
    return json(201, {
      credential_blob: base64(credential.blob),
      encrypted_secret: base64(credential.encryptedSecret),
      tpm2_tools_credential: base64(toolsFile(credential)),
      state: base64(state),
      expires_at: expiresAt.toISOString(),
      ...aboutBody(about),
    })
  })
}

/** POST /v1/tpm/enrolments/activations: the secret that the TPM gave up in, a certificate for the attestation key out. */
export const createEnrolmentActivation: Handler = async (call, services) => {
  const enrolment = enrolmentOf(services)
  const body = parseRequest(activationRequest, await readJsonBody(call, services.limits))
  return call.work.run(async () => {
    const told = { call, services, action: 'tpm-activation' } as const
    const finished = await refusalsRecorded(told, () => enrolment.finish(body, (certified) => record(told, certified)))
    return json(201, {
      ak_certificate: pem(finished.certificate),
      chain: finished.chain.map(pem),
      expires_at: finished.notAfter.toISOString(),
      ...aboutBody(finished),
    })
  })
}

function enrolmentOf({ enrolment }: Services): Enrolment {
  if (enrolment === undefined) throw new AttestationError('enrolment-off', '`tpm.enrolment` is not configured')
  return enrolment
}

/** Revocation lists are those that the operator has fetched in the background; nobody's request fetches one. */
async function requestOf(body: EnrolmentBody, call: Call, { anchors, collateral }: Services) {
  const { ek_certificate: certificate, ek_chain: chain, ek_public: area, ak_public: akPublic } = body
  const needs = certificate === undefined ? [] : ekNeeds(certificate, chain, anchors)
  const caller = call.caller === undefined ? 'anonymous' : 'authenticated'
  const obtained = await collateral.obtain({ needs, prefix: call.prefix, caller })
  const vouched = call.caller !== undefined && mayActAs('enroller', call.caller) ? 'by-enroller' : 'by-nobody'
  return { ek: { certificate, chain, public: area }, akPublic, vouched, collateral: obtained.collateral } as const
}

const aboutBody = ({ ekSpkiSha256, akName, basis }: Enrolled) => ({ ek_public_key_sha256: ekSpkiSha256, ak_name: akName, basis })

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

const PEM_LINE = /.{1,64}/g

/** RFC 7468. */
const pem = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${(base64(der).match(PEM_LINE) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`

/** What is told of one call. */
type Told = { readonly call: Call; readonly services: Services; readonly action: 'tpm-enrolment' | 'tpm-activation' }

const lineOf = ({ call, services, action }: Told): Omit<AuditLine, 'outcome'> => ({
  time: services.now().toISOString(),
  request_id: call.requestId,
  action,
  caller: call.caller?.name ?? call.prefix,
})

/** Written before anybody has what it tells of. Throws `audit-unavailable`: no audit line, no certificate. */
function record(told: Told, about: Enrolled | Certified): Promise<void> {
  const { ekSpkiSha256, akName, basis, listedBy } = about
  const certificate = 'serial' in about ? { serial: about.serial, not_after: about.notAfter.toISOString() } : {}
  const tpm = { ek_public_key_sha256: ekSpkiSha256, ak_name: akName, basis, listed_by: listedBy, ...certificate }
  return told.services.audit.append({ ...lineOf(told), outcome: 'issued', tpm })
}

/** A refusal has a line, too; a log that cannot be written does not turn it into something else. */
async function refusalsRecorded<T>(told: Told, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = error instanceof AttestationError ? error.code : 'internal-error'
    if (code === 'audit-unavailable') throw error
    const outcome = problemOf(code).kind === 'undecided' ? 'undecided' : 'refused'
    await told.services.audit.append({ ...lineOf(told), outcome, code }).catch((failure: unknown) => {
      told.services.log.error({ request_id: told.call.requestId, err: failure }, 'a refusal is missing from the audit log')
    })
    throw error
  }
}
