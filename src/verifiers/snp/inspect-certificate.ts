import { certificateView, readable, readCertificate, type PlainCertificateView, type Unreadable } from '../inspect-certificate.ts'
import { hex } from './claims-of.ts'
import type { SnpTcb } from './claims.ts'
import { parseVek } from './vek.ts'

/** What AMD's extensions say, or why they cannot be read (specification snp.md section 6.2). */
type VekView =
  | {
      readonly kind: 'vcek' | 'vlek'
      readonly product_name: string
      readonly struct_version: number
      readonly tcb: SnpTcb
      readonly hwid: string | null
      readonly csp_id: string | null
    }
  | Unreadable

/** Every field of one certificate, unverified. */
export type CertificateView = PlainCertificateView & { readonly vek: VekView }

/** Names of the extensions that AMD's certificates carry (section 6.2). */
const NAMES: Readonly<Record<string, string>> = {
  '1.3.6.1.4.1.3704.1.1': 'structVersion',
  '1.3.6.1.4.1.3704.1.2': 'productName',
  '1.3.6.1.4.1.3704.1.3.1': 'blSPL',
  '1.3.6.1.4.1.3704.1.3.2': 'teeSPL',
  '1.3.6.1.4.1.3704.1.3.3': 'snpSPL',
  '1.3.6.1.4.1.3704.1.3.4': 'spl4',
  '1.3.6.1.4.1.3704.1.3.5': 'spl5',
  '1.3.6.1.4.1.3704.1.3.6': 'spl6',
  '1.3.6.1.4.1.3704.1.3.7': 'spl7',
  '1.3.6.1.4.1.3704.1.3.8': 'ucodeSPL',
  '1.3.6.1.4.1.3704.1.3.9': 'fmcSPL',
  '1.3.6.1.4.1.3704.1.4': 'hwID',
  '1.3.6.1.4.1.3704.1.5': 'cspID',
}

function vekOf(der: Uint8Array): VekView {
  return readable(() => {
    const vek = parseVek(der)
    return {
      kind: vek.kind,
      product_name: vek.productName,
      struct_version: vek.structVersion,
      tcb: vek.tcb,
      hwid: vek.hwid === undefined ? null : hex(vek.hwid),
      csp_id: vek.cspId ?? null,
    }
  })
}

/** Every field of one certificate (DER or one PEM block), believing none. Throws AttestationError snp-certificate-malformed. */
export function inspectCertificate(bytes: Uint8Array, at: string): CertificateView {
  const cert = readCertificate(bytes, { what: at, code: 'snp-certificate-malformed' })
  return { ...certificateView(at, cert, NAMES), vek: vekOf(cert.der) }
}
