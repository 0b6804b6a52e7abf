import { referenceFiles } from './files.ts'
import { KEPT, keptBy } from './follower.ts'
import type { ReferencesDeps, ReferenceState } from './reference-state.ts'

/** A folder of sets as it is followed (see FolderWatch of folder.ts). */
export type ReferenceFolder = {
  readonly changed: () => Promise<boolean>
  readonly taken: () => Promise<boolean>
  readonly again: () => void
}

type Follow = { readonly deps: ReferencesDeps; readonly state: ReferenceState; readonly folder: ReferenceFolder | undefined }

type Folder = 'good' | keyof typeof KEPT

/** How often the store is asked whether anything changed, and the folder looked at. */
const EVERY_MS = 1_000

/** Looks every second until `stop`. */
export function followReferences(parts: Follow): { readonly alarms: () => readonly string[]; readonly stop: () => void } {
  // What is said once, not at each look.
  const seen: { folder: Folder; store: boolean } = { folder: 'good', store: true }
  let busy = false
  const look = async () => {
    if (busy) return
    busy = true
    seen.store = await lookAtStore(parts, seen.store)
    seen.folder = await lookAtFolder(parts, seen.folder)
    busy = false
  }
  const timer = setInterval(() => void look(), EVERY_MS).unref()
  return {
    alarms: () => (seen.folder === 'good' ? [] : [`the folder of reference values ${KEPT[seen.folder]}`]),
    stop: () => clearInterval(timer),
  }
}

async function lookAtStore({ deps: { log }, state }: Follow, wasGood: boolean): Promise<boolean> {
  try {
    await state.refresh()
    return true
  } catch (error) {
    if (wasGood) log.error({ err: error }, 'the stored reference values cannot be read; those that are known count for half a minute')
    return false
  }
}

/** The folder is taken as a whole or not at all, and only when nothing moved while it was read. */
async function lookAtFolder({ deps, state, folder }: Follow, before: Folder): Promise<Folder> {
  const { log, readFixed, recordFiles } = deps
  if (folder === undefined || !(await folder.changed())) return before
  try {
    const fixed = readFixed()
    // Something moved while it was read: the next look tells.
    if (!(await folder.taken())) return before
    await recordFiles(referenceFiles(fixed))
    state.replaceFixed(fixed)
    log.info({ sets: [...fixed.keys()] }, 'the folder of reference values was read anew')
    return 'good'
  } catch (error) {
    const why = await keptBy(error, folder)
    if (why === 'bad' || before !== why) log.error({ err: error }, `the folder of reference values ${KEPT[why]}`)
    return why
  }
}
