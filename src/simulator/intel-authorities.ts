import { createHash, createPublicKey, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { KeyUsageFlags } from '@peculiar/asn1-x509'
import { yearsAfter } from './authorities.ts'
import { mintCertificate } from './certificates.ts'
import { authorityKeyIdentifier, basicConstraints, distributionPoint, keyUsage, subjectKeyIdentifier, type SimExtension } from './der.ts'
import { intelName } from './names.ts'
import { applyOverrides, type CertificateOverrides, type KeysOverride } from './overrides.ts'

/** Intel's signing authorities (specification tdx.md sections 3.1 and 3.2). */
export type IntelRole = 'root' | 'platform' | 'processor' | 'tcb-signing'

/** A signing authority of the fake Intel. Its key exists in this process's memory only. */
export type IntelAuthority = {
  readonly role: IntelRole
  readonly commonName: string
  readonly serial: bigint
  readonly notBefore: Date
  readonly notAfter: Date
  readonly der: Uint8Array
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

/** A new P-256 key, the only kind that Intel's certificates hold. */
export const p256Keys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** A number for the key of a private key: SHA-1 of its public half (RFC 5280 section 4.2.1.2 leaves the choice). */
export const keyIdentifierOf = (key: KeyObject): Uint8Array =>
  new Uint8Array(
    createHash('sha1')
      .update(createPublicKey(key).export({ type: 'spki', format: 'der' }))
      .digest(),
  )

/** A serial number such as Intel's: 20 bytes at random. */
export const newSerial = (): bigint => BigInt(`0x01${randomBytes(19).toString('hex')}`)

const SIGNS = keyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign)
const CA = [SIGNS, basicConstraints('ca', 0)] as const
/** Of certificates that sign documents and quotes, not certificates. */
export const END_ENTITY = [keyUsage(KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation), basicConstraints('end-entity')] as const

const ROLES: Record<
  IntelRole,
  { readonly commonName: string; readonly years: readonly [number, number]; readonly rules: readonly SimExtension[] }
> = {
  root: { commonName: 'Intel SGX Root CA', years: [-2, 22], rules: [SIGNS, basicConstraints('ca', 1)] },
  platform: { commonName: 'Intel SGX PCK Platform CA', years: [-2, 13], rules: CA },
  processor: { commonName: 'Intel SGX PCK Processor CA', years: [-2, 13], rules: CA },
  'tcb-signing': { commonName: 'Intel SGX TCB Signing', years: [-1, 6], rules: END_ENTITY },
}

/** The address in all certificates that the root signs. */
const ROOT_CRL_URL = 'https://certificates.trustedservices.intel.com/IntelSGXRootCA.der'

/** The extensions that every certificate of Intel's has, in its order (specification tdx.md section 3.4). */
export const standardExtensions = (
  keys: { readonly issuer: KeyObject; readonly subject: KeyObject },
  crlUrl: string,
): readonly SimExtension[] => [
  authorityKeyIdentifier(keyIdentifierOf(keys.issuer)),
  distributionPoint(crlUrl),
  subjectKeyIdentifier(keyIdentifierOf(keys.subject)),
]

/** A certificate for an authority's key; the overrides must hold `keys`, and `signedBy` unless it signs itself. */
export function certifyIntel(
  { role, now }: { role: IntelRole; now: Date },
  overrides: CertificateOverrides & KeysOverride,
): IntelAuthority {
  const { commonName, years, rules } = ROLES[role]
  const { publicKey, privateKey } = overrides.keys
  const issuer = overrides.signedBy?.privateKey ?? privateKey
  const spec = applyOverrides(
    {
      serial: newSerial(),
      subject: intelName(commonName),
      issuer: intelName(commonName),
      notBefore: yearsAfter(now, years[0]),
      notAfter: yearsAfter(now, years[1]),
      publicKey,
      extensions: [...standardExtensions({ issuer, subject: privateKey }, ROOT_CRL_URL), ...rules],
      scheme: 'ecdsa-sha256',
      signingKey: privateKey,
    },
    overrides,
    intelName,
  )
  const { serial, notBefore, notAfter } = spec
  return {
    role,
    commonName: overrides.commonName ?? commonName,
    serial,
    notBefore,
    notAfter,
    der: mintCertificate(spec),
    publicKey,
    privateKey,
  }
}

/** Mints root, PCK CAs and the TCB signer. */
export function mintIntel(now: Date): Record<IntelRole, IntelAuthority> {
  const root = certifyIntel({ role: 'root', now }, { keys: p256Keys() })
  const under = (role: IntelRole) => certifyIntel({ role, now }, { keys: p256Keys(), signedBy: root })
  return { root, platform: under('platform'), processor: under('processor'), 'tcb-signing': under('tcb-signing') }
}
