import { generateKeyPairSync, hash, randomBytes, type KeyObject } from 'node:crypto'
import { GeneralName, KeyUsageFlags, SubjectAlternativeName } from '@peculiar/asn1-x509'
import { NO_TPM_ANCHORS, type TpmAnchor, type TpmAnchors } from '../verifiers/tpm/anchors.ts'
import { yearsAfter } from './authorities.ts'
import { mintCertificate } from './certificates.ts'
import {
  authorityKeyIdentifier,
  basicConstraints,
  derOid,
  derSequence,
  extension,
  keyUsage,
  serialize,
  subjectKeyIdentifier,
  type SimExtension,
} from './der.ts'
import { nameOf, type SimName } from './names.ts'
import { applyOverrides, type CertificateOverrides } from './overrides.ts'

/** The manufacturer's two authorities, and the two of a cloud that certifies attestation keys itself. */
export type TpmAuthorityRole = 'manufacturer-root' | 'manufacturer' | 'cloud-root' | 'cloud'

/** An authority of the simulator. Its key exists in this process's memory only. */
export type TpmAuthority = {
  readonly commonName: string
  readonly der: Uint8Array
  /** SHA-256 of the certificate, lower-case hex. */
  readonly sha256: string
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

/** What may be different about a certificate of a key of a TPM. */
export type TpmCertificateOptions = {
  readonly overrides?: CertificateOverrides
  /** Beside those that such a certificate has, such as the identity of an instance. */
  readonly more?: readonly SimExtension[]
}

/** A manufacturer of TPMs and a cloud, neither of which exists. */
export type FakeTpms = {
  readonly authority: (role: TpmAuthorityRole) => TpmAuthority
  /** The manufacturer's certificate of an endorsement key (specification tpm.md section 8). */
  readonly ekCertificate: (key: KeyObject, options?: TpmCertificateOptions) => Uint8Array
  /** The cloud's certificate of an attestation key (section 6). */
  readonly akCertificate: (key: KeyObject, options?: TpmCertificateOptions) => Uint8Array
  /** What a verifier trusts that believes them; `cloud`: whose the cloud's authority is called. */
  readonly anchors: (cloud?: string) => TpmAnchors
}

/** The vendor id of the simulator's manufacturer, `SIM` and a NUL, as the TCG registry has no other. */
export const SIM_MANUFACTURER = '53494d00'
/** What the simulator's cloud is called where nothing else is said. */
export const SIM_CLOUD = 'simulated-cloud'

/** The TCG's: a certificate is of an endorsement key, or of an attestation key. */
const PURPOSE = { ek: '2.23.133.8.1', ak: '2.23.133.8.3' } as const

const COMMON_NAME: Readonly<Record<TpmAuthorityRole, string>> = {
  'manufacturer-root': 'Simulated TPM Manufacturer Root',
  manufacturer: 'Simulated TPM Manufacturer CA 1',
  'cloud-root': 'Simulated Cloud vTPM Root',
  cloud: 'Simulated Cloud vTPM CA 1',
}

const named = (commonName: string): SimName => [
  { oid: '2.5.4.10', value: 'Assay simulator', as: 'utf8String' },
  { oid: '2.5.4.3', value: commonName, as: 'utf8String' },
]

const keyId = (key: KeyObject): Uint8Array => hash('sha1', key.export({ type: 'spki', format: 'der' }), 'buffer')
const serial = (): bigint => BigInt(`0x7f${randomBytes(15).toString('hex')}`)
const purposes = (oid: string): SimExtension => extension('2.5.29.37', derSequence([derOid(oid)]))

/** What the TPM is called (section 8.2): the subject is empty, so the extension is critical. */
const tpmName: SimExtension = {
  oid: '2.5.29.17',
  critical: true,
  value: serialize(
    new SubjectAlternativeName([
      new GeneralName({
        directoryName: nameOf([
          { oid: '2.23.133.2.1', value: `id:${SIM_MANUFACTURER.toUpperCase()}`, as: 'utf8String' },
          { oid: '2.23.133.2.2', value: 'Simulated TPM', as: 'utf8String' },
          { oid: '2.23.133.2.3', value: 'id:00010000', as: 'utf8String' },
        ]),
      }),
    ]),
  ),
}

/** A new manufacturer and a new cloud, with keys of their own. */
export function fakeTpms(now: Date = new Date()): FakeTpms {
  const manufacturerRoot = authority('manufacturer-root', now)
  const cloudRoot = authority('cloud-root', now)
  const authorities: Readonly<Record<TpmAuthorityRole, TpmAuthority>> = {
    'manufacturer-root': manufacturerRoot,
    manufacturer: authority('manufacturer', now, manufacturerRoot),
    'cloud-root': cloudRoot,
    cloud: authority('cloud', now, cloudRoot),
  }
  const leaf = (kind: Leaf, key: KeyObject, options: TpmCertificateOptions = {}) =>
    mintLeaf({ ...kind, issuer: authorities[kind.signedBy], key, now }, options)
  return {
    authority: (role) => authorities[role],
    ekCertificate: (key, options) => leaf(EK(key), key, options),
    akCertificate: (key, options) => leaf(AK, key, options),
    anchors: (cloud = SIM_CLOUD) => ({
      ...NO_TPM_ANCHORS,
      roots: [
        anchor(manufacturerRoot, { roles: ['ek'], authority: 'simulated-tpms', manufacturers: [SIM_MANUFACTURER] }),
        anchor(cloudRoot, { roles: ['ak'], authority: cloud, manufacturers: [] }),
      ],
      pool: Object.values(authorities).map(({ der }) => der),
    }),
  }
}

const anchor = ({ sha256 }: TpmAuthority, what: Omit<TpmAnchor, 'sha256' | 'origin'>): TpmAnchor => ({ ...what, sha256, origin: 'test' })

function authority(role: TpmAuthorityRole, now: Date, issuer?: TpmAuthority): TpmAuthority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const commonName = COMMON_NAME[role]
  const spec = applyOverrides(
    {
      serial: serial(),
      subject: named(commonName),
      issuer: named(issuer?.commonName ?? commonName),
      notBefore: yearsAfter(now, -2),
      notAfter: yearsAfter(now, 23),
      publicKey: keys.publicKey,
      extensions: [
        basicConstraints('ca', issuer === undefined ? undefined : 0),
        keyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign),
        subjectKeyIdentifier(keyId(keys.publicKey)),
      ],
      scheme: 'ecdsa-sha256',
      signingKey: issuer?.privateKey ?? keys.privateKey,
    },
    {},
  )
  const der = mintCertificate(spec)
  return { commonName, der, sha256: hash('sha256', der), ...keys }
}

