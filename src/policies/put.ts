import type { PoliciesDeps } from './deps.ts'
import { conflict } from './errors.ts'
import type { Draft, Precondition, Recorder } from './policies.ts'
import { DRAFT_VERSION, policyOf } from './reading.ts'
import type { DocumentVersion } from '../stores/stores.ts'
import { etagOf } from './views.ts'

/** What became of a draft: it is the first version, or the next, or what the latest version says already. */
export type PutOutcome = 'created' | 'added' | 'same'

/** Keeps a text as the next version of a policy that is not fixed. Nothing of it counts yet. */
export async function putVersion(draft: Draft, deps: PoliciesDeps, record: Recorder): Promise<PutOutcome> {
  const { name, text } = draft
  const { reference } = policyOf({ name, version: DRAFT_VERSION, text }, deps.floor)
  const latest = (await deps.store.versions('policies', name)).at(-1)
  checkPrecondition(draft.precondition, latest === undefined ? undefined : etagOf(latest))
  if (latest !== undefined && (await deps.store.read('policies', name, latest.version))?.text === text) return 'same'
  const version = (latest?.version ?? 0) + 1
  await record({ ...reference, version })
  await append(draft, { version, sha256: reference.sha256 }, deps)
  return version === 1 ? 'created' : 'added'
}

type Next = Pick<DocumentVersion, 'version' | 'sha256'>

async function append({ name, text, by }: Draft, { version, sha256 }: Next, { store, now }: PoliciesDeps): Promise<void> {
  const kept = await store.append('policies', { name, text, sha256, author: by, created: now() }, version - 1)
  if (kept === 'conflict') throw conflict('somebody else wrote a version first', 'If-Match')
}

/** Throws a conflict unless the latest version, by its ETag, is what the writer saw. */
export function checkPrecondition(precondition: Precondition, current: string | undefined, kind?: 'reference-values'): void {
  if (precondition === 'absent') {
    if (current !== undefined) throw conflict('it is there already', 'If-None-Match', kind)
    return
  }
  if (current === undefined) throw conflict('there is none yet', 'If-Match', kind)
  if (precondition.ifMatch !== current) throw conflict(`the latest version is ${current}`, 'If-Match', kind)
}
