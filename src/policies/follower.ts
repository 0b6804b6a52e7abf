import { AttestationError } from '../verifiers/problems.ts'
import type { PoliciesDeps } from './deps.ts'
import { watchFolder, type FolderWatch } from './folder.ts'
import type { PolicyState } from './state.ts'

/** Follows store and folder. */
export type Follower = { readonly alarms: () => readonly string[]; readonly stop: () => void }

/** How often the store is asked whether anything changed, and the folder looked at. */
const EVERY_MS = 1_000

type Follow = { readonly deps: PoliciesDeps; readonly state: PolicyState; readonly watch: FolderWatch | undefined }

/** Why the documents of a folder that were read before stay in force. */
export const KEPT = {
  bad: 'holds what cannot be used; what was there before counts',
  unrecorded: 'changed, which cannot be written to the audit log; what was there before counts',
} as const

/** What is said once, not at each look. */
type Seen = { folder: 'good' | keyof typeof KEPT; store: 'good' | 'bad' }

/** Looks every second until `stop`. `watch` was made before the files were first read. */
export function follow(parts: Follow): Follower {
  const seen: Seen = { folder: 'good', store: 'good' }
  let busy = false
  const look = async () => {
    if (busy) return
    busy = true
    await lookAtStore(parts, seen)
    await lookAtFolder(parts, seen)
    busy = false
  }
  const timer = setInterval(() => void look(), EVERY_MS).unref()
  return {
    alarms: () => (seen.folder === 'good' ? [] : [`the policy folder ${KEPT[seen.folder]}`]),
    stop: () => clearInterval(timer),
  }
}

/** A folder to look at, as it is before its files are read. */
export const watchOf = async ({ folder }: PoliciesDeps): Promise<FolderWatch | undefined> =>
  folder === undefined ? undefined : watchFolder(folder)

async function lookAtStore({ deps, state }: Follow, seen: Seen): Promise<void> {
  try {
    await state.refresh()
    seen.store = 'good'
  } catch (error) {
    if (seen.store === 'good')
      deps.log.error({ err: error }, 'the stored policies cannot be read; those that are known count for half a minute')
    seen.store = 'bad'
  }
}

async function lookAtFolder({ deps, state, watch }: Follow, seen: Seen): Promise<void> {
  if (watch === undefined || !(await watch.changed())) return
  try {
    const fixed = deps.readFixed()
    // Something moved while it was read: the next look tells.
    if (!(await watch.taken())) return
    await state.replaceFixed(fixed)
    seen.folder = 'good'
    deps.log.info({ policies: fixed.map(({ policy }) => policy.reference) }, 'the policy folder was read anew')
  } catch (error) {
    const [before, why] = [seen.folder, await keptBy(error, watch)]
    seen.folder = why
    if (why === 'bad' || before !== why) deps.log.error({ err: error }, `the policy folder ${KEPT[why]}`)
  }
}

/** What cannot be used is looked at again when it changes; what cannot be recorded, at the next look. */
export async function keptBy(error: unknown, watch: Pick<FolderWatch, 'taken' | 'again'>): Promise<keyof typeof KEPT> {
  if (error instanceof AttestationError && error.code === 'audit-unavailable') {
    watch.again()
    return 'unrecorded'
  }
  await watch.taken()
  return 'bad'
}
