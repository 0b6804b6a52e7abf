import { createHash } from 'node:crypto'
import { readable } from '../der-attempt.ts'
import { hexOf } from '../der-values.ts'
import { AttestationError } from '../problems.ts'
import type { CollateralAddress } from '../verifier.ts'
import { commonNameOf } from '../x509-name.ts'
import { parseCertificate, type ParsedCertificate } from '../x509.ts'
import { SNP_PRODUCTS, vcekAddress } from './address.ts'
import type { SnpProduct, SnpTcb } from './claims.ts'
import { readVekExtensions, type VekExtensions } from './extensions.ts'
import { hwidBytes } from './products.ts'
import { authorityName, kindOf } from './vek-names.ts'

/** What a VEK certificate says (specification snp.md section 6.2): parsed, not believed. */
export type Vek = {
  /** By the subject's common name. */
  readonly kind: 'vcek' | 'vlek'
  /** By the issuer's common name; SNP-34 compares it with productName and with the report. */
  readonly product: SnpProduct
  /** Extension productName as written: `Milan-B0`, `Genoa`. */
  readonly productName: string
  readonly structVersion: number
  readonly tcb: SnpTcb
  /** Extension hwID: 64 bytes, 8 on Turin; absent in a VLEK. */
  readonly hwid?: Uint8Array
  /** Extension cspID; absent in a VCEK. */
  readonly cspId?: string
  readonly notBefore: Date
  readonly notAfter: Date
  /** SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
  readonly spkiSha256: string
}

/** The product whose authority a certificate names as its issuer; undefined for any other issuer. */
function issuerProduct({ issuer }: ParsedCertificate): SnpProduct | undefined {
  const name = commonNameOf(issuer)
  return SNP_PRODUCTS.find((product) => name === authorityName('ask', product) || name === authorityName('asvk', product))
}

/** The TCB that a VEK was derived for; a part that is missing is refused by SNP-40 and reads as undefined here. */
function vekTcb(product: SnpProduct, { spl }: VekExtensions): SnpTcb | undefined {
  const [bootloader, tee, snp, microcode, fmc] = [1, 2, 3, 8, 9].map((number) => spl.get(number))
  if (bootloader === undefined || tee === undefined || snp === undefined || microcode === undefined) return undefined
  if (product !== 'Turin') return { bootloader, tee, snp, microcode }
  return fmc === undefined ? undefined : { bootloader, tee, snp, microcode, fmc }
}

/** Puts together what a certificate and its extensions say. undefined where a name or a TCB part is missing. */
export function vekFrom(certificate: ParsedCertificate, extensions: VekExtensions): Vek | undefined {
  const kind = kindOf(commonNameOf(certificate.subject))
  const product = issuerProduct(certificate)
  const tcb = product === undefined ? undefined : vekTcb(product, extensions)
  if (kind === undefined || product === undefined || tcb === undefined) return undefined
  const { structVersion, productName, hwid, cspId } = extensions
  return {
    kind,
    product,
    productName,
    structVersion,
    tcb,
    ...(hwid === undefined ? {} : { hwid }),
    ...(cspId === undefined ? {} : { cspId }),
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    spkiSha256: createHash('sha256').update(certificate.spki).digest('hex'),
  }
}

/**
 * Reads a VEK certificate without believing it. Throws AttestationError snp-certificate-malformed, snp-vek-extension-invalid,
 * or snp-vek-subject where it names neither kind of key or no product.
 */
export function parseVek(der: Uint8Array): Vek {
  const certificate = parseCertificate(der)
  const vek = vekFrom(certificate, readVekExtensions(certificate.extensions))
  if (vek === undefined)
    throw new AttestationError('snp-vek-subject', 'the certificate is not an endorsement key of a known product', { at: 'vek' })
  return vek
}

/** What could be read of a certificate as a VEK; undefined where nothing could. */
export function tryVek(der: Uint8Array): Vek | undefined {
  return readable(() => parseVek(der))
}

/** The product that a certificate's issuer names, unverified: a hint for which collateral a version 2 report needs. */
export const productHint = (der: Uint8Array): SnpProduct | undefined => readable(() => issuerProduct(parseCertificate(der)))

/** The address under which the vendor serves this certificate, unverified; undefined for anything but a VCEK of proper form. */
export function vcekAddressOfCertificate(der: Uint8Array): CollateralAddress | undefined {
  const vek = tryVek(der)
  if (vek?.kind !== 'vcek' || vek.hwid?.length !== hwidBytes(vek.product)) return undefined
  return vcekAddress(vek.product, hexOf(vek.hwid), vek.tcb)
}
