import type { KeyObject } from 'node:crypto'
import type { RevocationList } from '../crl.ts'
import type { FactTable } from '../verifier.ts'
import type { Vek } from './vek.ts'

/** A VEK whose certificate was parsed and whose signature by a pinned intermediate was verified: no dates, no revocation. */
export type VekFact = { readonly vek: Vek; readonly key: KeyObject; readonly issuer: string }

/** What SNP verification remembers: both tables are bounded by whoever hands them in. */
export type SnpFacts = { readonly vek: FactTable<VekFact>; readonly crl: FactTable<RevocationList> }
