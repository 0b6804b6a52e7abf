import type { DpopRequest } from './dpop.ts'
import { ALGORITHMS } from './jwk.ts'
import { AttestationRefused } from './problems.ts'
import { verifyAttestation, type Attestation, type VerifyOptions } from './verify.ts'

/** What every middleware is told. */
export type GuardOptions = Omit<VerifyOptions, 'confirm' | 'nonce'> & {
  /** How senders prove that a token is theirs. */
  readonly confirm: 'dpop' | 'tls' | 'DANGEROUSLY_BEARER'
  /**
   * The address by which clients reach this application, with the path below which it is mounted by a proxy, if there is one: `https://api.example`.
   * It is never taken from the request, where clients and proxies can say what they like. Demanded for `dpop`.
   */
  readonly publicUrl?: string
  /** How proofs are judged; only for `dpop`. */
  readonly dpop?: Pick<DpopRequest, 'maxAgeSeconds' | 'seen'> & {
    /** Nonces that are accepted now, the newest first, which is told to clients that have none. */
    readonly nonces?: () => readonly string[]
  }
  /** Hears why a caller was refused, with facts that the caller is not told. */
  readonly onRefusal?: (error: AttestationRefused) => void
}

/** One request, as a framework shows it. */
export type GuardedRequest = {
  readonly method: string
  /** Path and query, as they came. */
  readonly target: string
  /** All values of a header. */
  readonly header: (name: 'authorization' | 'dpop') => readonly string[]
  /** The TLS client certificate in DER, where TLS ends in this process. */
  readonly certificate: Uint8Array | string | undefined
  /** The nonce of the relying party that this request must answer. */
  readonly nonce: string | undefined
}

/** What to answer to a caller who is refused. */
export type Refusal = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }

/** Checks requests; either the attestation or what to answer. What is no refusal is thrown. */
export type Guard = (request: GuardedRequest) => Promise<{ readonly attestation: Attestation } | { readonly refusal: Refusal }>

/** A guard with options that are checked once, before the first request. Throws `options-invalid`. */
export function createGuard(options: GuardOptions): Guard {
  const base = baseOf(options)
  return async (request) => {
    try {
      return { attestation: await attestationOf(options, base, request) }
    } catch (error) {
      if (!(error instanceof AttestationRefused)) throw error
      options.onRefusal?.(error)
      return { refusal: refusalOf(error, options) }
    }
  }
}

const WORDS: readonly unknown[] = ['dpop', 'tls', 'DANGEROUSLY_BEARER']

/** The public address without a slash at its end; empty where nobody needs it. */
function baseOf({ confirm, publicUrl }: GuardOptions): string {
  if (!WORDS.includes(confirm)) throw new AttestationRefused('options-invalid', { option: 'confirm', expected: WORDS })
  if (confirm !== 'dpop') return ''
  const url = publicUrl !== undefined && URL.canParse(publicUrl) ? new URL(publicUrl) : undefined
  if (url !== undefined && url.origin !== 'null' && `${url.search}${url.hash}` === '') return url.href.replace(/\/$/, '')
  throw new AttestationRefused('options-invalid', { option: 'publicUrl', expected: 'an address without query' })
}

function attestationOf(options: GuardOptions, base: string, request: GuardedRequest): Promise<Attestation> {
  const { nonce } = request
  const token = tokenOf(request, options.confirm)
  return verifyAttestation(token, { ...options, ...(nonce === undefined ? {} : { nonce }), confirm: confirmOf(options, base, request) })
}

/** RFC 9449 section 7.1 and RFC 6750 section 2.1: one header, under the scheme of the proof. A bound token under `Bearer` has no proof. */
function tokenOf({ header }: GuardedRequest, confirm: GuardOptions['confirm']): string {
  const [authorization, ...more] = header('authorization')
  const [, given, token] = /^(DPoP|Bearer) (\S+)$/i.exec(more.length > 0 ? '' : (authorization ?? '')) ?? []
  if (given === undefined || token === undefined) throw new AttestationRefused('token-missing')
  const scheme = given.toLowerCase()
  if ((scheme === 'dpop') === (confirm === 'dpop')) return token
  throw new AttestationRefused(scheme === 'bearer' ? 'proof-missing' : 'token-missing', { scheme })
}

function confirmOf({ confirm, dpop }: GuardOptions, base: string, request: GuardedRequest): VerifyOptions['confirm'] {
  if (confirm === 'DANGEROUSLY_BEARER') return confirm
  if (confirm === 'tls') return { tls: { certificate: request.certificate } }
  const [proof, ...more] = request.header('dpop')
  const { nonces, ...rest } = dpop ?? {}
  const given = nonces?.()
  const url = `${base}${request.target}`
  // RFC 9449 section 4.3, check 1: of two proofs none counts.
  const one = more.length > 0 ? undefined : proof
  return { dpop: { ...rest, ...(given === undefined ? {} : { nonces: given }), proof: one, method: request.method, url } }
}

/** Error codes of RFC 6750 section 3.1 and RFC 9449 sections 5 and 9. */
function challengeOf({ code, status }: AttestationRefused): string | undefined {
  if (code === 'token-missing') return undefined
  if (code === 'proof-nonce') return 'use_dpop_nonce'
  if (status === 403) return 'insufficient_scope'
  return code.startsWith('proof-') ? 'invalid_dpop_proof' : 'invalid_token'
}

/** RFC 9457, with what a stranger may know: the code and its title. */
function refusalOf(error: AttestationRefused, { confirm, dpop }: GuardOptions): Refusal {
  const { code, status } = error
  const nonce = code === 'proof-nonce' ? dpop?.nonces?.()[0] : undefined
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(status === 401 || status === 403 ? { 'www-authenticate': authenticate(error, confirm) } : {}),
      ...(status === 503 ? { 'retry-after': '30' } : {}),
      ...(nonce === undefined ? {} : { 'dpop-nonce': nonce }),
    },
    body: JSON.stringify({ title: error.message, status, code }),
  }
}

function authenticate(error: AttestationRefused, confirm: GuardOptions['confirm']): string {
  const challenge = challengeOf(error)
  const parameters = [
    ...(challenge === undefined ? [] : [`error="${challenge}"`]),
    ...(confirm === 'dpop' ? [`algs="${ALGORITHMS.join(' ')}"`] : []),
  ]
  return `${confirm === 'dpop' ? 'DPoP' : 'Bearer'} ${parameters.join(', ')}`.trim()
}

const attested = new WeakMap<object, Attestation>()

/** Keeps what was verified beside the request of the framework. */
export const remember = (request: object, attestation: Attestation): void => void attested.set(request, attestation)

/** The attestation of a request that passed a middleware of this package. Throws a plain error for any other: nobody verified it. */
export function attestationFor(request: object): Attestation {
  const attestation = attested.get(request)
  if (attestation === undefined) throw new Error('this request has not passed the middleware')
  return attestation
}