/** What certificates of one kind of key have. */
type Leaf = { readonly signedBy: TpmAuthorityRole; readonly subject: SimName; readonly extensions: readonly SimExtension[] }

const EK = ({ asymmetricKeyType }: KeyObject): Leaf => ({
  signedBy: 'manufacturer',
  subject: [],
  extensions: [
    keyUsage(asymmetricKeyType === 'rsa' ? KeyUsageFlags.keyEncipherment : KeyUsageFlags.keyAgreement),
    purposes(PURPOSE.ek),
    tpmName,
  ],
})

const AK: Leaf = {
  signedBy: 'cloud',
  subject: named('vtpm.simulated.example'),
  extensions: [keyUsage(KeyUsageFlags.digitalSignature), purposes(PURPOSE.ak)],
}

type LeafSpec = Omit<Leaf, 'signedBy'> & { readonly issuer: TpmAuthority; readonly key: KeyObject; readonly now: Date }

function mintLeaf({ issuer, key, now, subject, extensions }: LeafSpec, { overrides = {}, more = [] }: TpmCertificateOptions): Uint8Array {
  const identifiers = [authorityKeyIdentifier(keyId(issuer.publicKey)), subjectKeyIdentifier(keyId(key))]
  const standard = {
    serial: serial(),
    subject,
    issuer: named(issuer.commonName),
    notBefore: yearsAfter(now, -1),
    notAfter: yearsAfter(now, 9),
    publicKey: key,
    extensions: [basicConstraints('end-entity'), ...extensions, ...identifiers, ...more],
    scheme: 'ecdsa-sha256',
    signingKey: issuer.privateKey,
  } as const
  return mintCertificate(applyOverrides(standard, overrides, named))
}
