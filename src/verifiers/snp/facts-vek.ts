import { X509Certificate, type KeyObject } from 'node:crypto'
import { attempt } from '../der-attempt.ts'
import { equalBytes, hexOf } from '../der-values.ts'
import { AttestationError } from '../problems.ts'
import { readPublicKey, verifyPss } from '../signatures.ts'
import type { AmdAnchor, Anchors, Check, Mode } from '../verifier.ts'
import { AMD_PSS, describeAlgorithm, isAmdPss } from '../x509-algorithm.ts'
import { isSimulated } from '../x509-ca.ts'
import { commonNameOf, formatName } from '../x509-name.ts'
import { parseCertificate, type ParsedCertificate } from '../x509.ts'
import { windowsOf } from './chain-dates.ts'
import { CHAIN_RULES, inOrder, judgeIf } from './chain-rules.ts'
import { checkExtensions } from './extensions-checks.ts'
import type { VekFact } from './facts.ts'
import { failed, hasOutcome, passed } from '../checks.ts'
import { vekFrom } from './vek.ts'
import { ISSUER_ROLE, isAmdName, isAuthorityName, kindOf } from './vek-names.ts'

/** What a certificate is proven against. */
export type ProofScope = { readonly anchors: Anchors; readonly mode: Mode }

/** What came of it: without a fact at least one check failed. */
export type Proof = { readonly checks: readonly Check[]; readonly fact?: VekFact }

/** SubjectPublicKeyInfo of an uncompressed P-384 point up to its coordinates (RFC 5480 section 2); 96 bytes follow. */
const P384_SPKI_START = '3076301006072a8648ce3d020106052b8104002203620004'
const P384_SPKI_BYTES = 120

const { algorithm, kind: oneKind, subject, root, issuer, signature } = CHAIN_RULES

/**
 * Proves what can be proven of a VEK certificate alone, without time, revocation or report: form, names, signature by a pinned
 * intermediate, extensions (SNP-23, 25, 30 to 32, 34, 35, 40, 42 to 44). Form and signature stop at the first failure.
 */
export function proveVek(der: Uint8Array, scope: ProofScope): Proof {
  const leaf = readLeaf(der)
  if ('fault' in leaf) return { checks: [failed(algorithm, leaf.fault)] }
  const { certificate, key } = leaf
  const kind = kindOf(commonNameOf(certificate.subject))
  const form = [passed(algorithm, `P-384, ${describeAlgorithm(certificate.innerAlgorithm)}`), checkNames(certificate)]
  if (kind === undefined || hasOutcome(form, 'fail')) return { checks: form }
  const chain = findChain(certificate, kind, scope)
  if (chain.authorities === undefined) return { checks: inOrder([...form, ...chain.checks]) }
  const { authorities } = chain
  const extensions = checkExtensions(certificate.extensions, kind, authorities.issuer.product)
  const checks = inOrder([...form, ...chain.checks, ...extensions.checks])
  const vek = extensions.read === undefined ? undefined : vekFrom(certificate, extensions.read)
  if (vek === undefined || hasOutcome(checks, 'fail')) return { checks }
  return {
    checks,
    fact: { vek, key, product: authorities.issuer.product, ...authorities, windows: windowsOf({ vek, ...authorities }), checks },
  }
}

type Leaf = { readonly certificate: ParsedCertificate; readonly key: KeyObject }

/** SNP-23, by our reader and by OpenSSL's: both must read the same key. */
function readLeaf(der: Uint8Array): Leaf | { readonly fault: string } {
  const certificate = attempt(() => parseCertificate(der))
  if (certificate instanceof AttestationError) return { fault: certificate.message }
  const fault = faultOfForm(certificate)
  if (fault !== undefined) return { fault }
  const key = readKey(der)
  const isSame = key !== undefined && equalBytes(key.export({ type: 'spki', format: 'der' }), certificate.spki)
  return isSame ? { certificate, key } : { fault: 'OpenSSL does not find the same key on the curve' }
}

/** The key of a certificate as OpenSSL reads it; undefined where it does not, or the point is not on its curve. */
function readKey(der: Uint8Array): KeyObject | undefined {
  try {
    return new X509Certificate(der).publicKey
  } catch {
    return undefined
  }
}

