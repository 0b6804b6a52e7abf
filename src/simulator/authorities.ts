import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { KeyUsageFlags } from '@peculiar/asn1-x509'
import type { SnpProduct } from '../verifiers/snp/claims.ts'
import type { AmdAnchor } from '../verifiers/verifier.ts'
import { mintCertificate } from './certificates.ts'
import { basicConstraints, distributionPoint, keyUsage, type SimExtension } from './der.ts'
import { amdName } from './names.ts'
import { applyOverrides, type CertificateOverrides, type KeysOverride } from './overrides.ts'
import { SIM_PRODUCTS } from './products.ts'

/** AMD's three kinds of signing authority (specification snp.md section 6.3). */
export type AuthorityRole = AmdAnchor['role']

/** A signing authority of the fake AMD. Its key exists in this process's memory only. */
export type Authority = Omit<AmdAnchor, 'origin' | 'spki'> & {
  readonly der: Uint8Array
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

const YEAR = 365.25 * 86_400_000
/** `date` and so many years, to the second: certificates know no milliseconds. */
export const yearsAfter = (date: Date, years: number): Date => new Date(Math.floor((date.getTime() + years * YEAR) / 1000) * 1000)

const COMMON_NAME: Record<AuthorityRole, (product: SnpProduct) => string> = {
  ark: (product) => `ARK-${product}`,
  ask: (product) => `SEV-${product}`,
  asvk: (product) => `SEV-VLEK-${product}`,
}
const SERIAL_OFFSET = { ark: 0n, ask: 1n, asvk: 0x101n } as const satisfies Record<AuthorityRole, bigint>

const crlUrl = (product: SnpProduct, endpoint: 'vcek' | 'vlek') => `https://kdsintf.amd.com/${endpoint}/v1/${product}/crl`
const EXTENSIONS: Record<AuthorityRole, (product: SnpProduct) => readonly SimExtension[]> = {
  ark: (product) => [
    basicConstraints('ca'),
    keyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign),
    distributionPoint(crlUrl(product, 'vcek')),
  ],
  ask: (product) => [basicConstraints('ca', 0), keyUsage(KeyUsageFlags.keyCertSign), distributionPoint(crlUrl(product, 'vcek'))],
  asvk: (product) => [basicConstraints('ca', 0), keyUsage(KeyUsageFlags.keyCertSign), distributionPoint(crlUrl(product, 'vlek'))],
}

const generateRsa = promisify(generateKeyPair)

/** Mints ARK, ASK and ASVK of one product. */
export async function mintAuthorities(
  product: SnpProduct,
  { now, rsaBits }: { now: Date; rsaBits: number },
): Promise<Record<AuthorityRole, Authority>> {
  const pair = () => generateRsa('rsa', { modulusLength: rsaBits, publicExponent: 0x10001 })
  const [arkKeys, askKeys, asvkKeys] = await Promise.all([pair(), pair(), pair()])
  const ark = certifyAuthority({ product, role: 'ark', now }, { keys: arkKeys })
  return {
    ark,
    ask: certifyAuthority({ product, role: 'ask', now }, { keys: askKeys, signedBy: ark }),
    asvk: certifyAuthority({ product, role: 'asvk', now }, { keys: asvkKeys, signedBy: ark }),
  }
}

/** A certificate for an authority's key; the overrides must hold `keys`, and `signedBy` unless it signs itself. */
export function certifyAuthority(
  { product, role, now }: { product: SnpProduct; role: AuthorityRole; now: Date },
  overrides: CertificateOverrides & KeysOverride,
): Authority {
  const commonName = COMMON_NAME[role](product)
  const spec = applyOverrides(
    {
      serial: SIM_PRODUCTS[product].serialBase + SERIAL_OFFSET[role],
      subject: amdName(commonName),
      issuer: amdName(commonName),
      notBefore: yearsAfter(now, -2),
      notAfter: yearsAfter(now, 23),
      publicKey: overrides.keys.publicKey,
      extensions: EXTENSIONS[role](product),
      scheme: 'pss-sha384',
      signingKey: overrides.keys.privateKey,
    },
    overrides,
  )
  const { serial, notBefore, notAfter } = spec
  const { publicKey, privateKey } = overrides.keys
  return { product, role, commonName, serial, notBefore, notAfter, der: mintCertificate(spec), publicKey, privateKey }
}
