import { createHash, type KeyObject } from 'node:crypto'
import type { RevocationList } from '../crl.ts'
import type { AmdAnchor, Check, FactTable, Mode } from '../verifier.ts'
import type { SnpProduct } from './claims.ts'
import type { Vek } from './vek.ts'

/** A VEK whose certificate was read and whose signature by a pinned intermediate was verified: no dates, no revocation, no report. */
export type VekFact = {
  readonly vek: Vek
  readonly key: KeyObject
  /** The product of the chain that verified. */
  readonly product: SnpProduct
  /** The intermediate that signed it, and the root of that product. */
  readonly issuer: AmdAnchor
  readonly root: AmdAnchor
  /** The windows of root, intermediate and VEK. */
  readonly windows: readonly Window[]
  /** The checks that made this a fact; all passed. */
  readonly checks: readonly Check[]
}

/** When one certificate of the chain is valid; `text` says it for people. */
export type Window = { readonly name: string; readonly notBefore: Date; readonly notAfter: Date; readonly text: string }

/** What SNP verification remembers: both tables are bounded by whoever hands them in. */
export type SnpFacts = { readonly vek: FactTable<VekFact>; readonly crl: FactTable<RevocationList> }

/** What a remembered fact depends on besides its bytes. `fact`: name and version, raised whenever what is checked changes. */
export type FactScope = {
  readonly fact: 'snp-vek/1' | 'snp-crl/1'
  readonly mode: Mode
  readonly anchors: string
  readonly role: string
}

/** The key of a fact: SHA-256 over all that it depends on, each length-prefixed (design section 2, Memoised). */
export function factKey(scope: FactScope, bytes: Uint8Array): string {
  const parts = [scope.fact, scope.mode, scope.anchors, scope.role].map(lengthPrefixed).join('')
  return createHash('sha256').update(`${parts}${bytes.length}:`).update(bytes).digest('base64')
}

const lengthPrefixed = (part: string): string => `${part.length}:${part}`