function faultOfForm({ version, innerAlgorithm, outerAlgorithm, spki }: ParsedCertificate): string | undefined {
  if (version !== 3) return `X.509 v${version}`
  const isP384 = spki.length === P384_SPKI_BYTES && hexOf(spki).startsWith(P384_SPKI_START)
  if (!isP384) return 'the key is not an uncompressed point of the named curve P-384'
  if (isAmdPss(innerAlgorithm, outerAlgorithm)) return undefined
  return `${describeAlgorithm(innerAlgorithm)} inside, ${describeAlgorithm(outerAlgorithm)} outside`
}

/** SNP-25, and SNP-24 for one of AMD's authorities, whose names are right but no endorsement key's. The issuer's common name is judged by chain selection. */
function checkNames(certificate: ParsedCertificate): Check {
  const name = commonNameOf(certificate.subject)
  const actual = `subject ${formatName(certificate.subject)}; issuer ${formatName(certificate.issuer)}`
  if (!isAmdName(certificate.subject) || !isAmdName(certificate.issuer)) return failed(subject, actual)
  if (isAuthorityName(name)) return failed(oneKind, `${name} is an authority`)
  return judgeIf(kindOf(name) !== undefined)(subject, actual)
}

type Authorities = { readonly issuer: AmdAnchor; readonly root: AmdAnchor }
type Chain = { readonly checks: readonly Check[]; readonly authorities?: Authorities }

/**
 * SNP-30 to SNP-32: the pinned intermediate whose name the certificate's issuer has, among ASKs for a VCEK and ASVKs for a VLEK,
 * and never by the report's product (section 6.3).
 */
function findChain(certificate: ParsedCertificate, kind: 'vcek' | 'vlek', { anchors, mode }: ProofScope): Chain {
  if (mode === 'production' && isSimulated(certificate)) return { checks: [failed(root, 'a certificate of the simulator')] }
  const name = commonNameOf(certificate.issuer)
  const role = ISSUER_ROLE[kind]
  const named = anchors.amd.filter((anchor) => anchor.role === role && anchor.commonName === name)
  if (named.length === 0) return { checks: [failed(issuer, `no pinned ${role.toUpperCase()} is called ${name}`)] }
  const signer = named.find((anchor) => isSignedBy(certificate, anchor))
  const isIssuer = passed(issuer, `${name}, a pinned ${role.toUpperCase()}`)
  if (signer === undefined) return { checks: [isIssuer, failed(signature, `not signed by the pinned key of ${name}`)] }
  const found = [isIssuer, passed(signature, `signed by the pinned key of ${name}`)]
  const ark = anchors.amd.find((anchor) => isRootOf(anchor, signer))
  if (ark === undefined) return { checks: [failed(root, `no root of ${signer.product} is pinned`), ...found] }
  const fault = faultOfOrigin(ark, certificate, mode)
  if (fault !== undefined) return { checks: [failed(root, fault), ...found] }
  return { checks: [passed(root, `${ark.commonName}, ${ark.origin}`), ...found], authorities: { issuer: signer, root: ark } }
}

/** A root and its intermediates are pinned or minted together, so that a test root never lends its name to AMD's chain or takes it. */
const isRootOf = (anchor: AmdAnchor, { product, origin }: AmdAnchor): boolean =>
  anchor.role === 'ark' && anchor.product === product && anchor.origin === origin

/** Why a chain that holds together is not to be trusted all the same (SNP-30; design section 5). */
function faultOfOrigin(ark: AmdAnchor, certificate: ParsedCertificate, mode: Mode): string | undefined {
  if (ark.origin !== 'test') return isSimulated(certificate) ? 'a certificate of the simulator under a pinned root' : undefined
  return mode === 'production' ? 'a test root, in production' : undefined
}

function isSignedBy({ tbs, signature: bytes }: ParsedCertificate, anchor: AmdAnchor): boolean {
  const key = readPublicKey(anchor.spki)
  return key !== undefined && verifyPss({ key, data: tbs, signature: bytes }, AMD_PSS)
}
