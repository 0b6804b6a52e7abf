import type { KeyObject } from 'node:crypto'
import type { PreviousQuote, QuoteClock } from '../verifiers/tpm/context.ts'
import type { CollateralAddress, RollbackMark } from '../verifiers/verifier.ts'

/** The secret that authenticates stored values (design section 1.4); derived per purpose and mode from the service's secret. */
export type StoreKeys = { readonly stored: KeyObject }

/**
 * Where the shared state of all replicas lives. Each member is small, so that memory, files and Redis can all serve it.
 * No implementation decides anything: it keeps, counts and compares.
 */
export type Stores = {
  readonly kind: 'memory' | 'file' | 'redis' | 'parent'
  readonly challenges: ChallengeStore
  readonly collateral: CollateralStore
  readonly documents: DocumentStore
  readonly quotes: QuoteStore
  /** Resolves while the store can be used; rejects with the reason when it cannot. */
  readonly ping: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Which challenges have been spent, and in which epoch challenges are issued (design section 3, Challenge). */
export type ChallengeStore = {
  /** 4 bytes. An epoch never outlives a possible loss of marks. */
  readonly epoch: () => Promise<Uint8Array>
  /** Atomic "set if absent" of the mark of one challenge: true for exactly one caller. The mark lives for `ttlSeconds` from now. */
  readonly spend: (challengeId: string, ttlSeconds: number) => Promise<boolean>
  /** Atomic "set if absent" of what an unspent challenge pays for (digest of `needs`): true if it was absent or the same (design section 7). */
  readonly pay: (challengeId: string, needsDigest: string, ttlSeconds: number) => Promise<boolean>
  /** How far the store's clock is ahead of this machine's, in milliseconds; 0 where the store is on this machine. */
  readonly clockOffset: () => Promise<number>
}

/** One vendor document as kept: never trusted, verified again whenever it is read back. */
export type StoredDocument = {
  readonly address: CollateralAddress
  readonly bytes: Uint8Array
  readonly fetchedAt: Date
  /** When the vendor says that it ends: nextUpdate of a list, notAfter of a certificate. */
  readonly expiresAt: Date
}

/** A kept document without its bytes. */
export type StoredEntry = Omit<StoredDocument, 'bytes'>

/** Vendor documents and their rollback marks. Marks only advance. */
export type CollateralStore = {
  readonly get: (address: CollateralAddress) => Promise<StoredDocument | undefined>
  readonly put: (document: StoredDocument) => Promise<void>
  readonly list: () => Promise<readonly StoredEntry[]>
  readonly mark: (address: CollateralAddress) => Promise<RollbackMark | undefined>
  /** Keeps the higher of the stored mark and this one, by number and by thisUpdate separately. */
  readonly advanceMark: (address: CollateralAddress, mark: Exclude<RollbackMark, 'strictest'>) => Promise<void>
}

/** The last accepted quote of each attestation key, under policies that compare (specification tpm.md section 5). It only advances. */
export type QuoteStore = {
  /** By the key's name; `strictest` where its record cannot be believed, so that nothing may follow. */
  readonly last: (akName: string) => Promise<PreviousQuote | undefined>
  /** Keeps a quote; `regressed`, with nothing changed, where it may not follow the one that is kept. */
  readonly advance: (akName: string, quote: QuoteClock) => Promise<'kept' | 'regressed'>
}

/** What the one authenticated head lists (design section 1.4): policies, activations, reference sets, and the public keys of all replicas. */
export const COLLECTIONS = ['policies', 'reference-values', 'token-keys'] as const

/** One of them. */
export type Collection = (typeof COLLECTIONS)[number]

/** Those that operators may also keep in folders. */
export type FileCollection = Exclude<Collection, 'token-keys'>

/** One version of a document, kept for ever as it was written. */
export type DocumentVersion = {
  readonly name: string
  /** From 1, without gaps. */
  readonly version: number
  /** 64 hexadecimal digits, of whatever the writer counts as the content; kept, never computed here. */
  readonly sha256: string
  /** As written. */
  readonly text: string
  readonly author: string
  readonly created: Date
}

/** A version without its text. */
export type VersionEntry = Omit<DocumentVersion, 'text'>

/** What counts of a document now: a value that is only ever replaced under a higher counter. */
export type Standing = {
  readonly name: string
  /** From 1; 0 stands for a document that has no standing yet. */
  readonly counter: number
  /** JSON, for example which version is active. The store does not look into it. */
  readonly value: unknown
  readonly by: string
  readonly at: Date
}

/** A standing that is to be, and which versions it revokes. */
export type Decision = Omit<Standing, 'counter'> & {
  /** Versions that never count again, beside those that were revoked before. Kept in the head too, so that they outlive the standing. */
  readonly revoked?: readonly number[]
}

/**
 * Operators' documents and their standings, listed in one authenticated head (design section 1.4). A record that somebody else changed or
 * removed counts as absent and raises an alarm; a head that was changed, removed or put back makes every call reject with `not-ready`.
 */
export type DocumentStore = {
  /**
   * Changes with every append and advance in this collection; cheap, to be asked every second. Undefined, where other calls reject, for a
   * head that was changed, removed or put back: that is another thing than no answer.
   */
  readonly revision: (collection: Collection) => Promise<string | undefined>
  /** In alphabetical order. */
  readonly names: (collection: Collection) => Promise<readonly string[]>
  /** In ascending order; empty for a name that is not there. */
  readonly versions: (collection: Collection, name: string) => Promise<readonly VersionEntry[]>
  readonly read: (collection: Collection, name: string, version: number) => Promise<DocumentVersion | undefined>
  /** Adds version `expectedLatest + 1`; `conflict` when the latest version is another (0: there is none). All or nothing. */
  readonly append: (
    collection: Collection,
    document: Omit<DocumentVersion, 'version'>,
    expectedLatest: number,
  ) => Promise<DocumentVersion | 'conflict'>
  readonly standing: (collection: Collection, name: string) => Promise<Standing | undefined>
  /** Every version that any standing revoked, in ascending order, also when the standing is lost. */
  readonly revoked: (collection: Collection, name: string) => Promise<readonly number[]>
  /**
   * Replaces the standing; `conflict` when its counter is not `expectedCounter` (0: there is none, or none that can be believed), or
   * when the document has no version. All or nothing.
   */
  readonly advance: (collection: Collection, decision: Decision, expectedCounter: number) => Promise<Standing | 'conflict'>
}
