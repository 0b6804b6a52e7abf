import type { AmdEndpoint } from '../verifiers/snp/address.ts'
import type { SnpProduct } from '../verifiers/snp/claims.ts'
import type { Fetched, VendorClient } from './source.ts'

/** Where AMD's key distribution service, or a mirror of it, answers. */
export type KdsOptions = {
  /** `https://kdsintf.amd.com` or a mirror, with a path if it has one. */
  readonly url: string
  readonly transport?: 'https' | 'DANGEROUSLY_PLAIN_HTTP'
  /** Milliseconds for one try, body included; 5,000 by default. */
  readonly timeout?: number
}

/** AMD's key distribution service (specification snp.md section 6.1). */
export type Kds = VendorClient & {
  /** Intermediate and root as PEM, as served; never an anchor. */
  readonly certChain: (product: SnpProduct, endpoint: AmdEndpoint) => Promise<Fetched>
}

/** A client of one host. Throws when the URL is not one that may be asked. */
export function createKds(_options: KdsOptions): Kds {
  throw new Error('not yet')
}
