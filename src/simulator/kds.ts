import type { IncomingMessage } from 'node:http'
import { SNP_PRODUCTS, type AmdEndpoint } from '../verifiers/snp/address.ts'
import type { SnpProduct, SnpTcb } from '../verifiers/snp/claims.ts'
import type { FakeAmd } from './amd.ts'
import { pem } from './envelopes.ts'
import { startVendor, type FakeVendor, type Served } from './loopback.ts'

/** A key distribution service on loopback, with the addresses of AMD's (specification snp.md section 6.1). */
export type FakeKds = FakeVendor & {
  /** Answers a path (without query) with these bytes instead of the AMD's document. */
  readonly serve: (path: string, bytes: Uint8Array) => void
}

/** Starts it on a free port. */
export async function startFakeKds(amd: FakeAmd): Promise<FakeKds> {
  const served = new Map<string, Uint8Array>()
  const vendor = await startVendor((request) => answerFrom(amd, served, request))
  return { ...vendor, serve: (path, bytes) => void served.set(path, bytes) }
}

function answerFrom(amd: FakeAmd, served: ReadonlyMap<string, Uint8Array>, request: IncomingMessage): Served | undefined {
  const url = new URL(request.url ?? '/', 'http://kds.invalid')
  const prepared = served.get(url.pathname)
  if (prepared !== undefined) return { type: 'application/octet-stream', body: prepared }
  const [, endpoint, product, what] = /^\/(vcek|vlek)\/v1\/(Milan|Genoa|Turin)\/([^/]+)$/.exec(url.pathname) ?? []
  const known = SNP_PRODUCTS.find((p) => p === product && amd.products.includes(p))
  if (request.method !== 'GET' || known === undefined || what === undefined) return undefined
  return documentOf(amd, { endpoint: endpoint === 'vlek' ? 'vlek' : 'vcek', product: known, what, query: url.searchParams })
}

type KdsAddress = {
  readonly endpoint: AmdEndpoint
  readonly product: SnpProduct
  readonly what: string
  readonly query: URLSearchParams
}

function documentOf(amd: FakeAmd, address: KdsAddress): Served | undefined {
  const { endpoint, product, what } = address
  if (what === 'crl') return { type: 'application/pkix-crl', body: amd.crl({ product, endpoint }) }
  if (what === 'cert_chain') {
    const chain = [amd.intermediate(product, endpoint === 'vcek' ? 'ask' : 'asvk'), amd.root(product)]
    return { type: 'application/x-pem-file', body: Buffer.from(chain.map((der) => pem(der)).join('')) }
  }
  return endpoint === 'vcek' ? vcekOf(amd, address) : undefined
}

/** Only chips that exist have keys; a TCB may be any, as firmware can be rolled back. */
function vcekOf(amd: FakeAmd, { product, what, query }: KdsAddress): Served | undefined {
  const tcb = tcbOf(product, query)
  if (tcb === undefined || !amd.knows(product, what)) return undefined
  return { type: 'application/x-x509-ca-cert', body: amd.vcek({ product, hwid: new Uint8Array(Buffer.from(what, 'hex')), tcb }).der }
}

/** Values are decimal, with or without leading zeros (specification snp.md section 6.1). */
function tcbOf(product: SnpProduct, query: URLSearchParams): SnpTcb | undefined {
  const spl = (name: string): number => (/^\d{1,3}$/.test(query.get(name) ?? '') ? Number(query.get(name)) : Number.NaN)
  const tcb = { bootloader: spl('blSPL'), tee: spl('teeSPL'), snp: spl('snpSPL'), microcode: spl('ucodeSPL') }
  const full = product === 'Turin' ? { fmc: spl('fmcSPL'), ...tcb } : tcb
  return Object.values(full).every((value) => value <= 255) ? full : undefined
}
