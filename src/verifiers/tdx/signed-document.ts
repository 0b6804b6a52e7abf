import type { ParsedCertificate } from '../x509.ts'

/** The chain of a TCB signing key, proven up to a pinned root: signer and root. */
export type SigningChain = { readonly signer: ParsedCertificate; readonly root: ParsedCertificate }

/** A document that Intel's TCB signing key has signed, read, and the chain of that key. Time-free: nothing is said of dates or revocation. */
export type SignedDocument<T> = { readonly chain: SigningChain; readonly document: T }
