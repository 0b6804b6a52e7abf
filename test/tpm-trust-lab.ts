import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { derOctets, derSequence, derUtf8String, type DerExtension } from '../src/asn1/values.ts'
import { mintCertificate, mintRevocationList, type RevocationListSpec } from '../src/simulator/certificates.ts'
import {
  authorityKeyIdentifier,
  basicConstraints,
  crlNumber,
  derInteger,
  derOid,
  extension,
  keyUsage,
  subjectKeyIdentifier,
} from '../src/simulator/der.ts'
import type { SimName } from '../src/simulator/names.ts'
import type { SignatureScheme } from '../src/simulator/signatures.ts'
import { anchorsOf } from '../src/verifiers/anchors.ts'
import { NO_TPM_ANCHORS, type TpmAnchor, type TpmAnchors } from '../src/verifiers/tpm/anchors.ts'
import type { TpmRigour } from '../src/verifiers/tpm/context.ts'
import { genuineTpm } from '../src/verifiers/tpm/context.ts'
import { OWN_EXTENSION, type OwnStatement } from '../src/verifiers/tpm/trust/own-certificate.ts'
import { genuineOnly, type Anchors, type Collateral, type Context, type Mode } from '../src/verifiers/verifier.ts'
import { freshMemo } from './snp-in-process.ts'

/** When all of it happens. */
export const NOW = new Date('2026-11-01T12:00:00Z')
const YEAR = 365 * 86_400_000
/** NOW and some years. */
export const years = (count: number): Date => new Date(NOW.getTime() + count * YEAR)

/** DER [tag] with contents shorter than 64 KiB. */
export function tlv(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(contents)
  const length =
    content.length < 0x80
      ? [content.length]
      : content.length < 0x100
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 0xff]
  return new Uint8Array(Buffer.concat([Uint8Array.of(tag, ...length), content]))
}

/** A name of one common name. */
export const named = (commonName: string): SimName => [{ oid: '2.5.4.3', value: commonName, as: 'utf8String' }]

/** KeyUsage flags as the codec counts them, from the first bit. */
export const USE = { digitalSignature: 1, keyEncipherment: 4, keyAgreement: 16, keyCertSign: 32, crlSign: 64 } as const

/** extKeyUsage. */
export const purposes = (...oids: readonly string[]): DerExtension => extension('2.5.29.37', derSequence(oids.map(derOid)))

/** subjectAltName of directory names, each a list of attributes in relative names of their own, or all in one. */
export const directoryNames = (
  names: readonly (readonly (readonly [string, string])[])[],
  form: 'several' | 'one' = 'several',
): Uint8Array =>
  derSequence(
    names.map((attributes) => {
      const parts = attributes.map(([oid, value]) => derSequence([derOid(oid), derUtf8String(value)]))
      return tlv(0xa4, derSequence(form === 'one' ? [tlv(0x31, ...parts)] : parts.map((part) => tlv(0x31, part))))
    }),
  )

/** A TPM's attributes. */
export const tpmAttributes = (manufacturer = 'id:53544D20'): readonly (readonly [string, string])[] => [
  ['2.23.133.2.1', manufacturer],
  ['2.23.133.2.2', 'ST33'],
  ['2.23.133.2.3', 'id:00010101'],
]

/** subjectDirectoryAttributes with the specification of a TPM, level 0 and revision 142, behind an attribute that says nothing. */
export const specification = (family: string): DerExtension =>
  extension(
    '2.5.29.9',
    derSequence([
      derSequence([derOid('2.23.133.2.18'), tlv(0x31, derSequence([]))]),
      derSequence([derOid('2.23.133.2.16'), tlv(0x31, derSequence([derUtf8String(family), derInteger(0), derInteger(142)]))]),
    ]),
  )

/** Somebody who signs: a name, a key, a certificate. */
export type Authority = {
  readonly name: SimName
  readonly keys: Keys
  readonly der: Uint8Array
  readonly sha256: string
  readonly spkiSha256: string
}
export type Keys = { readonly publicKey: KeyObject; readonly privateKey: KeyObject }

/** What may be different about a certificate. */
export type Variation = {
  readonly keys?: Keys
  readonly serial?: bigint
  readonly notBefore?: Date
  readonly notAfter?: Date
  readonly scheme?: SignatureScheme
  readonly innerScheme?: SignatureScheme
  readonly extensions?: (standard: readonly DerExtension[]) => readonly DerExtension[]
  readonly subject?: SimName
  readonly publicKey?: KeyObject
}

export const ecKeys = (namedCurve: 'P-256' | 'P-384' | 'P-521' | 'secp256k1' = 'P-256'): Keys => generateKeyPairSync('ec', { namedCurve })

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
export const spkiOf = (key: KeyObject): Uint8Array => new Uint8Array(key.export({ type: 'spki', format: 'der' }))
const keyId = (key: KeyObject): Uint8Array => createHash('sha1').update(spkiOf(key)).digest()

const AUTHORITY: readonly DerExtension[] = [basicConstraints('ca'), keyUsage(USE.keyCertSign | USE.crlSign)]

