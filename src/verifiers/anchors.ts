import { createHash } from 'node:crypto'
import { attempt, readable } from './der-attempt.ts'
import { AttestationError } from './problems.ts'
import { readPublicKey, verifyPss } from './signatures.ts'
import { SNP_PRODUCTS } from './snp/address.ts'
import { AMD_ANCHORS } from './snp/roots.ts'
import { INTEL_ANCHORS } from './tdx/roots.ts'
import { NO_TPM_ANCHORS, tpmFieldsOf, type TpmAnchors } from './tpm/anchors.ts'
import { intelTestRoot, isIntelRootByName } from './tdx/test-root.ts'
import { amdName, authorityName } from './snp/vek-names.ts'
import type { AmdAnchor, Anchors, IntelAnchor } from './verifier.ts'
import { AMD_PSS, isAmdPss } from './x509-algorithm.ts'
import { unfitForAuthority } from './x509-ca.ts'
import { formatName, sameName } from './x509-name.ts'
import { parseCertificate, type ParsedCertificate } from './x509.ts'

export { MARKER_OID } from './x509-marker.ts'

/** A set of anchors with the digest that names it in memo keys: SHA-256 over every field of every anchor, each length-prefixed. */
export function anchorsOf(amd: readonly AmdAnchor[], intel: readonly IntelAnchor[] = [], tpm: TpmAnchors = NO_TPM_ANCHORS): Anchors {
  const hash = createHash('sha256')
  for (const field of [...amd.flatMap(fieldsOf), ...intel.flatMap(intelFieldsOf), ...tpmFieldsOf(tpm)]) {
    hash.update(`${field.length}:`)
    hash.update(field)
  }
  return { amd, intel, tpm, digest: hash.digest('hex') }
}

/** The same anchors with these of TPMs in place of what there was. */
export const withTpmAnchors = ({ amd, intel }: Anchors, tpm: TpmAnchors): Anchors => anchorsOf(amd, intel, tpm)

const fieldsOf = ({
  product,
  role,
  commonName,
  serial,
  notBefore,
  notAfter,
  spki,
  origin,
}: AmdAnchor): readonly (string | Uint8Array)[] => [
  'amd',
  product,
  role,
  commonName,
  String(serial),
  notBefore.toISOString(),
  notAfter.toISOString(),
  spki,
  origin,
]

const intelFieldsOf = ({ spki, origin }: IntelAnchor): readonly (string | Uint8Array)[] => ['intel', spki, origin]

/** AMD's nine published keys, Intel's root, and nothing else: the anchors of production. */
export const pinnedAnchors: Anchors = anchorsOf(AMD_ANCHORS, INTEL_ANCHORS)

/**
 * Anchors from roots that a test names or mints. They replace all pins of their own vendor and none of another (design section 6).
 * Each of `roots` is the DER of a self-signed root: Intel's by its name, else an ARK whose common name tells its product. Each of `others`
 * becomes an anchor if it is an ASK or ASVK that verifies under such an ARK with every rule for a certificate authority (specification
 * snp.md SNP-31, SNP-32), and is ignored if not.
 * Throws AttestationError snp-certificate-malformed, snp-root-untrusted or tdx-root-ca-untrusted for a root that is none.
 */
export function testAnchors(roots: readonly Uint8Array[], others: readonly Uint8Array[]): Anchors {
  const certificates = roots.map((der) => parseCertificate(der))
  const intel = certificates.filter(isIntelRootByName).map(intelTestRoot)
  const amd = amdTestAnchors(
    certificates.filter((certificate) => !isIntelRootByName(certificate)),
    others,
  )
  return anchorsOf(amd.length > 0 ? amd : AMD_ANCHORS, intel.length > 0 ? intel : INTEL_ANCHORS)
}

function amdTestAnchors(roots: readonly ParsedCertificate[], others: readonly Uint8Array[]): readonly AmdAnchor[] {
  const arks = distinct(roots.map(readRoot))
  const products = arks.map(({ product }) => product)
  if (new Set(products).size < products.length) throw untrusted('two different test roots are for one product')
  const intermediates = others.flatMap((der) => arks.flatMap((ark) => readIntermediate(der, ark)))
  return [...arks, ...distinct(intermediates)]
}

const distinct = (anchors: readonly AmdAnchor[]): readonly AmdAnchor[] => [
  ...new Map(anchors.map((anchor) => [anchorsOf([anchor]).digest, anchor])).values(),
]

function readRoot(certificate: ParsedCertificate): AmdAnchor {
  const product = SNP_PRODUCTS.find((p) => sameName(certificate.subject, amdName(authorityName('ark', p))))
  if (product === undefined) throw untrusted(`${formatName(certificate.subject)} is neither the name of an ARK nor of Intel’s root`)
  const anchor = anchorFrom(certificate, product, 'ark')
  const fault = faultUnder(certificate, anchor) ?? unfitForAuthority(certificate, 'root')
  if (fault !== undefined) throw untrusted(`${anchor.commonName} ${fault}`)
  return anchor
}

/** The anchor of an intermediate that this root has signed; nothing for any other certificate. */
function readIntermediate(der: Uint8Array, ark: AmdAnchor): readonly AmdAnchor[] {
  const certificate = readable(() => parseCertificate(der))
  if (certificate === undefined) return []
  const role = (['ask', 'asvk'] as const).find((r) => sameName(certificate.subject, amdName(authorityName(r, ark.product))))
  const fault = faultUnder(certificate, ark) ?? attempt(() => unfitForAuthority(certificate, 'intermediate'))
  return role === undefined || fault !== undefined ? [] : [anchorFrom(certificate, ark.product, role)]
}

/** Why a certificate is not one that this root has signed as AMD signs; undefined if it is. */
function faultUnder(certificate: ParsedCertificate, ark: AmdAnchor): string | undefined {
  if (!sameName(certificate.issuer, amdName(ark.commonName))) return 'names another issuer'
  if (certificate.notAfter <= certificate.notBefore) return 'is never valid'
  if (!isAmdPss(certificate.innerAlgorithm, certificate.outerAlgorithm))
    return 'is not signed with RSASSA-PSS, SHA-384 and a salt of 48 bytes'
  const key = readPublicKey(ark.spki)
  if (key === undefined) return 'stands under a root whose public key cannot be read'
  return verifyPss({ key, data: certificate.tbs, signature: certificate.signature }, AMD_PSS) ? undefined : 'is not signed by its root'
}

function anchorFrom(certificate: ParsedCertificate, product: AmdAnchor['product'], role: AmdAnchor['role']): AmdAnchor {
  const { serial, notBefore, notAfter, spki } = certificate
  return { product, role, commonName: authorityName(role, product), serial, notBefore, notAfter, spki: spki.slice(), origin: 'test' }
}

const untrusted = (why: string): AttestationError => new AttestationError('snp-root-untrusted', why, { at: 'test root' })
