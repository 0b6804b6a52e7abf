import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { allPcrs, HOST, type Event } from './boot-log.ts'
import type { EkName, Swtpm, SwtpmAk, SwtpmQuote } from './swtpm.ts'

/** PCRs that hosts of tests quote: all that a boot extends, and the list of measured files. */
export const SELECTION = 'sha256:0,1,2,3,4,5,6,7,8,9,10,11,12,13,14'

const sha256 = (...parts: readonly (string | Uint8Array)[]): Buffer => {
  const digest = createHash('sha256')
  for (const part of parts) digest.update(part)
  return digest.digest()
}
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** An answer of the service, as far as tests look at it. */
export type Answered = { readonly status: number; readonly body: Readonly<Record<string, unknown>> }

/** Posts to a running service on a connection of its own, so that any of its processes may answer. */
export async function post(url: string, body?: object): Promise<Answered> {
  const init = body === undefined ? {} : { body: JSON.stringify(body) }
  const headers = { connection: 'close', ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
  const response = await fetch(url, { method: 'POST', headers, ...init })
  return { status: response.status, body: (await response.json()) as Answered['body'] }
}

/** Status and code of a refusal, or `201`. */
export const outcomeOf = ({ status, body }: Answered): string =>
  [status, ...(typeof body['code'] === 'string' ? [body['code']] : [])].join(' ')

/** A member that must be text. */
export function textOf({ status, body }: Answered, name: string): string {
  const value = body[name]
  if (typeof value !== 'string') throw new Error(`${status} without ${name}: ${JSON.stringify(body)}`)
  return value
}

/** What a TPM claims in an answer with a token. */
export function tpmClaims({ status, body }: Answered): Readonly<Record<string, unknown>> {
  const appraisal = body['appraisal'] as { evidence: { claims: { tpm: Record<string, unknown> } }[] } | undefined
  const [item] = appraisal?.evidence ?? []
  if (item === undefined) throw new Error(`${status}: ${JSON.stringify(body)}`)
  return item.claims.tpm
}

/** Measures a boot into the registers, as the firmware, GRUB and Linux of such a host do. */
export async function boot(tpm: Swtpm, events: readonly Event[] = HOST): Promise<void> {
  const digests = events.map(({ pcr, data, of, digest }) => `${pcr}:sha256=${hex(digest ?? sha256(of ?? data))}`)
  await tpm.run('tpm2_pcrextend', ...digests)
}

/** A register behind a boot, as computed without the TPM. */
export const registerAfter = (events: readonly Event[], pcr: number): string => hex(allPcrs(events).get(pcr) ?? new Uint8Array())

/** The request that begins the enrolment of a key. */
export const enrolmentRequest = async (tpm: Swtpm, ek: EkName, akPublic: Uint8Array): Promise<object> => ({
  ek_certificate: base64(await tpm.ekCertificate(ek)),
  ek_public: base64(await tpm.ekPublic(ek)),
  ak_public: base64(akPublic),
})

/** The request that ends it. */
export const finish = (url: string, state: string, secret: Uint8Array): Promise<Answered> =>
  post(`${url}/v1/tpm/enrolments/activations`, { state, secret: base64(secret) })

/** Enrols a key and gives its certificate in PEM. */
export async function enrol(url: string, tpm: Swtpm, ak: SwtpmAk): Promise<string> {
  const begun = await post(`${url}/v1/tpm/enrolments`, await enrolmentRequest(tpm, ak.under, ak.public))
  const secret = await tpm.activate(ak, Buffer.from(textOf(begun, 'tpm2_tools_credential'), 'base64'))
  return textOf(await finish(url, textOf(begun, 'state'), secret), 'ak_certificate')
}

/** A challenge that is bound as docs/binding.md says, with a key of the host's own. */
export type Bound = { readonly url: string; readonly nonce: string; readonly extraData: Uint8Array; readonly more: object }

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

const { x, y } = publicKey.export({ format: 'jwk' })
/** The key that tokens of these hosts are bound to, in the members and the order of RFC 7638. */
export const HOST_JWK = { crv: 'P-256', kty: 'EC', x, y }

/** Asks for a challenge and binds it. */
export async function bound(url: string, audience: string): Promise<Bound> {
  const nonce = textOf(await post(`${url}/v1/challenges`), 'nonce')
  const parts = [sha256(Buffer.from(nonce, 'base64')), sha256(JSON.stringify(HOST_JWK)), sha256(), sha256(audience)]
  const p = Buffer.concat([Buffer.from('assay-binding/1\0'), ...parts])
  const proof = sign('sha256', Buffer.concat([Buffer.from('assay-pop/1\0'), createHash('sha512').update(p).digest()]), privateKey)
  return { url, nonce, extraData: sha256(p), more: { cnf_jwk: HOST_JWK, cnf_proof: base64(proof), audience } }
}

/** A quote as it travels. */
const wireQuote = ({ quote, signature, pcrs }: SwtpmQuote): object => ({
  quote: base64(quote),
  signature: base64(signature),
  pcrs: Object.fromEntries(
    Object.entries(pcrs).map(([bank, values]) => [
      bank,
      Object.fromEntries(Object.entries(values).map(([pcr, value]) => [pcr, hex(value)])),
    ]),
  ),
})

/** What a host says of its key beside its quotes. */
export type Shown = { readonly ak: SwtpmAk; readonly certificate?: string; readonly eventLog?: Uint8Array; readonly imaLog?: Uint8Array }

/** Hands in quotes for a challenge. */
export const present = ({ url, nonce, more }: Bound, quotes: readonly SwtpmQuote[], shown: Shown): Promise<Answered> => {
  const item = {
    type: 'tpm',
    quotes: quotes.map(wireQuote),
    ak_public: base64(shown.ak.public),
    ...(shown.certificate === undefined ? {} : { ak_certificates: [shown.certificate] }),
    ...(shown.eventLog === undefined ? {} : { event_log: base64(shown.eventLog) }),
    ...(shown.imaLog === undefined ? {} : { ima_log: base64(shown.imaLog) }),
  }
  return post(`${url}/v1/appraisals`, { evidence: [item], nonce, ...more })
}
