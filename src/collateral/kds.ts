import { type AmdDocument, type AmdEndpoint, parseAmdAddress } from '../verifiers/snp/address.ts'
import type { SnpProduct } from '../verifiers/snp/claims.ts'
import { ask, baseOf, type Transport } from './http.ts'
import type { Fetched, VendorClient } from './source.ts'

/** Where AMD's key distribution service, or a mirror of it, answers. */
export type KdsOptions = {
  /** `https://kdsintf.amd.com` or a mirror, with a path if it has one. */
  readonly url: string
  readonly transport?: Transport
  /** Milliseconds for one try, body included; 5,000 by default. */
  readonly timeout?: number
}

/** AMD's key distribution service (specification snp.md section 6.1). */
export type Kds = VendorClient & {
  /** Intermediate and root as PEM, as served; never an anchor. */
  readonly certChain: (product: SnpProduct, endpoint: AmdEndpoint) => Promise<Fetched>
}

/** Largest answers, in bytes (design section 3, Limits); a VCEK has about 1,300 and a chain 4,000. */
const MOST_BYTES = { vcek: 64 * 1024, chain: 64 * 1024, crl: 8 * 1024 * 1024 } as const

/** A client of one host. Throws when the URL is not one that may be asked. */
export function createKds({ url, transport = 'https', timeout = 5_000 }: KdsOptions): Kds {
  const base = baseOf(url, transport, 'AMD key distribution service')
  const get = async (path: string, most: number): Promise<Fetched> => {
    const answer = await ask(new URL(base + path), { most, timeout })
    return answer.outcome === 'found' ? { outcome: 'found', bytes: answer.bytes } : answer
  }
  return {
    fetch: async (address) => {
      const document = parseAmdAddress(address)
      if (document === undefined) return { outcome: 'unavailable', reason: 'not an address of AMD' }
      return get(pathOf(document), MOST_BYTES[document.kind])
    },
    certChain: (product, endpoint) => get(`/${endpoint}/v1/${product}/cert_chain`, MOST_BYTES.chain),
  }
}

/** Path and query of a document. Every part comes from a parsed address, so nothing in it needs escaping. */
function pathOf(document: AmdDocument): string {
  if (document.kind === 'crl') return `/${document.endpoint}/v1/${document.product}/crl`
  const { fmc, bootloader, tee, snp, microcode } = document.tcb
  // Two digits at least, as AMD prints them.
  const spl = Object.entries({ fmcSPL: fmc, blSPL: bootloader, teeSPL: tee, snpSPL: snp, ucodeSPL: microcode })
    .flatMap(([name, value]) => (value === undefined ? [] : `${name}=${String(value).padStart(2, '0')}`))
    .join('&')
  return `/vcek/v1/${document.product}/${document.hwid}?${spl}`
}
