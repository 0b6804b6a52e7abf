import type { KeyObject } from 'node:crypto'
import { failed, passed, refusal, skipped } from '../checks.ts'
import { attempt } from '../der-attempt.ts'
import { readCertificateBlob, readCertificateChain } from '../pem.ts'
import { AttestationError } from '../problems.ts'
import type { Check } from '../verifier.ts'
import { formatName } from '../x509-name.ts'
import { parseCertificate, type ParsedCertificate } from '../x509.ts'
import { windowOf } from './certificate-dates.ts'
import {
  INTEL_CN,
  foreignAlgorithm,
  isEcdsaSha256,
  isIntelName,
  keyOf,
  missingExtensions,
  notIssuedBy,
  pinnedRootKey,
  unfitFor,
  type CertificateRole,
  type RootKey,
  type TrustScope,
} from './certificate-rules.ts'
import type { PckFact } from './facts.ts'
import { PCK_RULES, type PckRule } from './pck-rules.ts'
import { readSgxExtension, type SgxExtension } from './sgx-extension.ts'

/** Where a PCK chain came from: inside the quote (certification data type 5), or beside it, leaf first. */
export type ChainSource =
  { readonly from: 'quote'; readonly pem: Uint8Array } | { readonly from: 'evidence'; readonly certificates: readonly Uint8Array[] }

/** TDX-18 to TDX-26, each answered. Without a fact at least one failed. */
export type PckProof = { readonly checks: readonly Check[]; readonly fact?: PckFact }

/**
 * Proves a PCK chain without time, revocation or quote: three certificates by Intel's names, up to the pinned root, and what the leaf says
 * of its platform (specification tdx.md section 3.4; TDX-18 to TDX-26). The first failure in this order ends it.
 * Throws AttestationError tdx-pck-chain-malformed, with the checks `before` and its own, for what is no clean chain of certificates.
 */
export function provePck(source: ChainSource, scope: TrustScope, before: readonly Check[]): PckProof {
  const read = attempt(() => readChain(source))
  if (read instanceof AttestationError) throw refusal({ ...PCK_RULES.clean, at: read.at ?? 'pck_chain' }, read.message, before)
  const clean = passed(PCK_RULES.clean, `${read.length} certificates`)
  const chain = chainOf(read)
  if (typeof chain === 'string') return { checks: [clean, failed(PCK_RULES.complete, chain), ...notReached(STEPS)] }
  const found = passed(PCK_RULES.complete, [chain.leaf, chain.ca, chain.root].map(({ subject }) => formatName(subject)).join(' < '))
  const extension = attempt(() => readSgxExtension(chain.leaf, chain.issuedBy))
  const key = keyOf(chain.leaf)
  const checks = [clean, found, ...judge({ chain, root: pinnedRootKey(chain.root, [chain.ca, chain.leaf], scope), key, extension })]
  // A skipped check is none that passed: only a chain of which everything was asked is a fact.
  const isProven = checks.every(({ outcome }) => outcome === 'pass')
  if (!isProven || key === undefined || extension instanceof AttestationError) return { checks }
  return { checks, fact: { ...chain, key, extension, windows: [chain.root, chain.ca, chain.leaf].map(windowOf), checks } }
}

/** TDX-18: every block parses. */
function readChain(source: ChainSource): readonly ParsedCertificate[] {
  const { code } = PCK_RULES.clean
  const ders =
    source.from === 'quote'
      ? readCertificateChain(source.pem, { what: 'pck_chain', code })
      : source.certificates.map((bytes, index) => readCertificateBlob(bytes, `certificates[${index}]`, code))
  return ders.map((der, index) => parseCertificate(der, { what: `pck_chain[${index}]`, code }))
}

type Chain = Pick<PckFact, 'leaf' | 'ca' | 'root' | 'issuedBy'>

/** TDX-19: exactly three, leaf, CA and root by their whole subjects; else what was found. */
function chainOf(certificates: readonly ParsedCertificate[]): Chain | string {
  const [leaf, ca, root, ...more] = certificates
  if (leaf === undefined || ca === undefined || root === undefined || more.length > 0) return `${certificates.length} certificates`
  const issuedBy = (['platform', 'processor'] as const).find((name) => isIntelName(ca.subject, INTEL_CN[name]))
  const isNamed = isIntelName(leaf.subject, INTEL_CN.pck) && isIntelName(root.subject, INTEL_CN.root)
  if (issuedBy !== undefined && isNamed) return { leaf, ca, root, issuedBy }
  return [leaf, ca, root].map(({ subject }) => formatName(subject)).join(' < ')
}

