import { bindingInput, extraDataOf, nonceBinding, proofInput, reportDataOf } from '../access/binding.ts'
import { bindingKey, proofOf, thumbprint, type BindingKey } from './binding-keys.ts'
import { base64, type EvidenceItemJson } from './hosts.ts'
import type { IntelItemJson } from './intel-hosts.ts'
import type { ReportFields } from './report.ts'
import type { TpmItemJson } from './tpm-hosts.ts'

/** Which service is asked, and for whom. */
export type AttestTarget = {
  /** Without a trailing slash. */
  readonly url: string
  readonly audience?: string
  readonly policy?: string
  readonly accept?: string
  /** How the service is reached; default: `fetch`. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>
}

/** An evidence item of any vendor as it travels. */
type ItemJson = EvidenceItemJson | IntelItemJson | TpmItemJson

/** A host of any vendor: evidence for what a request binds, with fields of its own for one report or quote. */
export type Attester<Fields> = {
  /** What its evidence has room for; absent: the 64 bytes of REPORT_DATA. */
  readonly binds?: 'extraData'
  readonly evidence: (bound: Uint8Array, fields?: Fields) => ItemJson
}

/** What is asked, and what goes wrong on purpose. */
export type AttestOptions<Fields = Partial<ReportFields>> = AttestTarget & {
  /** Default: a new P-256 key. */
  readonly key?: BindingKey | 'none'
  readonly binding?: 'hash' | 'nonce'
  readonly runtimeData?: Uint8Array
  /** Instead of a new challenge: an old one, or one that is not of this service. */
  readonly nonce?: Uint8Array
  /** Sends a nonce of the relying party instead of a challenge. */
  readonly relyingPartyNonce?: Uint8Array
  /** Fields of this report or quote only. */
  readonly fields?: Fields
  /** The last word on the request before it is sent. */
  readonly change?: (request: AttestRequest) => unknown
}

/** The body of POST /v1/appraisals. */
export type AttestRequest = {
  readonly evidence: readonly ItemJson[]
  readonly nonce?: string
  readonly relying_party_nonce?: string
  readonly binding?: 'hash' | 'nonce'
  readonly runtime_data?: string
  readonly cnf_jwk?: BindingKey['jwk']
  readonly cnf_proof?: string
  readonly audience?: string
  readonly policy?: string
}

/** What came back: JSON decoded, anything else as text. */
export type AttestAnswer = { readonly status: number; readonly headers: Headers; readonly body: unknown; readonly request: unknown }

/** The audience of a request that names none (design section 3, Binding). */
const DEFAULT_AUDIENCE = 'default'

/** The whole protocol of a host: challenge, binding, report, appraisal. A challenge that is refused is answered as it is. */
export async function attest<Fields>(host: Attester<Fields>, options: AttestOptions<Fields>): Promise<AttestAnswer> {
  const given = options.relyingPartyNonce ?? options.nonce
  const challenge = given === undefined ? await requestChallenge(options) : undefined
  const nonce = given ?? challenge?.nonce
  if (nonce === undefined) return { ...(challenge ?? NO_ANSWER), request: undefined }
  const request = attestRequest(host, nonce, options)
  return appraise(options.change === undefined ? request : options.change(request), options)
}

const NO_ANSWER = { status: 0, headers: new Headers(), body: undefined }

/** Asks for a challenge; `nonce` is undefined when none is given. */
export async function requestChallenge(
  target: AttestTarget,
): Promise<Omit<AttestAnswer, 'request'> & { readonly nonce: Uint8Array | undefined }> {
  const answer = await call(target, '/v1/challenges', { method: 'POST' })
  const nonce = answer.status === 201 ? member(answer.body, 'nonce') : undefined
  return { ...answer, nonce: typeof nonce === 'string' ? new Uint8Array(Buffer.from(nonce, 'base64')) : undefined }
}

/** Posts a body to POST /v1/appraisals. */
async function appraise(request: unknown, target: AttestTarget): Promise<AttestAnswer> {
  const headers = { 'content-type': 'application/json', ...(target.accept === undefined ? {} : { accept: target.accept }) }
  const answer = await call(target, '/v1/appraisals', { method: 'POST', headers, body: JSON.stringify(request) })
  return { ...answer, request }
}

/** The request of a host for a nonce, correct in every part. */
export function attestRequest<Fields>(
  host: Attester<Fields>,
  nonce: Uint8Array,
  options: Omit<AttestOptions<Fields>, 'url'>,
): AttestRequest {
  const { bound, members } = options.binding === 'nonce' ? nonceItself(nonce, host.binds) : hashBinding(nonce, host.binds, options)
  return {
    evidence: [host.evidence(bound, options.fields)],
    ...(options.relyingPartyNonce === undefined ? { nonce: base64(nonce) } : { relying_party_nonce: base64(nonce) }),
    ...(options.binding === undefined ? {} : { binding: options.binding }),
    ...members,
    ...(options.audience === undefined ? {} : { audience: options.audience }),
    ...(options.policy === undefined ? {} : { policy: options.policy }),
  }
}

type Binds = Attester<unknown>['binds']

const nonceItself = (nonce: Uint8Array, binds: Binds) => ({ bound: binds === 'extraData' ? nonce : nonceBinding(nonce), members: {} })

function hashBinding(nonce: Uint8Array, binds: Binds, options: Pick<AttestOptions<unknown>, 'key' | 'runtimeData' | 'audience'>) {
  const key = options.key === 'none' ? undefined : (options.key ?? bindingKey('P-256'))
  const { runtimeData, audience = DEFAULT_AUDIENCE } = options
  const input = bindingInput({ nonce, runtimeData, audience, thumbprint: key === undefined ? undefined : thumbprint(key.jwk) })
  return {
    bound: binds === 'extraData' ? extraDataOf(input) : reportDataOf(input),
    members: {
      ...(runtimeData === undefined ? {} : { runtime_data: base64(runtimeData) }),
      ...(key === undefined ? {} : { cnf_jwk: key.jwk, cnf_proof: base64(proofOf(key, proofInput(input))) }),
    },
  }
}

/** Calls a service; JSON is decoded, anything else text. */
export async function call({ url, fetch: send = fetch }: AttestTarget, path: string, init: RequestInit) {
  const response = await send(`${url}${path}`, init)
  const text = await response.text()
  const isJson = /^application\/([a-z-]+\+)?json/.test(response.headers.get('content-type') ?? '')
  const body: unknown = isJson ? JSON.parse(text) : text
  return { status: response.status, headers: response.headers, body }
}

/** A member of a value, if it has it. */
export const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined
