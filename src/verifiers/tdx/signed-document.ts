import { attempt } from '../der-attempt.ts'
import type { Json } from '../json.ts'
import { AttestationError } from '../problems.ts'
import type { FactTable, Mode, Anchors } from '../verifier.ts'
import { readVendorDocument } from './document.ts'
import { tdxFactKey, type TdxFactScope } from './facts.ts'
import { openSignedJson, type SignedKind } from './signed-json.ts'
import { proveSigningChain, type ShortChain } from './signing-chain.ts'

/** A document that Intel's TCB signing key has signed, read, and the chain of that key. Time-free: nothing is said of dates or revocation. */
export type SignedDocument<T> = { readonly chain: ShortChain; readonly document: T }

/** How one kind of document is opened and read; `read` throws AttestationError for what breaks its schema. */
export type DocumentKind<T> = SignedKind & { readonly fact: TdxFactScope['fact']; readonly read: (value: Json) => T }

/** What proving depends on besides the bytes. */
export type ProofScope = { readonly anchors: Anchors; readonly mode: Mode }

/** What came of proving a document: a chain that proves nothing, or the chain and the document. The chain decides first (section 5, step 5). */
export type Proof<T> = { readonly fault: AttestationError } | { readonly chain: ShortChain; readonly document: T | AttestationError }

/**
 * Proves a document, from memory if these bytes were proven before: the chain of its signing key, its signature, then its schema.
 * Failures are not remembered. Never throws AttestationError.
 */
export function proveDocument<T>(
  bytes: Uint8Array,
  kind: DocumentKind<T>,
  scope: ProofScope & { readonly table: FactTable<SignedDocument<T>> },
): Proof<T> {
  const key = tdxFactKey({ fact: kind.fact, mode: scope.mode, anchors: scope.anchors.digest }, [bytes])
  const known = scope.table.get(key)
  if (known !== undefined) return known
  const proof = proveAnew(bytes, kind, scope)
  if ('fault' in proof || proof.document instanceof AttestationError) return proof
  scope.table.set(key, { chain: proof.chain, document: proof.document })
  return proof
}

/** Proves a document without a memory. */
export function proveAnew<T>(bytes: Uint8Array, kind: DocumentKind<T>, scope: ProofScope): Proof<T> {
  const vendor = attempt(() => readVendorDocument(bytes))
  if (vendor instanceof AttestationError) return { fault: new AttestationError('tdx-tcb-signing-chain-invalid', vendor.message) }
  const chain = attempt(() => proveSigningChain(vendor.issuerChain, scope))
  if (chain instanceof AttestationError) return { fault: chain }
  return { chain, document: attempt(() => kind.read(openSignedJson(vendor.body, kind, chain.key))) }
}
