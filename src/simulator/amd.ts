import { SNP_PRODUCTS, vcekAddress } from '../verifiers/snp/address.ts'
import type { SnpProduct } from '../verifiers/snp/claims.ts'
import type { AmdAnchor } from '../verifiers/verifier.ts'
import { certifyAuthority, mintAuthorities, type Authority, type AuthorityRole } from './authorities.ts'
import type { CertificateOverrides } from './overrides.ts'
import { SIM_PRODUCTS } from './products.ts'
import { mintCrl, type CrlRequest } from './revocation.ts'
import { certifyVek, newHwid, vekKeys, type FakeVek, type VekRequest } from './veks.ts'

/** What a VLEK is minted from. */
export type VlekRequest = VekRequest & { readonly cspId?: string }

/**
 * An AMD of our own: roots, intermediates, endorsement keys and revocation lists that are like the real ones in everything but
 * the keys and the marker. All keys live in memory and end with the process.
 */
export type FakeAmd = {
  readonly now: Date
  readonly products: readonly SnpProduct[]
  /** What a verifier must trust to accept this AMD; `origin` is `test`. */
  readonly anchors: () => readonly AmdAnchor[]
  readonly authority: (product: SnpProduct, role: AuthorityRole) => Authority
  /** The ARK's certificate, DER. */
  readonly root: (product: SnpProduct) => Uint8Array
  /** The certificate of ASK or ASVK, DER. */
  readonly intermediate: (product: SnpProduct, role: 'ask' | 'asvk') => Uint8Array
  /** Another certificate for an authority's key, DER. */
  readonly reissue: (product: SnpProduct, role: AuthorityRole, overrides: CertificateOverrides) => Uint8Array
  /** A chip's key at a TCB: the same chip and TCB give the same key in a new certificate, as AMD's service does. */
  readonly vcek: (request: VekRequest) => FakeVek
  readonly vlek: (request: VlekRequest) => FakeVek
  /** Whether a VCEK was ever minted for the chip (`hwid` lower-case hex). */
  readonly knows: (product: SnpProduct, hwid: string) => boolean
  readonly crl: (request: CrlRequest) => Uint8Array
}

/** What a fake AMD is made from. */
export type FakeAmdOptions = {
  /** When its certificates are made; lists are an hour older. Default: now. */
  readonly now?: Date
  /** AMD uses 4096. Default 2048: a key of 4096 bits takes a second to make, and no check depends on the size. */
  readonly rsaBits?: number
  /** Default: all three. */
  readonly products?: readonly SnpProduct[]
}

/** A provider id such as AWS puts into its VLEKs. */
export const SIM_CSP_ID = 'CN=cc-simulator-1.amazonaws.com'

/** Mints the authorities of every product; takes about a quarter of a second. */
export async function fakeAmd(options: FakeAmdOptions = {}): Promise<FakeAmd> {
  const { now = new Date(), rsaBits = 2048, products = SNP_PRODUCTS } = options
  const minted = await Promise.all(products.map(async (product) => [product, await mintAuthorities(product, { now, rsaBits })] as const))
  const authorities = new Map<SnpProduct, Record<AuthorityRole, Authority>>(minted)
  const authority = (product: SnpProduct, role: AuthorityRole): Authority => {
    const found = authorities.get(product)
    if (found === undefined) throw new Error(`this fake AMD has no ${product}`)
    return found[role]
  }
  return {
    now,
    products,
    authority,
    anchors: () => [...authorities.values()].flatMap((roles) => Object.values(roles)).map(anchorOf),
    root: (product) => authority(product, 'ark').der,
    intermediate: (product, role) => authority(product, role).der,
    reissue: (product, role, overrides) => {
      const keys = overrides.keys ?? authority(product, role)
      const signedBy = overrides.signedBy ?? authority(product, 'ark')
      return certifyAuthority({ product, role, now }, { ...overrides, keys, signedBy }).der
    },
    ...vekFactory(authority, now),
    crl: (request) => mintCrl(authority(request.product, 'ark'), request, now),
  }
}

const anchorOf = ({ product, role, commonName, serial, notBefore, notAfter, publicKey }: Authority): AmdAnchor => {
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }))
  return { product, role, commonName, serial, notBefore, notAfter, spki, origin: 'test' }
}

const requested = ({ product, hwid = newHwid(product), tcb = SIM_PRODUCTS[product].tcb }: VekRequest) => ({ product, hwid, tcb })

function vekFactory(authority: FakeAmd['authority'], now: Date): Pick<FakeAmd, 'vcek' | 'vlek' | 'knows'> {
  const keys = new Map<string, ReturnType<typeof vekKeys>>()
  const chips = new Set<string>()
  const keysAt = (address: string) => {
    const found = keys.get(address) ?? vekKeys()
    keys.set(address, found)
    return found
  }
  return {
    vcek: ({ overrides = {}, ...request }) => {
      const full = requested(request)
      const hwid = Buffer.from(full.hwid).toString('hex')
      chips.add(`${full.product}/${hwid}`)
      const used = overrides.keys ?? keysAt(vcekAddress(full.product, hwid, full.tcb))
      const issuer = authority(full.product, 'ask')
      return certifyVek({ kind: 'vcek', years: 7 }, full, { issuer, now, overrides: { ...overrides, keys: used } })
    },
    vlek: ({ overrides = {}, cspId = SIM_CSP_ID, ...request }) => {
      const issuer = authority(request.product, 'asvk')
      const full = { ...requested(request), hwid: request.hwid ?? new Uint8Array(SIM_PRODUCTS[request.product].hwidBytes) }
      return certifyVek({ kind: 'vlek', years: 1, cspId }, full, {
        issuer,
        now,
        overrides: { ...overrides, keys: overrides.keys ?? vekKeys() },
      })
    },
    knows: (product, hwid) => chips.has(`${product}/${hwid}`),
  }
}
