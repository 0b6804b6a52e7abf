import type { CollateralAddress } from '../verifier.ts'
import type { SnpProduct, SnpTcb } from './claims.ts'

/** The two endpoints of AMD's key distribution service, each with revocation lists of its own (specification snp.md section 6.1). */
export type AmdEndpoint = 'vcek' | 'vlek'

/** What an `amd/…` address names. */
export type AmdDocument =
  | { readonly kind: 'vcek'; readonly product: SnpProduct; readonly hwid: string; readonly tcb: SnpTcb }
  | { readonly kind: 'crl'; readonly product: SnpProduct; readonly endpoint: AmdEndpoint }

/** Products in the order in which AMD published their roots. */
export const SNP_PRODUCTS = ['Milan', 'Genoa', 'Turin'] as const satisfies readonly SnpProduct[]

/** The address of a VCEK: `amd/vcek/Milan/<hwid hex>/<bl>-<tee>-<snp>-<ucode>`, on Turin with `<fmc>-` in front. */
export function vcekAddress(product: SnpProduct, hwid: string, tcb: SnpTcb): CollateralAddress {
  const parts = [tcb.bootloader, tcb.tee, tcb.snp, tcb.microcode]
  return `amd/vcek/${product}/${hwid}/${(tcb.fmc === undefined ? parts : [tcb.fmc, ...parts]).join('-')}`
}

/** The address of a revocation list: `amd/crl/Milan/vcek`. */
export const crlAddress = (product: SnpProduct, endpoint: AmdEndpoint): CollateralAddress => `amd/crl/${product}/${endpoint}`

/** One part of a TCB, 0 to 255, in its only spelling: one document has one address. */
const PART = '(0|[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-5])'
const LEGACY_VCEK = new RegExp(`^amd/vcek/(Milan|Genoa)/([0-9a-f]{128})/${PART}-${PART}-${PART}-${PART}$`)
/** Turin has eight bytes of chip id, and FMC in front of the parts (specification snp.md section 6.1). */
const TURIN_VCEK = new RegExp(`^amd/vcek/(Turin)/([0-9a-f]{16})/${PART}-${PART}-${PART}-${PART}-${PART}$`)
const CRL = /^amd\/crl\/(Milan|Genoa|Turin)\/(vcek|vlek)$/

/** Reads an `amd/…` address; undefined for any other text. */
export function parseAmdAddress(address: string): AmdDocument | undefined {
  const crl = CRL.exec(address)
  const match = crl ?? LEGACY_VCEK.exec(address) ?? TURIN_VCEK.exec(address)
  const product = SNP_PRODUCTS.find((p) => p === match?.[1])
  if (match === null || product === undefined) return undefined
  if (crl !== null) return { kind: 'crl', product, endpoint: crl[2] === 'vcek' ? 'vcek' : 'vlek' }
  const [, , hwid = '', ...parts] = match
  return { kind: 'vcek', product, hwid, tcb: readParts(product, parts.map(Number)) }
}

function readParts(product: SnpProduct, parts: readonly number[]): SnpTcb {
  const [bootloader = 0, tee = 0, snp = 0, microcode = 0] = product === 'Turin' ? parts.slice(1) : parts
  const fmc = product === 'Turin' ? parts[0] : undefined
  return { bootloader, tee, snp, microcode, ...(fmc === undefined ? {} : { fmc }) }
}
