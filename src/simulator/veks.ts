import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import type { SnpProduct, SnpTcb } from '../verifiers/snp/claims.ts'
import { yearsAfter, type Authority } from './authorities.ts'
import { mintCertificate } from './certificates.ts'
import { derIa5String, derInteger, extension, type SimExtension } from './der.ts'
import { amdName } from './names.ts'
import { applyOverrides, type CertificateOverrides, type KeysOverride } from './overrides.ts'
import { SIM_PRODUCTS } from './products.ts'

/** AMD's extensions of a VEK by name (specification snp.md section 6.2). */
export const VEK_OID = {
  structVersion: '1.3.6.1.4.1.3704.1.1',
  productName: '1.3.6.1.4.1.3704.1.2',
  bootloader: '1.3.6.1.4.1.3704.1.3.1',
  tee: '1.3.6.1.4.1.3704.1.3.2',
  snp: '1.3.6.1.4.1.3704.1.3.3',
  spl4: '1.3.6.1.4.1.3704.1.3.4',
  spl5: '1.3.6.1.4.1.3704.1.3.5',
  spl6: '1.3.6.1.4.1.3704.1.3.6',
  spl7: '1.3.6.1.4.1.3704.1.3.7',
  microcode: '1.3.6.1.4.1.3704.1.3.8',
  fmc: '1.3.6.1.4.1.3704.1.3.9',
  hwid: '1.3.6.1.4.1.3704.1.4',
  cspId: '1.3.6.1.4.1.3704.1.5',
} as const

/** A versioned endorsement key of the fake AMD, with the private half that real chips never show. */
export type FakeVek = {
  readonly kind: 'vcek' | 'vlek'
  readonly product: SnpProduct
  /** 64 bytes, 8 on Turin; for a VLEK the chip that uses it, which its certificate does not name. */
  readonly hwid: Uint8Array
  readonly tcb: SnpTcb
  readonly cspId: string | undefined
  readonly der: Uint8Array
  readonly privateKey: KeyObject
}

/** What a VEK is minted from. */
export type VekRequest = {
  readonly product: SnpProduct
  readonly hwid?: Uint8Array
  readonly tcb?: SnpTcb
  readonly overrides?: CertificateOverrides
}

/** A VEK without any other choice of key than P-384. */
export const vekKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-384' })

/** A chip id such as a new processor would have. */
export const newHwid = (product: SnpProduct): Uint8Array => new Uint8Array(randomBytes(SIM_PRODUCTS[product].hwidBytes))

/** The parts that differ between the two kinds of VEK. */
export type VekKind = { readonly kind: 'vcek'; readonly years: 7 } | { readonly kind: 'vlek'; readonly years: 1; readonly cspId: string }

/** Certifies a VEK for `tcb`, as `issuer` (ASK for a VCEK, ASVK for a VLEK) would, unless the overrides say otherwise. */
export function certifyVek(kind: VekKind, request: FullRequest, { issuer, now, overrides }: VekMaking): FakeVek {
  const { publicKey, privateKey } = overrides.keys
  const spec = applyOverrides(
    {
      // Every VEK of AMD has serial number 0 (specification snp.md section 0, G12).
      serial: 0n,
      subject: amdName(`SEV-${kind.kind.toUpperCase()}`),
      issuer: amdName(issuer.commonName),
      notBefore: new Date(now.getTime() - 86_400_000),
      notAfter: yearsAfter(now, kind.years),
      publicKey,
      extensions: vekExtensions(kind, request),
      scheme: 'pss-sha384',
      signingKey: issuer.privateKey,
    },
    overrides,
  )
  const cspId = kind.kind === 'vlek' ? kind.cspId : undefined
  return { ...request, kind: kind.kind, cspId, der: mintCertificate(spec), privateKey }
}

type FullRequest = Required<Pick<VekRequest, 'product' | 'hwid' | 'tcb'>>
type VekMaking = { readonly issuer: Authority; readonly now: Date; readonly overrides: CertificateOverrides & KeysOverride }

function vekExtensions(kind: VekKind, { product, hwid, tcb }: FullRequest): readonly SimExtension[] {
  const { structVersion, productName } = SIM_PRODUCTS[product]
  const spl = (name: keyof typeof VEK_OID, value: number) => extension(VEK_OID[name], derInteger(value))
  return [
    spl('structVersion', structVersion),
    // A VLEK's product name has no stepping.
    extension(VEK_OID.productName, derIa5String(kind.kind === 'vlek' ? product : productName)),
    ...(tcb.fmc === undefined ? [] : [spl('fmc', tcb.fmc)]),
    spl('bootloader', tcb.bootloader),
    spl('tee', tcb.tee),
    // Turin has no spl4.
    ...(product === 'Turin' ? [] : [spl('spl4', 0)]),
    spl('spl5', 0),
    spl('spl6', 0),
    spl('spl7', 0),
    spl('snp', tcb.snp),
    spl('microcode', tcb.microcode),
    // hwID is raw bytes, without an inner OCTET STRING.
    kind.kind === 'vcek' ? extension(VEK_OID.hwid, hwid) : extension(VEK_OID.cspId, derIa5String(kind.cspId)),
  ]
}