/** A chain with what was found out about it before anything is judged. */
type Judged = {
  readonly chain: Chain
  readonly root: RootKey
  readonly key: KeyObject | undefined
  readonly extension: SgxExtension | AttestationError
}
type Step = { readonly rule: PckRule; readonly judge: (subject: Judged) => Check }

const named = ({ leaf, ca, root }: Chain): readonly (readonly [CertificateRole, ParsedCertificate])[] => [
  ['root', root],
  ['ca', ca],
  ['end', leaf],
]

/** The first fault among the certificates, with the name of the one that has it. */
const firstFault = (
  chain: Chain,
  faultOf: (certificate: ParsedCertificate, role: CertificateRole) => string | undefined,
): string | undefined =>
  named(chain).flatMap(([role, certificate]) => {
    const fault = faultOf(certificate, role)
    return fault === undefined ? [] : [`${formatName(certificate.subject)} ${fault}`]
  })[0]

const answer = (rule: PckRule, fault: string | undefined, actual: string): Check =>
  fault === undefined ? passed(rule, actual) : failed(rule, fault)

/** A signature of an algorithm that is not Intel's is not tried: TDX-25 names the algorithm. */
const untried = (rule: PckRule): Check => skipped(rule, 'not verified: of another algorithm than Intel’s')

const STEPS: readonly Step[] = [
  {
    rule: PCK_RULES.root,
    judge: ({ root }) => answer(PCK_RULES.root, 'fault' in root ? root.fault : undefined, 'the pinned key, self-signed'),
  },
  {
    rule: PCK_RULES.intermediate,
    judge: ({ chain: { ca, root: issuer }, root }) => {
      if (!isEcdsaSha256(ca)) return untried(PCK_RULES.intermediate)
      const fault = faultUnder(ca, issuer, 'key' in root ? root.key : undefined)
      return answer(PCK_RULES.intermediate, fault, `${formatName(ca.subject)} is signed by the root`)
    },
  },
  {
    rule: PCK_RULES.leaf,
    judge: ({ chain: { leaf, ca } }) => {
      if (foreignAlgorithm(ca) !== undefined || !isEcdsaSha256(leaf)) return untried(PCK_RULES.leaf)
      const fault = faultUnder(leaf, ca, keyOf(ca))
      return answer(PCK_RULES.leaf, fault, `${formatName(leaf.subject)} is signed by ${formatName(ca.subject)}`)
    },
  },
  { rule: PCK_RULES.uses, judge: ({ chain }) => answer(PCK_RULES.uses, firstFault(chain, unfitFor), 'each for its role') },
  {
    rule: PCK_RULES.extensions,
    judge: ({ chain }) => answer(PCK_RULES.extensions, firstFault(chain, faultOfExtensions), 'all five on each'),
  },
  {
    rule: PCK_RULES.algorithm,
    judge: ({ chain, key }) => {
      const offCurve = key === undefined ? 'the key of the PCK certificate is no point of P-256' : undefined
      return answer(PCK_RULES.algorithm, firstFault(chain, foreignAlgorithm) ?? offCurve, 'P-256 and ecdsa-with-SHA256 on each')
    },
  },
  {
    rule: PCK_RULES.sgx,
    judge: ({ chain: { issuedBy }, extension }) =>
      extension instanceof AttestationError
        ? failed({ ...PCK_RULES.sgx, code: extension.code }, extension.message)
        : passed(PCK_RULES.sgx, `complete for the ${issuedBy} CA`),
  },
]

const faultUnder = (certificate: ParsedCertificate, issuer: ParsedCertificate, key: KeyObject | undefined): string | undefined =>
  key === undefined ? 'the key of the issuer is no point of P-256' : notIssuedBy(certificate, issuer, key)

function faultOfExtensions(certificate: ParsedCertificate): string | undefined {
  const missing = missingExtensions(certificate)
  return missing.length === 0 ? undefined : `lacks ${missing.join(', ')}`
}

/** TDX-20 to TDX-26 up to the first that fails. */
function judge(subject: Judged): readonly Check[] {
  const checks: Check[] = []
  for (const [index, step] of STEPS.entries()) {
    const check = step.judge(subject)
    checks.push(check)
    if (check.outcome === 'fail') return [...checks, ...notReached(STEPS.slice(index + 1))]
  }
  return checks
}

const notReached = (steps: readonly Step[]): readonly Check[] => steps.map(({ rule }) => skipped(rule, 'not reached'))
