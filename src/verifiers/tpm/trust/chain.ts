import { equalBytes, hexOf } from '../../der-values.ts'
import type { Anchors, Mode } from '../../verifier.ts'
import { formatName } from '../../x509-name.ts'
import { isSimulated } from '../../x509-ca.ts'
import type { ParsedCertificate } from '../../x509.ts'
import type { TpmAnchor, TpmRole } from '../anchors.ts'
import { factKey, type TpmChainFact, type TrustFacts } from './facts.ts'
import { bySubject, known, poolOf, type Known, type Pool } from './pool.ts'
import { leafKeyOf, notSignedBy, strongKeyOf } from './signed-by.ts'
import { faultOfForm, unfitForAuthority, usagesOf } from './usage.ts'

/** A certificate and the authorities above it, proven up to an anchor: no dates, no revocation. */
export type ProvenChain = {
  readonly leaf: Known
  /** The issuer first, the anchor last; at least the anchor. */
  readonly authorities: readonly Known[]
  readonly anchor: TpmAnchor
}

/** In which anchors a chain may end. */
export type ChainScope = { readonly anchors: Anchors; readonly role: TpmRole; readonly mode: Mode }

/** The chains that were found with the key of the leaf, or why there is none. */
export type ChainProof = TpmChainFact | { readonly fault: string }

/** The same with what remembers. */
export type ChainGrounds = ChainScope & { readonly memo: TrustFacts }

/** Certificates of one chain (specification tpm.md section 8.8). */
const MOST_CERTIFICATES = 6
/** Chains that are kept: cross-signed authorities have two or three, one of which may have ended. */
const MOST_CHAINS = 4
/** Signatures that are verified for one leaf: whoever sends many authorities of one name gets no more work than this. */
const MOST_SIGNATURES = 32

type Search = {
  readonly scope: ChainScope
  readonly pools: readonly Pool[]
  readonly chains: ProvenChain[]
  readonly faults: string[]
  signatures: number
}

/**
 * Finds chains from a leaf to anchors over certificates that came with the evidence and those that are configured: names compared by their
 * bytes, signatures of SHA-256 or better, every authority fit to be one (TPM-19, TPM-26). The nearest anchor of the role ends a chain.
 */
export function proveChains(leaf: ParsedCertificate, others: readonly Uint8Array[], scope: ChainScope): ChainProof {
  const fault = faultOfLeaf(leaf, scope)
  if (fault !== undefined) return { fault: `the certificate ${fault}` }
  const key = leafKeyOf(leaf.spki)
  if (key === undefined) return { fault: 'the certificate has a key that is weak, or none' }
  const search: Search = { scope, pools: [bySubject(others), poolOf(scope.anchors.tpm)], chains: [], faults: [], signatures: 0 }
  extend([known(leaf)], search)
  if (search.chains.length > 0) return { chains: search.chains, ...key }
  return { fault: [...new Set(search.faults)].slice(0, 4).join('; ') }
}

/** What {@link proveChains} finds, from memory if these bytes were proven before under these anchors. `certificates`: the leaf's first. */
export function provenChains(leaf: ParsedCertificate, certificates: readonly Uint8Array[], grounds: ChainGrounds): ChainProof {
  const { memo, anchors, mode, role } = grounds
  const key = factKey({ fact: 'tpm-chain/1', mode, anchors: anchors.digest, role }, certificates)
  const remembered = memo.chain.get(key)
  if (remembered !== undefined) return remembered
  const proof = proveChains(leaf, certificates.slice(1), grounds)
  if (!('fault' in proof)) memo.chain.set(key, proof)
  return proof
}

function faultOfLeaf(leaf: ParsedCertificate, { mode }: ChainScope): string | undefined {
  if (mode === 'production' && isSimulated(leaf)) return 'is one of the simulator'
  const usages = usagesOf(leaf)
  return faultOfForm(leaf) ?? ('fault' in usages ? usages.fault : undefined)
}

/** Depth first; a path is never longer than a chain may be, so this ends. */
function extend(path: readonly Known[], search: Search): void {
  const last = path.at(-1)
  if (last === undefined || ends(path, search)) return
  const { issuer, issuerDer } = last.certificate
  if (path.length === MOST_CERTIFICATES) return note(search, `no anchor within ${MOST_CERTIFICATES} certificates`)
  const candidates = candidatesFor(hexOf(issuerDer), path, search)
  if (candidates.length === 0) note(search, `no certificate of ${formatName(issuer)} is at hand or configured`)
  for (const candidate of candidates) tryAuthority(path, candidate, search)
}

/** Certificates of this subject that are not in the path yet, each once. */
function candidatesFor(subject: string, path: readonly Known[], { pools }: Search): readonly Known[] {
  const all = pools.flatMap((pool) => pool.get(subject) ?? [])
  const distinct = new Map(all.map((one) => [one.sha256, one]))
  for (const { sha256 } of path) distinct.delete(sha256)
  return [...distinct.values()]
}

/** Whether the path has reached an anchor; then it is a chain. */
function ends(path: readonly Known[], { scope, chains }: Search): boolean {
  const [leaf, ...authorities] = path
  const last = authorities.at(-1)
  const anchor = last === undefined ? undefined : anchorOf(last, scope)
  if (leaf === undefined || anchor === undefined) return false
  chains.push({ leaf, authorities, anchor })
  return true
}

const anchorOf = ({ sha256 }: Known, { anchors, role, mode }: ChainScope): TpmAnchor | undefined =>
  anchors.tpm.roots.find((root) => root.sha256 === sha256 && root.roles.includes(role) && (mode !== 'production' || root.origin !== 'test'))

function tryAuthority(path: readonly Known[], candidate: Known, search: Search): void {
  if (search.chains.length >= MOST_CHAINS || search.signatures >= MOST_SIGNATURES) return
  search.signatures += 1
  const fault = notAuthorised(path, candidate, search.scope)
  if (fault === undefined) extend([...path, candidate], search)
  else note(search, `${formatName(candidate.certificate.subject)}: ${fault}`)
}

/** Why a certificate does not stand above the last of a path; undefined if it does. */
function notAuthorised(path: readonly Known[], { certificate }: Known, { mode }: ChainScope): string | undefined {
  const [leaf, ...below] = path
  const last = below.at(-1) ?? leaf
  if (last === undefined || (mode === 'production' && isSimulated(certificate))) return 'is one of the simulator'
  // A certificate that an authority issued for itself does not count (RFC 5280 section 4.2.1.9).
  const counted = below.filter((one) => !equalBytes(one.certificate.issuerDer, one.certificate.subjectDer)).length
  const unfit = unfitForAuthority(certificate, counted)
  if (unfit !== undefined) return unfit
  const key = strongKeyOf(certificate.spki)
  if (key === undefined) return 'has a key that is weak, or none'
  const unsigned = notSignedBy(last.certificate, key)
  return unsigned === undefined ? undefined : `what is below ${unsigned}`
}

function note({ faults }: Search, fault: string): void {
  // Whoever makes many does not make the answer long.
  if (faults.length < 16) faults.push(fault)
}