/** An authority below another one, or a root. */
export function authority(commonName: string, issuer?: Pick<Authority, 'name' | 'keys'>, variation: Variation = {}): Authority {
  const keys = variation.keys ?? ecKeys()
  const name = variation.subject ?? named(commonName)
  const der = mint({ publicKey: keys.publicKey, subject: name, extensions: AUTHORITY }, issuer ?? { name, keys }, variation)
  return { name, keys, der, sha256: digest(der), spkiSha256: digest(spkiOf(keys.publicKey)) }
}

/** A certificate of an attestation key. */
export const akCertificate = (publicKey: KeyObject, issuer: Pick<Authority, 'name' | 'keys'>, variation: Variation = {}): Uint8Array =>
  mint(
    {
      publicKey,
      subject: named('ak'),
      extensions: [basicConstraints('end-entity'), keyUsage(USE.digitalSignature), purposes('2.23.133.8.3')],
    },
    issuer,
    variation,
  )

/** A certificate of an endorsement key on an elliptic curve, subject empty. */
export const ekCertificate = (publicKey: KeyObject, issuer: Authority, variation: Variation = {}): Uint8Array =>
  mint(
    {
      publicKey,
      subject: [],
      extensions: [
        basicConstraints('end-entity'),
        keyUsage(publicKey.asymmetricKeyType === 'rsa' ? USE.keyEncipherment : USE.keyAgreement),
        purposes('2.23.133.8.1'),
        { oid: '2.5.29.17', critical: true, value: directoryNames([tpmAttributes()]) },
        authorityKeyIdentifier(keyId(issuer.keys.publicKey)),
      ],
    },
    issuer,
    variation,
  )

type Standard = { readonly publicKey: KeyObject; readonly subject: SimName; readonly extensions: readonly DerExtension[] }

function mint(standard: Standard, issuer: Pick<Authority, 'name' | 'keys'>, v: Variation): Uint8Array {
  const { publicKey, subject } = standard
  const extensions = [...standard.extensions, subjectKeyIdentifier(keyId(publicKey))]
  const usual = { serial: 0x1001n, notBefore: years(-1), notAfter: years(5), scheme: 'ecdsa-sha256', publicKey, subject } as const
  return mintCertificate({
    ...usual,
    ...v,
    issuer: issuer.name,
    signingKey: issuer.keys.privateKey,
    extensions: v.extensions === undefined ? extensions : v.extensions(extensions),
  })
}

/** Everything but one extension. */
export const without = (oid: string) => (all: readonly DerExtension[]) => all.filter((one) => one.oid !== oid)
/** One extension in place of the one of its kind. */
export const swapped = (one: DerExtension) => (all: readonly DerExtension[]) => [...without(one.oid)(all), one]

/** A revocation list of an authority. */
export const listOf = (issuer: Pick<Authority, 'name' | 'keys'>, spec: Partial<RevocationListSpec> = {}): Uint8Array =>
  mintRevocationList({
    issuer: issuer.name,
    thisUpdate: new Date(NOW.getTime() - 3_600_000),
    nextUpdate: new Date(NOW.getTime() + 86_400_000),
    revoked: [],
    extensions: [crlNumber(7n)],
    scheme: 'ecdsa-sha256',
    signingKey: issuer.keys.privateKey,
    ...spec,
  })

/** Assay's own statement as an extension. */
export const statement = ({ mode, akName, ekSpkiSha256, basis, listedBy }: OwnStatement, version = 1): DerExtension => ({
  oid: OWN_EXTENSION,
  critical: true,
  value: derSequence([
    derInteger(version),
    derUtf8String(mode),
    derOctets(Buffer.from(akName, 'hex')),
    derOctets(Buffer.from(ekSpkiSha256, 'hex')),
    derUtf8String(basis),
    ...(listedBy === null ? [] : [derOctets(Buffer.from(listedBy, 'hex'))]),
  ]),
})

/** An anchor for an authority. */
export const anchorFor = ({ sha256 }: Pick<Authority, 'sha256'>, more: Partial<TpmAnchor> = {}): TpmAnchor => ({
  sha256,
  roles: ['ak', 'ek'],
  authority: 'lab',
  manufacturers: ['53544d20'],
  origin: 'configured',
  ...more,
})

/** Anchors of TPMs alone. */
export const anchorsWith = (tpm: Partial<TpmAnchors>): Anchors => anchorsOf([], [], { ...NO_TPM_ANCHORS, ...tpm })

/** A context of one appraisal. */
export const contextWith = (rigour: Partial<TpmRigour> = {}, more: { readonly mode?: Mode; readonly now?: Date } = {}): Context => ({
  now: more.now ?? NOW,
  mode: more.mode ?? 'production',
  reportData: undefined,
  extraData: undefined,
  rigour: { ...genuineOnly, tpm: { ...genuineTpm, ...rigour } },
  memo: freshMemo(),
})

/** Nothing is at hand. */
export const NO_COLLATERAL: Collateral = { documents: new Map(), missing: new Map(), marks: new Map() }

/** Keys of RSA, which are slow to make. */
export const keyedBy = (kind: 'rsa', modulusLength: number, publicExponent = 65_537): Keys =>
  generateKeyPairSync(kind, { modulusLength, publicExponent })
