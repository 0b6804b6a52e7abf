import type { KeyObject } from 'node:crypto'
import { failed, hasOutcome, passed } from '../../checks.ts'
import { attempt } from '../../der-attempt.ts'
import { TAG, readLength } from '../../der.ts'
import { AttestationError } from '../../problems.ts'
import type { Anchors, Check, CollateralAddress } from '../../verifier.ts'
import type { ParsedCertificate } from '../../x509.ts'
import type { TpmAnchor } from '../anchors.ts'
import type { TpmClaims } from '../claims.ts'
import { spkiDigest } from './address.ts'
import { readTpmCertificate } from './certificate.ts'
import { proveChains, provenChains, type ProvenChain } from './chain.ts'
import { certificatesOf, chooseChain, earliest, notValidNow } from './dates.ts'
import { readEkProfile, type TpmIdentity } from './ek-profile.ts'
import type { CertifiedKey } from './facts.ts'
import { checkRevocation, listsOf } from './revocation.ts'
import type { ChainRigour, Grounds } from './scope.ts'
import { leafKeyOf } from './signed-by.ts'

/** How strict an endorsement certificate is read (specification tpm.md section 8). */
export type EkRigour = ChainRigour & {
  readonly softwareTpm: 'refuse' | 'allow'
  /** Whether a certificate counts that has ended: TPMs outlive them. Its authorities must be valid all the same. */
  readonly expiredCertificate: 'refuse' | 'allow'
}

/** What an endorsement certificate is judged by. */
export type EkInput = Omit<Grounds, 'rigour'> & {
  /** As the TPM keeps it: DER, with nothing but 00 or FF behind it; or one PEM block. */
  readonly certificate: Uint8Array
  /** Intermediates, each DER or one PEM block. */
  readonly chain: readonly Uint8Array[]
  readonly rigour: EkRigour
}

/** A genuine endorsement key. Its public area is not looked at here (TPM-27). */
export type EndorsementKey = TpmIdentity & {
  /** SHA-256 of the DER SubjectPublicKeyInfo, lower-case hex; an id-RSAES-OAEP key as rsaEncryption. */
  readonly spkiSha256: string
  readonly key: KeyObject
  /** SHA-256 of the DER of every authority of the chain, that of the issuer first. */
  readonly authoritiesSha256: readonly string[]
  /** Whose anchor the chain ends in. */
  readonly authority: string
  readonly revocation: TpmClaims['revocation']
  /** The earliest end among certificates and lists, without that of an endorsement certificate that was let pass though it has ended. */
  readonly validUntil: Date | undefined
}

/** TPM-25, TPM-26 and TPM-30. `ek` is there only when no check failed. */
export type EkJudgement = { readonly checks: readonly Check[]; readonly ek?: EndorsementKey }

const DOCUMENT = { what: 'ek_certificate', code: 'tpm-ek-cert-profile-invalid' } as const

const RULES = {
  profile: {
    id: 'TPM-25',
    title: 'The certificate follows the profile for endorsement keys',
    code: 'tpm-ek-cert-profile-invalid',
    expected: 'X.509 v3 as section 8 of the specification describes it',
  },
  chain: {
    id: 'TPM-26',
    title: 'The certificate of the endorsement key leads to an anchor',
    code: 'tpm-ek-cert-chain-invalid',
    expected: 'a chain of six at most, every authority fit to be one, every signature with SHA-256 or better',
  },
  dates: {
    id: 'TPM-26',
    title: 'Every certificate of the chain is valid now',
    code: 'tpm-ek-cert-expired',
    expected: 'notBefore and notAfter around the time of verification',
  },
  revocation: { id: 'TPM-26', title: 'No certificate of the chain is revoked', code: 'tpm-ek-cert-revoked' },
  manufacturer: {
    id: 'TPM-30',
    title: 'The manufacturer is one that the anchor may vouch for',
    code: 'tpm-manufacturer-not-allowed',
    expected: 'a manufacturer of the anchor',
  },
  software: {
    id: 'TPM-30',
    title: 'The TPM is no program',
    code: 'tpm-software-tpm-not-allowed',
    expected: 'another manufacturer than that of libtpms',
  },
} as const

/** What libtpms (swtpm) calls its manufacturer: IBM's number in the registry of PCI vendors. */
const SOFTWARE_TPM = '00001014'

/** Is this the endorsement certificate of a genuine TPM? TPM-25, TPM-26 and TPM-30 (specification tpm.md section 8). Never throws. */
export function verifyEk(input: EkInput): EkJudgement {
  const read = readEk(input.certificate)
  if ('fault' in read) return { checks: [failed(RULES.profile, read.fault)] }
  const profile = passed(RULES.profile, `${read.identity.manufacturer} ${read.identity.model} ${read.identity.version}`)
  const { anchors, mode, memo } = input
  const proof = provenChains(read.certificate, [read.certificate.der, ...input.chain], { anchors, role: 'ek', mode, memo })
  if ('fault' in proof) return { checks: [profile, failed(RULES.chain, proof.fault)] }
  const chain = chooseChain(proof.chains, input)
  return chain === undefined ? { checks: [profile, failed(RULES.chain, 'no chain')] } : judgeChain({ ...read, chain, profile }, input)
}

