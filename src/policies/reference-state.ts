import type { ReferenceSets, ReferenceVersion } from '../appraisal/resolve-references.ts'
import type { RecordFiles } from './files.ts'
import { NotBelieved, revisionOf } from './believed.ts'
import { unlessNotReady } from './errors.ts'
import { readStoredSets, type ReadSets, type StoredSet, type StoredSetDeps } from './reference-stored.ts'

/** What the sets of one process depend on. */
export type ReferencesDeps = StoredSetDeps & {
  /** The sets of the folder as they are now. Throws with everything that is wrong with them. */
  readonly readFixed: () => ReferenceSets
  readonly recordFiles: RecordFiles
  readonly now: () => Date
  /** Whether a version must be activated by somebody else than its author. */
  readonly separateAuthorAndActivator: boolean
  /** Milliseconds that only go forward; tests give their own. */
  readonly clock?: () => number
}

/** What one process knows of its sets, and how it comes to know more. */
export type ReferenceState = {
  /** All sets, another object after each change. Those of the folder hide stored ones of the same name. */
  readonly sets: () => ReferenceSets
  /** Those that are kept in files. */
  readonly fixed: () => ReferenceSets
  readonly stored: () => readonly StoredSet[]
  /** Resolves when everything that was written before the call counts. Rejects when the store cannot be read. */
  readonly refresh: () => Promise<void>
  readonly replaceFixed: (fixed: ReferenceSets) => void
  /** Whether nobody could confirm for half a minute that the sets still hold. */
  readonly isStale: () => boolean
  readonly alarms: () => readonly string[]
}

/** As for policies: long enough for a store that restarts, short enough that what was revoked does not go on counting. */
const MOST_AGE_MS = 30_000

type Known = {
  readonly fixed: ReferenceSets
  readonly stored: readonly StoredSet[]
  readonly revision: string | undefined
  readonly sets: ReferenceSets
}

/**
 * Reads folder and store once. Rejects when the store cannot be read, unless it is `not-ready` (the sets are stale then); throws what
 * `readFixed` throws.
 */
export async function createReferenceState(deps: ReferencesDeps): Promise<ReferenceState> {
  const { log, clock = () => performance.now() } = deps
  const read: ReadSets = new Map()
  const fixed = deps.readFixed()
  let known: Known = { fixed, stored: [], revision: undefined, sets: fixed }
  let confirmed = Number.NEGATIVE_INFINITY
  let refused = false
  let loading: Promise<void> | undefined

  async function follow(): Promise<void> {
    const began = clock()
    try {
      const news = await changes(known.revision, deps, read)
      if (news !== undefined) known = withSets({ ...known, ...news }, log)
      refused = false
      confirmed = began
    } catch (error) {
      // No answer may be a matter of seconds. An older head is somebody's doing: nothing counts until a good one is seen.
      if (error instanceof NotBelieved) refused = true
      throw error
    } finally {
      loading = undefined
    }
  }
  await follow().catch(unlessNotReady)
  return {
    sets: () => known.sets,
    fixed: () => known.fixed,
    stored: () => known.stored,
    refresh: async () => {
      // One that has begun may have asked before the caller wrote.
      await loading?.catch(() => undefined)
      await (loading ??= follow())
    },
    replaceFixed: (next) => {
      known = withSets({ ...known, fixed: next }, log)
    },
    isStale: () => refused || clock() - confirmed > MOST_AGE_MS,
    alarms: () => (isComplete(known) ? [] : ['a stored set of reference values counts for nothing']),
  }
}

/** What the store holds, unless it is what was read before. */
async function changes(
  before: string | undefined,
  deps: ReferencesDeps,
  read: ReadSets,
): Promise<Omit<Known, 'fixed' | 'sets'> | undefined> {
  // Asked first: what is written while the rest is read changes it once more.
  const revision = await revisionOf(deps.store, 'reference-values')
  return revision === before ? undefined : { revision, stored: await readStoredSets(deps, read) }
}

/** Files first: a stored set of the same name counts for nothing, which is said in the log. */
function withSets(parts: Omit<Known, 'sets'>, log: ReferencesDeps['log']): Known {
  const { fixed, stored } = parts
  for (const { name } of stored.filter((set) => fixed.has(set.name)))
    log.error({ set: name }, 'a stored set of reference values has the name of one that is kept in files, and counts for nothing')
  const sets = new Map<string, readonly ReferenceVersion[]>(stored.map(({ name, versions }) => [name, versions]))
  for (const [name, versions] of fixed) sets.set(name, versions)
  return { ...parts, sets }
}

const isComplete = ({ fixed, stored }: Known): boolean => stored.every(({ name, faulty }) => !faulty && !fixed.has(name))
