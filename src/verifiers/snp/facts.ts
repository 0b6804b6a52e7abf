import type { KeyObject } from 'node:crypto'
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

/**
 * The key of a fact: its name, mode, anchors and role, and the SHA-256 of the bytes that it depends on (design section 2, Memoised). The role is
 * told with its length, because names of test roots are in it; nothing else has a blank in it, so that no two keys are written alike.
 */
export const factKey = ({ fact, mode, anchors, role }: FactScope, digest: string): string =>
  `${fact} ${mode} ${anchors} ${role.length}:${role} ${digest}`
