import { hash } from 'node:crypto'
import type { TpmContext } from '../verifiers/tpm/context.ts'
import type { Evidence, Finding } from '../verifiers/verifier.ts'
import { evidenceDigest, evidenceOf } from './evidence.ts'
import type { EvidenceItem } from './evidence-items.ts'
import type { Authority } from './nonce.ts'
import type { ListPart } from './parts.ts'
import type { Services } from './services.ts'
import { turns } from './turns.ts'

/** Evidence with a list that is still on its way; without one as {@link evidenceOf}. */
export function evidenceWith(item: EvidenceItem, list: ListPart | undefined): Evidence {
  const evidence = evidenceOf(item)
  return evidence.type === 'tpm' && list !== undefined ? { ...evidence, imaLog: list } : evidence
}

/**
 * What names the evidence in appraisal and audit: the digest of the items; for a list that is streamed, SHA-256 over that digest and the
 * SHA-256 of the list as far as it was read. Asked when the decision is made, and not before.
 */
export function digestWith(items: readonly EvidenceItem[], list: ListPart | undefined): () => string {
  const digest = evidenceDigest(items)
  return list === undefined ? () => digest : () => hash('sha256', Buffer.concat([Buffer.from(digest, 'hex'), list.sha256()]))
}

/** What the judgement of a list goes by beside the policy. Throws `tpm-ima-state-stale`. */
export function imaContext(item: EvidenceItem, authority: Authority, { imaStates }: Services): TpmContext {
  const sealed = item.type === 'tpm' ? item.ima_state : undefined
  return sealed === undefined ? { pause: turns.next } : { pause: turns.next, imaState: imaStates.open(sealed, authority) }
}

/** The state that the next request may continue; absent where there is no list, or the state would be too large. */
export function nextState({ remains }: Finding, authority: Authority, { imaStates }: Services): { readonly ima_state?: string } {
  const sealed = remains?.imaState === undefined ? undefined : imaStates.seal(remains.imaState, authority)
  return sealed === undefined ? {} : { ima_state: Buffer.from(sealed).toString('base64') }
}

/** Whether a list can be judged a second time by other rules: one that was read is gone, and one that was continued is not whole. */
export const isWhole = (item: EvidenceItem, list: ListPart | undefined): boolean =>
  list === undefined && (item.type !== 'tpm' || item.ima_state === undefined)
