import type { ReferencesDeps, ReferenceState } from './reference-state.ts'

/** A folder of sets as it is followed (see FolderWatch of folder.ts). */
export type ReferenceFolder = { readonly changed: () => Promise<boolean>; readonly taken: () => Promise<boolean> }

type Follow = { readonly deps: ReferencesDeps; readonly state: ReferenceState; readonly folder: ReferenceFolder | undefined }

/** How often the store is asked whether anything changed, and the folder looked at. */
const EVERY_MS = 1_000

/** Looks every second until `stop`. */
export function followReferences(parts: Follow): { readonly alarms: () => readonly string[]; readonly stop: () => void } {
  // What is said once, not at each look.
  const seen = { folder: true, store: true }
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
    alarms: () => (seen.folder ? [] : ['the folder of reference values holds what cannot be used; what was there before counts']),
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
async function lookAtFolder({ deps: { log, readFixed }, state, folder }: Follow, wasGood: boolean): Promise<boolean> {
  if (folder === undefined || !(await folder.changed())) return wasGood
  try {
    const fixed = readFixed()
    // Something moved while it was read: the next look tells.
    if (!(await folder.taken())) return wasGood
    state.replaceFixed(fixed)
    log.info({ sets: [...fixed.keys()] }, 'the folder of reference values was read anew')
    return true
  } catch (error) {
    await folder.taken()
    log.error({ err: error }, 'the folder of reference values holds what cannot be used; what was there before counts')
    return false
  }
}
