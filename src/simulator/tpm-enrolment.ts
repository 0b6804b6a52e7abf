import { call, member, type AttestAnswer, type AttestTarget } from './attest.ts'
import { base64 } from './hosts.ts'
import type { FakeAk } from './tpm-machine.ts'
import type { FakeTpmHost } from './tpm-hosts.ts'
import { pem } from './envelopes.ts'

/** What of an enrolment differs from a good one. */
export type EnrolmentChanges = {
  /** Another key of the host's TPM than its own; its certificate is not adopted. */
  readonly ak?: FakeAk
  /** Bearer token of an operator, who may have the role `enroller`. */
  readonly token?: string
  /** Members of the first request, replaced. */
  readonly request?: object
  /** The last word on the secret that the TPM gave up. */
  readonly secret?: (secret: Uint8Array) => Uint8Array
}

/**
 * Enrols the attestation key of a host (docs/tpm.md): two requests, between which its TPM opens a credential. The host sends the certificate
 * from then on. Answers with the last answer, which is that of the first request where it was refused.
 */
export async function enrolHost(host: FakeTpmHost, target: AttestTarget, changes: EnrolmentChanges = {}): Promise<AttestAnswer> {
  const { ak = host.ak, token, secret: change = (same) => same } = changes
  const headers = { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }
  const post = async (path: string, body: object): Promise<AttestAnswer> => ({
    ...(await call(target, path, { method: 'POST', headers, body: JSON.stringify(body) })),
    request: body,
  })
  const begun = await post('/v1/tpm/enrolments', { ...requestOf(host, ak), ...changes.request })
  if (begun.status !== 201) return begun
  const secret = change(
    host.tpm.activate(ak, { blob: bytesOf(begun, 'credential_blob'), encryptedSecret: bytesOf(begun, 'encrypted_secret') }),
  )
  const state = textOf(begun, 'state')
  const finished = await post('/v1/tpm/enrolments/activations', { state, secret: base64(secret) })
  if (finished.status === 201 && ak === host.ak) host.adopt([textOf(finished, 'ak_certificate')])
  return finished
}

const requestOf = ({ tpm, ekChain: [certificate, intermediate] }: FakeTpmHost, ak: FakeAk): object => ({
  ek_certificate: base64(certificate),
  ek_chain: [pem(intermediate)],
  ek_public: base64(tpm.ekArea),
  ak_public: base64(ak.area),
})

function textOf({ body }: AttestAnswer, name: string): string {
  const text = member(body, name)
  if (typeof text !== 'string') throw new Error(`the answer has no ${name}`)
  return text
}

const bytesOf = (answer: AttestAnswer, name: string): Uint8Array => new Uint8Array(Buffer.from(textOf(answer, name), 'base64'))
