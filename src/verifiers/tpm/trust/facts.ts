import { createHash, type KeyObject } from 'node:crypto'
import type { RevocationList } from '../../crl.ts'
import type { FactTable, Mode } from '../../verifier.ts'
import type { ProvenChain } from './chain.ts'

/** A key, and its DER SubjectPublicKeyInfo as OpenSSL writes it: authorities write the same key in several ways. */
export type CertifiedKey = { readonly key: KeyObject; readonly spki: Uint8Array }

/** A certificate that leads to anchors, by one chain at least: no dates, no revocation. */
export type TpmChainFact = CertifiedKey & { readonly chains: readonly ProvenChain[] }

/** A certificate that Assay's own authority signed, known by the SHA-256 (lower-case hex) of its SubjectPublicKeyInfo: no dates, no basis. */
export type OwnProof = CertifiedKey & { readonly authoritySha256: string }

/** Time-free facts about certificates and revocation lists that are worth remembering. */
export type TrustFacts = {
  readonly chain: FactTable<TpmChainFact>
  readonly own: FactTable<OwnProof>
  readonly crl: FactTable<RevocationList>
  /** Keys that policies enrol, by the bytes that told of them: whoever trusts them, they are the same. */
  readonly key: FactTable<CertifiedKey>
}

/** What a remembered fact depends on besides its bytes. `fact`: name and version, raised whenever what is checked changes. */
export type TrustFactScope = {
  readonly fact: 'tpm-chain/1' | 'tpm-own/1' | 'tpm-crl/1'
  readonly mode: Mode
  readonly anchors: string
  readonly role: string
}

/** The key of a fact: SHA-256 over all that it depends on, each length-prefixed (design section 2, Memoised). */
export function factKey(scope: TrustFactScope, inputs: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const part of [scope.fact, scope.mode, scope.anchors, scope.role, ...inputs]) hash.update(`${part.length}:`).update(part)
  return hash.digest('base64')
}
