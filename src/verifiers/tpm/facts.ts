import type { FactTable } from '../verifier.ts'

/** A chain of certificates that is proven up to an anchor: no dates, no revocation. What it holds is for trust.ts to say. */
export type TpmChainFact = object

/** Time-free facts about TPM certificates that are worth remembering. */
export type TpmFacts = { readonly chain: FactTable<TpmChainFact> }
