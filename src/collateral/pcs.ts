import { type IntelDocument, parseIntelAddress } from '../verifiers/tdx/address.ts'
import { writeVendorDocument } from '../verifiers/tdx/document.ts'
import { listInDer } from './crl-forms.ts'
import { ask, type Asked, type Asking, baseOf, type Transport } from './http.ts'
import type { Fetched, VendorClient } from './source.ts'

/** Where Intel's provisioning certification service, a mirror of it, or a caching service (PCCS) answers. */
export type PcsOptions = {
  /** `https://api.trustedservices.intel.com`, or another, with a path if it has one. */
  readonly url: string
  /** The whole URL of the root's revocation list, which Intel keeps on another host. */
  readonly rootCrlUrl: string
  readonly transport?: Transport
  /** PEM: the only authority whose TLS certificates are taken. Absent: the well-known ones. */
  readonly ca?: string
  /** Subscription key, sent where a PCK certificate is asked for and nowhere else. */
  readonly apiKey?: string
  /** Milliseconds for one try, body included; 10,000 by default. */
  readonly timeout?: number
}

/** What names a PCK certificate, as a quote with certification data of type 2 or 3 holds it (specification tdx.md section 1.8). */
type PckQuery = {
  /** RSA-3072 ciphertext, 384 bytes. */
  readonly encryptedPpid: Uint8Array
  /** 16 bytes. */
  readonly cpuSvn: Uint8Array
  /** 2 bytes, little-endian. */
  readonly pceSvn: Uint8Array
  /** 2 bytes, little-endian. */
  readonly pceId: Uint8Array
}

/** Version 4 of Intel's API (specification tdx.md section 4). Documents are found as `writeVendorDocument` writes them. */
export type Pcs = VendorClient & {
  /** PEM: the certificate for exactly this TCB or the nearest below, then its issuer chain. Untrusted. */
  readonly pckCertificate: (platform: PckQuery) => Promise<Fetched>
}

/** Largest answers, in bytes (design section 3, Limits). */
const MOST_BYTES = { json: 1024 * 1024, crl: 8 * 1024 * 1024, certificate: 64 * 1024 } as const

/** One document: path below the API and query, in which headers its issuer chain may come (none: it has none), and what its body is. */
type Route = {
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly chain: readonly string[]
  readonly body: 'json' | 'crl'
}

/** Newer and older names of the headers, in lower case. */
const CHAINS = {
  'tcb-info': ['tcb-info-issuer-chain', 'sgx-tcb-info-issuer-chain'],
  'qe-identity': ['sgx-enclave-identity-issuer-chain'],
  'pck-crl': ['sgx-pck-crl-issuer-chain', 'pcs-crl-issuer-chain'],
  'pck-certificate': ['sgx-pck-certificate-issuer-chain'],
} as const

/** A client of one service. Throws when a URL is not one that may be asked. */
export function createPcs(options: PcsOptions): Pcs {
  const { transport = 'https', timeout = 10_000, ca, apiKey } = options
  const base = baseOf(options.url, transport, 'Intel provisioning certification service')
  const rootCrl = baseOf(options.rootCrlUrl, transport, 'Intel root revocation list')
  const get = (at: URL, asking: Pick<Asking, 'most' | 'headers'>): Promise<Asked> =>
    ask(at, { ...asking, timeout, ...(ca === undefined ? {} : { ca }) })
  return {
    fetch: async (address) => {
      const document = parseIntelAddress(address)
      if (document === undefined) return { outcome: 'unavailable', reason: 'not an address of Intel' }
      const route = routeOf(document)
      const url = document.kind === 'root-ca-crl' ? new URL(rootCrl) : api(base, route)
      return documentIn(await get(url, { most: MOST_BYTES[route.body] }), route)
    },
    pckCertificate: async (platform) => {
      const headers = apiKey === undefined ? {} : { 'ocp-apim-subscription-key': apiKey }
      return certificateIn(await get(pckUrl(base, platform), { most: MOST_BYTES.certificate, headers }))
    },
  }
}

/** The root's list has no path: it is elsewhere. */
function routeOf(document: IntelDocument): Route {
  if (document.kind === 'root-ca-crl') return { path: '', chain: [], body: 'crl' }
  if (document.kind === 'pck-crl')
    return { path: 'sgx/certification/v4/pckcrl', query: { ca: document.ca, encoding: 'der' }, chain: CHAINS['pck-crl'], body: 'crl' }
  const { kind, tee, update } = document
  // `standard` is what is served when nothing is said, and older caching services know nothing else.
  const query = update === 'early' ? { update } : {}
  return kind === 'tcb-info'
    ? { path: `${tee}/certification/v4/tcb`, query: { fmspc: document.fmspc, ...query }, chain: CHAINS[kind], body: 'json' }
    : { path: `${tee}/certification/v4/qe/identity`, query, chain: CHAINS[kind], body: 'json' }
}

function api(base: string, { path, query = {} }: Pick<Route, 'path' | 'query'>): URL {
  const url = new URL(`${base}/${path}`)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  return url
}

function pckUrl(base: string, { encryptedPpid, cpuSvn, pceSvn, pceId }: PckQuery): URL {
  const query = { encrypted_ppid: hex(encryptedPpid), cpusvn: hex(cpuSvn), pcesvn: hex(pceSvn), pceid: hex(pceId) }
  return api(base, { path: 'sgx/certification/v4/pckcert', query })
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function documentIn(answer: Asked, { chain, body }: Route): Fetched {
  if (answer.outcome !== 'found') return answer
  const issuerChain = chain.length === 0 ? new Uint8Array() : chainIn(answer, chain)
  if (issuerChain === undefined) return { outcome: 'unavailable', reason: 'the answer came without its issuer chain' }
  const bytes = body === 'json' ? answer.bytes : listInDer(answer.bytes)
  if (bytes === undefined) return { outcome: 'unavailable', reason: 'the answer is no revocation list in DER, PEM, hex or base64' }
  return { outcome: 'found', bytes: writeVendorDocument({ issuerChain, body: bytes }) }
}

function certificateIn(answer: Asked): Fetched {
  if (answer.outcome !== 'found') return answer
  const issuerChain = chainIn(answer, CHAINS['pck-certificate'])
  if (issuerChain === undefined) return { outcome: 'unavailable', reason: 'the answer came without its issuer chain' }
  const leaf = Buffer.from(answer.bytes).toString('latin1').trimEnd()
  return { outcome: 'found', bytes: new Uint8Array(Buffer.concat([Buffer.from(`${leaf}\n`, 'latin1'), issuerChain])) }
}

/** URL-encoded PEM; how long it can be, the limit of all headers says (http.ts). */
function chainIn({ header }: Extract<Asked, { outcome: 'found' }>, names: readonly string[]): Uint8Array | undefined {
  const text = names.map(header).find((value) => value !== undefined)
  const decoded = text === undefined ? undefined : decodeUrl(text)
  return decoded !== undefined && /^[\x20-\x7e\r\n]+$/.test(decoded) ? new Uint8Array(Buffer.from(decoded, 'latin1')) : undefined
}

function decodeUrl(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