/** The lists by which the chains of an endorsement certificate are judged, as far as the operator configured where they are had. */
export function ekNeeds(certificate: Uint8Array, chain: readonly Uint8Array[], anchors: Anchors): readonly CollateralAddress[] {
  const read = readEk(certificate)
  if (anchors.tpm.crlSources.length === 0 || 'fault' in read) return []
  const proof = proveChains(read.certificate, chain, { anchors, role: 'ek', mode: 'test' })
  return 'fault' in proof ? [] : [...new Set(proof.chains.flatMap((one) => listsOf(one, anchors.tpm)))]
}

type ReadEk = { readonly certificate: ParsedCertificate; readonly key: CertifiedKey; readonly identity: TpmIdentity }

function readEk(bytes: Uint8Array): ReadEk | { readonly fault: string } {
  const certificate = attempt(() => readTpmCertificate(withoutPadding(bytes), DOCUMENT))
  if (certificate instanceof AttestationError) return { fault: certificate.message }
  const key = leafKeyOf(certificate.spki)
  if (key === undefined) return { fault: 'the key is weak, or none' }
  const identity = readEkProfile(certificate, key)
  return 'fault' in identity ? { fault: `the certificate ${identity.fault}` } : { certificate, key, identity }
}

/** NV indices are larger than the certificate in them: what follows it is 00 or FF throughout (specification tpm.md section 8.6). */
function withoutPadding(bytes: Uint8Array): Uint8Array {
  const extent = bytes[0] === TAG.SEQUENCE ? readLength(bytes, 1) : undefined
  if (extent === undefined || extent.end >= bytes.length) return bytes
  const [fill] = bytes.subarray(extent.end)
  const isPadding = (fill === 0x00 || fill === 0xff) && bytes.subarray(extent.end).every((byte) => byte === fill)
  return isPadding ? bytes.subarray(0, extent.end) : bytes
}

type Chained = ReadEk & { readonly chain: ProvenChain; readonly profile: Check }

function judgeChain({ key, identity, chain, profile }: Chained, input: EkInput): EkJudgement {
  const { anchor, authorities } = chain
  const revocation = checkRevocation(chain, RULES.revocation, input)
  const dated = datedOf(chain, input)
  const checks = [
    profile,
    passed(RULES.chain, `${authorities.length + 1} certificates to ${anchor.sha256} (${anchor.authority})`),
    checkDates(dated, input),
    ...revocation.checks,
    checkManufacturer(identity, anchor),
    checkSoftware(identity, input.rigour),
  ]
  if (hasOutcome(checks, 'fail')) return { checks }
  const ek = {
    ...identity,
    spkiSha256: spkiDigest(key.spki),
    key: key.key,
    authoritiesSha256: authorities.map(({ sha256 }) => sha256),
    authority: anchor.authority,
    revocation: revocation.state,
    validUntil: earliest([...dated.map(({ notAfter }) => notAfter), ...revocation.until]),
  }
  return { checks, ek }
}

/** The certificates whose dates count: where an ended endorsement certificate is let pass, only one that has begun. */
function datedOf(chain: ProvenChain, { rigour, now }: EkInput): readonly ParsedCertificate[] {
  const { notBefore, notAfter } = chain.leaf.certificate
  const isLetPass = rigour.expiredCertificate === 'allow' && notAfter.getTime() < now.getTime() && notBefore.getTime() <= now.getTime()
  return isLetPass ? certificatesOf(chain).slice(1) : certificatesOf(chain)
}

function checkDates(certificates: readonly ParsedCertificate[], { now, rigour }: EkInput): Check {
  const wrong = notValidNow(certificates, { now, rigour })
  const when = `now ${now.toISOString()}`
  return wrong.length > 0 ? failed(RULES.dates, `${wrong.join('; ')}; ${when}`) : passed(RULES.dates, when)
}

/** TPM-30. A program is told apart below, and its own anchor must name it like any other's. */
function checkManufacturer({ manufacturer }: TpmIdentity, { manufacturers, authority }: TpmAnchor): Check {
  const actual = `${manufacturer} under ${authority}`
  const isAllowed = manufacturers === null || manufacturers.includes(manufacturer)
  return isAllowed ? passed(RULES.manufacturer, actual) : failed(RULES.manufacturer, actual)
}

const checkSoftware = ({ manufacturer }: TpmIdentity, { softwareTpm }: EkRigour): Check =>
  manufacturer === SOFTWARE_TPM && softwareTpm !== 'allow' ? failed(RULES.software, manufacturer) : passed(RULES.software, manufacturer)
