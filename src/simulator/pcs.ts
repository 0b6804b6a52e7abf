import type { IncomingMessage } from 'node:http'
import type { IntelTee, IntelUpdate } from '../verifiers/tdx/address.ts'
import type { VendorDocument } from '../verifiers/tdx/document.ts'
import { pemChain } from './certification.ts'
import { pem } from './envelopes.ts'
import { pckCrlDocument, type FakeIntel } from './intel.ts'
import { startVendor, type FakeVendor, type Served } from './loopback.ts'
import { pckCertificate, PCK_CHAIN_HEADER } from './pcs-pck.ts'

/** A provisioning certification service on loopback, with the addresses of Intel's (specification tdx.md section 4). */
export type FakePcs = FakeVendor & {
  /** Where Intel keeps the root's list: on another host, here below the same. */
  readonly rootCrlUrl: string
  /** Answers a path with its query, or a path alone, with this document instead of the Intel's. */
  readonly serve: (path: string, document: VendorDocument) => void
}

/** What may differ from Intel's own service. */
export type PcsOptions = {
  /** `pccs`: a caching service as providers run it, with the root's list in hex and no API key. Default: `pcs`. */
  readonly kind?: 'pcs' | 'pccs'
  /** Without it no PCK certificate is handed out. */
  readonly apiKey?: string
  /** Names of the issuer-chain headers before version 4. */
  readonly headers?: 'old'
}

/** Starts it on a free port. */
export async function startFakePcs(intel: FakeIntel, options: PcsOptions = {}): Promise<FakePcs> {
  const prepared = new Map<string, VendorDocument>()
  const vendor = await startVendor((request) => answerFrom({ intel, options, prepared }, request))
  const rootPath = options.kind === 'pccs' ? PCCS_ROOT_CRL : ROOT_CRL
  return { ...vendor, rootCrlUrl: `${vendor.url}${rootPath}`, serve: (path, document) => void prepared.set(path, document) }
}

const ROOT_CRL = '/IntelSGXRootCA.der'
const PCCS_ROOT_CRL = '/sgx/certification/v4/rootcacrl'

type Service = { readonly intel: FakeIntel; readonly options: PcsOptions; readonly prepared: ReadonlyMap<string, VendorDocument> }
type Asked = { readonly tee: IntelTee; readonly query: URLSearchParams; readonly request: IncomingMessage }
/** How one kind of document is found and sent. */
type Route = (service: Service, asked: Asked) => Served | undefined

const API = /^\/(sgx|tdx)\/certification\/v4\//

function answerFrom(service: Service, request: IncomingMessage): Served | undefined {
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://pcs.invalid')
  const tee = API.exec(pathname)?.[1] === 'tdx' ? 'tdx' : 'sgx'
  const name = pathname.replace(API, 'v4/')
  const route = Object.entries(ROUTES).find(([at]) => at === name)?.[1]
  return request.method === 'GET' ? route?.(service, { tee, query, request }) : undefined
}

