import { skipped } from '../checks.ts'
import type { Anchors, Check, Reading } from '../verifier.ts'
import type { Window } from './certificate-dates.ts'
import { digestOf, heldDigestOf } from '../digests.ts'
import { tdxFactKey, type PckFact, type QeFact } from './facts.ts'
import { provePck, type ChainSource, type PckProof } from './pck-chain.ts'
import type { AuthData } from './quote-auth.ts'
import { checkQuoteSignature, PROOF_RULES, proveQe, type QeProof } from './quote-proof.ts'
import type { Quote } from './quote.ts'

/** What is proven of a quote without collateral (specification tdx.md section 5, steps 2 and 3), apart from dates. */
export type QuoteProof = {
  /** TDX-18 to TDX-26. */
  readonly chain: readonly Check[]
  /** TDX-46, 44, 45, 52. */
  readonly quote: readonly Check[]
  /** When the certificates of a proven chain are valid, also where the quote below it is not proven; else empty. */
  readonly windows: readonly Window[]
  /** Only when none of these checks failed. */
  readonly facts?: { readonly pck: PckFact; readonly qe: QeFact }
}

/** What a quote is proven against. Without a `memo` nothing is remembered. */
export type ProofScope = { readonly anchors: Anchors; readonly mode: Reading['mode']; readonly memo: Reading['memo'] | undefined }

/** The chain inside the quote, else the one that came beside it (section 1.8). */
const sourceOf = ({ auth }: Quote, certificates: readonly Uint8Array[]): ChainSource =>
  auth.certificationType === 5 ? { from: 'quote', pem: auth.certificationData } : { from: 'evidence', certificates }

const partsOf = (source: ChainSource): readonly Uint8Array[] => (source.from === 'quote' ? [source.pem] : source.certificates)

/**
 * Proves a quote up to the pinned root, from memory what was proven before: usually its own signature alone is new.
 * Throws AttestationError tdx-pck-chain-malformed with all checks so far.
 */
export function proveQuote(quote: Quote, certificates: readonly Uint8Array[], scope: ProofScope): QuoteProof {
  const source = sourceOf(quote, certificates)
  const { checks: chain, fact: pck } = chainProof(source, scope, quote.checks)
  if (pck === undefined) return { chain, windows: [], quote: Object.values(PROOF_RULES).map((rule) => skipped(rule, 'not reached')) }
  const { windows } = pck
  const { checks, fact: qe } = qeProof(quote.auth, pck, scope)
  if (qe === undefined) return { chain, windows, quote: [...checks, skipped(PROOF_RULES.quote, 'not reached')] }
  const signature = checkQuoteSignature(quote, qe)
  const proof = { chain, windows, quote: [...checks, signature] }
  return signature.outcome === 'pass' ? { ...proof, facts: { pck, qe } } : proof
}

function chainProof(source: ChainSource, { anchors, mode, memo }: ProofScope, before: readonly Check[]): PckProof {
  const key = tdxFactKey({ fact: 'intel-pck/1', mode, anchors: anchors.digest }, [source.from, ...partsOf(source).map(digestOf)])
  const known = memo?.tdx.pck.get(key)
  if (known !== undefined) return { checks: known.checks, fact: known }
  const proof = provePck(source, { anchors, mode }, before)
  if (proof.fact !== undefined) memo?.tdx.pck.set(key, proof.fact)
  return proof
}

function qeProof(auth: AuthData, pck: PckFact, { anchors, mode, memo }: ProofScope): QeProof {
  // All but the last are of fixed length: joined, they cannot be taken for others.
  const own = Buffer.concat([auth.attestationKey, auth.qeReport, auth.qeReportSignature, auth.qeAuthData])
  const key = tdxFactKey({ fact: 'intel-qe/1', mode, anchors: anchors.digest }, [digestOf(own), heldDigestOf(pck.leaf.der)])
  const known = memo?.tdx.qe.get(key)
  if (known !== undefined) return { checks: known.checks, fact: known }
  const proof = proveQe(auth, pck)
  if (proof.fact !== undefined) memo?.tdx.qe.set(key, proof.fact)
  return proof
}
