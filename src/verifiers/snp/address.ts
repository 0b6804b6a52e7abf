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

const VCEK = /^amd\/vcek\/(Milan|Genoa|Turin)\/([0-9a-f]{128}|[0-9a-f]{16})\/(?:(\d{1,3})-)?(\d{1,3})-(\d{1,3})-(\d{1,3})-(\d{1,3})$/
const CRL = /^amd\/crl\/(Milan|Genoa|Turin)\/(vcek|vlek)$/

/** Reads an `amd/…` address; undefined for any other text. */
export function parseAmdAddress(address: string): AmdDocument | undefined {
  const crl = CRL.exec(address)
  const product = SNP_PRODUCTS.find((p) => p === (crl ?? VCEK.exec(address))?.[1])
  if (product === undefined) return undefined
  if (crl !== null) return { kind: 'crl', product, endpoint: crl[2] === 'vcek' ? 'vcek' : 'vlek' }
  return parseVcek(product, VCEK.exec(address))
}

function parseVcek(product: SnpProduct, match: RegExpExecArray | null): AmdDocument | undefined {
  const [, , hwid, fmc, ...parts] = match ?? []
  if (hwid === undefined || (product === 'Turin') !== (fmc !== undefined) || (product === 'Turin') !== (hwid.length === 16))
    return undefined
  const [bootloader, tee, snp, microcode] = parts.map(Number)
  if (bootloader === undefined || tee === undefined || snp === undefined || microcode === undefined) return undefined
  const tcb = { bootloader, tee, snp, microcode, ...(fmc === undefined ? {} : { fmc: Number(fmc) }) }
  return { kind: 'vcek', product, hwid, tcb }
}