const ROUTES: Readonly<Record<string, Route>> = {
  'v4/tcb': (service, { tee, query, request }) => {
    const fmspc = query.get('fmspc') ?? ''
    const which = versionOf(query)
    if (which === 'bad' || !/^[0-9a-f]{12}$/i.test(fmspc)) return refusal(400)
    if (!service.intel.knows(fmspc.toLowerCase())) return undefined
    // Intel signs anew for each request, with the FMSPC as it was asked for.
    return which === 'gone' ? refusal(410) : json(service, request, () => service.intel.tcbInfo({ tee, fmspc, update: which }))
  },
  'v4/qe/identity': (service, { tee, query, request }) => {
    const which = versionOf(query)
    if (which === 'bad') return refusal(400)
    return which === 'gone' ? refusal(410) : json(service, request, () => service.intel.qeIdentity({ tee, update: which }))
  },
  'v4/pckcrl': (service, { query, request }) => {
    const issuer = query.get('ca')
    if (issuer !== 'platform' && issuer !== 'processor') return refusal(400)
    const document = preparedFor(service, request) ?? pckCrlDocument(service.intel, { issuer })
    const header = service.options.headers === 'old' ? 'PCS-CRL-Issuer-Chain' : 'SGX-PCK-CRL-Issuer-Chain'
    // The default encoding is PEM.
    const body = query.get('encoding') === 'der' ? document.body : Buffer.from(pem(document.body, 'X509 CRL'))
    return { type: 'application/pkix-crl', body, headers: { [header]: encoded(document.issuerChain) } }
  },
  [ROOT_CRL]: (service, { request }) => (service.options.kind === 'pccs' ? undefined : crlOf(rootCrl(service, request))),
  // As text: hex of the DER.
  'v4/rootcacrl': (service, { request }) =>
    service.options.kind === 'pccs' ? crlOf(Buffer.from(Buffer.from(rootCrl(service, request)).toString('hex'))) : undefined,
  'v4/tcbevaluationdatanumbers': ({ intel }, { tee }) => {
    const { body, issuerChain } = intel.evaluationNumbers(tee)
    return { type: 'application/json', body, headers: { 'TCB-Evaluation-Data-Numbers-Issuer-Chain': encoded(issuerChain) } }
  },
  'v4/fmspcs': ({ intel }) => ({
    type: 'application/json',
    body: Buffer.from(JSON.stringify(intel.fmspcs().map((fmspc) => ({ fmspc, platform: 'E5' })))),
  }),
  'v4/pckcert': ({ intel, options }, { query, request }) => {
    if (options.kind !== 'pccs' && (options.apiKey === undefined || request.headers['ocp-apim-subscription-key'] !== options.apiKey))
      return refusal(401)
    const pck = pckCertificate(intel, query)
    if (pck === 'bad') return refusal(400)
    if (pck === undefined) return undefined
    const headers = { [PCK_CHAIN_HEADER]: encoded(pemChain(pck.chain.slice(1))), ...pck.headers }
    return { type: 'application/x-pem-file', body: Buffer.from(pem(pck.der)), headers }
  },
}

/** `update` and a number exclude each other; the fake Intel offers the newest two numbers. */
function versionOf(query: URLSearchParams): IntelUpdate | 'bad' | 'gone' {
  const [update, number] = [query.get('update'), query.get('tcbEvaluationDataNumber')]
  if (update !== null && number !== null) return 'bad'
  if (number !== null) return NUMBERS[number] ?? 'gone'
  if (update === null) return 'standard'
  return update === 'early' || update === 'standard' ? update : 'bad'
}

const NUMBERS: Readonly<Record<string, IntelUpdate>> = { '20': 'standard', '21': 'early' }

const preparedFor = ({ prepared }: Service, { url = '/' }: IncomingMessage): VendorDocument | undefined =>
  prepared.get(url) ?? prepared.get(url.replace(/\?.*/, ''))

const crlOf = (body: Uint8Array): Served => ({ type: 'application/pkix-crl', body })

const rootCrl = (service: Service, request: IncomingMessage): Uint8Array =>
  preparedFor(service, request)?.body ?? service.intel.crl({ issuer: 'root' })

function json(service: Service, request: IncomingMessage, document: () => VendorDocument): Served {
  const { body, issuerChain } = preparedFor(service, request) ?? document()
  const isIdentity = (request.url ?? '').includes('/qe/identity')
  const tcbInfoHeader = service.options.headers === 'old' ? 'SGX-TCB-Info-Issuer-Chain' : 'TCB-Info-Issuer-Chain'
  const header = isIdentity ? 'SGX-Enclave-Identity-Issuer-Chain' : tcbInfoHeader
  return { type: 'application/json', body, headers: { [header]: encoded(issuerChain) } }
}

const encoded = (chain: Uint8Array): string => encodeURIComponent(Buffer.from(chain).toString())

const refusal = (status: number): Served => ({ status, type: 'text/plain', body: Buffer.from(`${status}\n`) })
