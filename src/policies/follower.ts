import type { PoliciesDeps } from './deps.ts'
import { watchFolder, type FolderWatch } from './folder.ts'
import type { PolicyState } from './state.ts'

/** Follows store and folder. */
export type Follower = { readonly alarms: () => readonly string[]; readonly stop: () => void }

/** How often the store is asked whether anything changed, and the folder looked at. */
const EVERY_MS = 1_000

type Follow = { readonly deps: PoliciesDeps; readonly state: PolicyState; readonly watch: FolderWatch | undefined }

/** What is said once, not at each look. */
type Seen = { folder: 'good' | 'bad'; store: 'good' | 'bad' }

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
    alarms: () => (seen.folder === 'good' ? [] : ['the policy folder holds what cannot be used; what was there before counts']),
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
    state.replaceFixed(fixed)
    seen.folder = 'good'
    deps.log.info({ policies: fixed.map(({ policy }) => policy.reference) }, 'the policy folder was read anew')
  } catch (error) {
    await watch.taken()
    seen.folder = 'bad'
    deps.log.error({ err: error }, 'the policy folder holds what cannot be used; what was there before counts')
  }
}
