import { createHash } from 'node:crypto'
import type { FactTable, Mode } from '../verifier.ts'
import type { RevocationList } from '../crl.ts'
import type { QeIdentity } from './qe-identity.ts'
import type { SignedDocument } from './signed-document.ts'
import type { TcbInfo } from './tcb-info.ts'

/** What verification of TDX and SGX quotes remembers: every table is bounded by whoever hands it in. */
export type TdxFacts = {
  /** Revocation lists whose signature by the root or by a PCK authority was verified. */
  readonly crl: FactTable<RevocationList>
  /** Documents that Intel’s TCB signing key has signed, with the chain of that key. */
  readonly tcbInfo: FactTable<SignedDocument<TcbInfo>>
  readonly qeIdentity: FactTable<SignedDocument<QeIdentity>>
}

/** What a remembered fact depends on besides its bytes. `fact`: name and version, raised whenever what is checked changes. */
export type TdxFactScope = {
  readonly fact: 'intel-crl/1' | 'intel-tcb-info/1' | 'intel-qe-identity/1'
  readonly mode: Mode
  /** Digest of the anchors. */
  readonly anchors: string
}

/** The key of a fact: SHA-256 over all that it depends on, each length-prefixed (design section 2, Memoised). */
export function tdxFactKey({ fact, mode, anchors }: TdxFactScope, parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const part of [fact, mode, anchors]) hash.update(`${part.length}:${part}`)
  for (const part of parts) hash.update(`${part.length}:`).update(part)
  return hash.digest('base64')
}
