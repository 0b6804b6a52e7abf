import { attempt } from '../der-attempt.ts'
import type { Json } from '../json.ts'
import { AttestationError } from '../problems.ts'
import type { FactTable, Mode, Anchors } from '../verifier.ts'
import { datedOf, type Dated } from './collateral-dates.ts'
import { readVendorDocument } from './document.ts'
import { heldDigestOf } from '../digests.ts'
import { tdxFactKey, type TdxFactScope } from './facts.ts'
import { openSignedJson, type SignedKind } from './signed-json.ts'
import { proveSigningChain, type ShortChain } from './signing-chain.ts'

/** A document that Intel's TCB signing key has signed, read, and the chain of that key. Time-free: nothing is said of dates or revocation. */
export type SignedDocument<T> = {
  readonly chain: ShortChain
  readonly document: T
  readonly dated: Dated
  /** SHA-256 of the bytes that it was read from, chain included. */
  readonly digest: string
}

/** What documents of every kind have. */
export type Issued = { readonly issueDate: Date; readonly nextUpdate: Date }

/** How one kind of document is opened and read; `read` throws AttestationError for what breaks its schema. */
export type DocumentKind<T> = SignedKind & { readonly fact: TdxFactScope['fact']; readonly read: (value: Json) => T }

/** What proving depends on besides the bytes. */
export type ProofScope = { readonly anchors: Anchors; readonly mode: Mode }

/**
 * What came of proving a document: a chain that proves nothing, a document that its chain does not prove, or a fact. The chain decides
 * first (section 5, step 5).
 */
export type Proof<T> =
  { readonly untrusted: AttestationError } | { readonly chain: ShortChain; readonly unproven: AttestationError } | SignedDocument<T>

/**
 * Proves a document, from memory if these bytes were proven before: the chain of its signing key, its signature, then its schema.
 * Failures are not remembered. Never throws AttestationError.
 */
export function proveDocument<T extends Issued>(
  bytes: Uint8Array,
  kind: DocumentKind<T>,
  scope: ProofScope & { readonly table: FactTable<SignedDocument<T>> },
): Proof<T> {
  const key = tdxFactKey({ fact: kind.fact, mode: scope.mode, anchors: scope.anchors.digest }, [heldDigestOf(bytes)])
  const known = scope.table.get(key)
  if (known !== undefined) return known
  const proof = proveAnew(bytes, kind, scope)
  if ('document' in proof) scope.table.set(key, proof)
  return proof
}

/** Proves a document without a memory. */
export function proveAnew<T extends Issued>(bytes: Uint8Array, kind: DocumentKind<T>, scope: ProofScope): Proof<T> {
  const vendor = attempt(() => readVendorDocument(bytes))
  if (vendor instanceof AttestationError) return { untrusted: new AttestationError('tdx-tcb-signing-chain-invalid', vendor.message) }
  const chain = attempt(() => proveSigningChain(vendor.issuerChain, scope))
  if (chain instanceof AttestationError) return { untrusted: chain }
  const document = attempt(() => kind.read(openSignedJson(vendor.body, kind, chain.key)))
  if (document instanceof AttestationError) return { chain, unproven: document }
  return { chain, document, dated: datedOf(document.issueDate, document.nextUpdate), digest: heldDigestOf(bytes) }
}
