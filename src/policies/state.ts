import { audienceProblems } from '../access/audiences.ts'
import { NotBelieved, revisionOf } from './believed.ts'
import { unlessNotReady } from './errors.ts'
import { AttestationError } from '../verifiers/problems.ts'
import type { PoliciesDeps } from './deps.ts'
import { policyFiles } from './files.ts'
import type { FixedPolicy, Snapshot } from './policies.ts'
import { buildSnapshot, type Built } from './snapshot.ts'
import { readStored, type ReadPolicies, type StoredPolicy } from './stored.ts'

/** What one process knows of its policies, and how it comes to know more. */
export type PolicyState = {
  readonly fixed: () => readonly FixedPolicy[]
  readonly stored: () => readonly StoredPolicy[]
  /** Throws `not-ready` when it is too old. */
  readonly snapshot: () => Snapshot
  /** What the store says now: resolves when everything that was written before the call counts. Rejects when the store cannot be read. */
  readonly refresh: () => Promise<void>
  /** Takes other files once they are recorded, unless they would harm an audience; the old ones stay then, and what is wrong is thrown. */
  readonly replaceFixed: (fixed: readonly FixedPolicy[]) => Promise<void>
  readonly problems: () => readonly string[]
  readonly alarms: () => readonly string[]
}

/** Half a minute: long enough for a store that restarts, short enough that what was revoked does not go on counting where nobody hears of it. */
const MOST_AGE_MS = 30_000
/** The poll of the next second may confirm. */
const RETRY_SECONDS = 2

type Known = Built & {
  readonly fixed: readonly FixedPolicy[]
  readonly stored: readonly StoredPolicy[]
  readonly revision: string | undefined
}

/** What moves. */
type Moving = {
  known: Known
  /** When the store was last asked and answered. */
  confirmed: number
  /** The store is not to be believed. */
  refused: boolean
  loading: Promise<void> | undefined
  readonly read: ReadPolicies
}

/**
 * Reads the store once. Rejects when that fails; a store that answers `not-ready` is asked again by every `refresh`, and until it answers
 * there is no snapshot.
 */
export async function createState(deps: PoliciesDeps): Promise<PolicyState> {
  const read: ReadPolicies = new Map()
  const began = clockOf(deps)()
  const files = deps.readFixed()
  const known = await load(files, read, deps).catch(unlessNotReady)
  const confirmed = known === undefined ? Number.NEGATIVE_INFINITY : began
  const moving: Moving = { known: known ?? withoutStore(files, deps), confirmed, refused: false, loading: undefined, read }
  const isStale = () => moving.refused || clockOf(deps)() - moving.confirmed > MOST_AGE_MS
  return {
    fixed: () => moving.known.fixed,
    stored: () => moving.known.stored,
    snapshot: () => {
      if (isStale()) throw new AttestationError('not-ready', 'the policies cannot be confirmed', { retryAfter: RETRY_SECONDS })
      return moving.known.snapshot
    },
    refresh: async () => {
      // One that has begun may have asked before the caller wrote.
      await moving.loading?.catch(() => undefined)
      await (moving.loading ??= follow(moving, deps))
    },
    replaceFixed: async (fixed) => {
      refuseHarm(rebuilt({ ...moving.known, fixed }, deps).snapshot, moving.known.snapshot, deps)
      await deps.recordFiles(policyFiles(fixed))
      // The store may have been read meanwhile.
      moving.known = rebuilt({ ...moving.known, fixed }, deps)
    },
    problems: () => (isStale() ? ['the policies cannot be confirmed'] : []),
    alarms: () => alarmsOf(moving.known, deps),
  }
}

const clockOf = ({ clock = () => performance.now() }: PoliciesDeps): (() => number) => clock

async function load(fixed: readonly FixedPolicy[], read: ReadPolicies, deps: PoliciesDeps): Promise<Known> {
  // Asked first: what is written while the rest is read changes it once more.
  const revision = await revisionOf(deps.store, 'policies')
  const stored = await readStored(deps, read)
  return { ...buildSnapshot({ fixed, stored }, deps.audiences, deps.log), fixed, stored, revision }
}

/** What is known before the store could be read. */
const withoutStore = (fixed: readonly FixedPolicy[], { audiences, log }: PoliciesDeps): Known => ({
  ...buildSnapshot({ fixed, stored: [] }, audiences, log),
  fixed,
  stored: [],
  revision: undefined,
})

const rebuilt = (known: Known, { audiences, log }: PoliciesDeps): Known => ({ ...known, ...buildSnapshot(known, audiences, log) })

/** Reads what changed, if anything did. */
async function follow(moving: Moving, deps: PoliciesDeps): Promise<void> {
  const began = clockOf(deps)()
  try {
    if ((await revisionOf(deps.store, 'policies')) !== moving.known.revision) await reload(moving, deps)
    moving.refused = false
    moving.confirmed = began
  } catch (error) {
    // No answer may be a matter of seconds. An older head is somebody's doing: nothing counts until a good one is seen.
    if (error instanceof NotBelieved) moving.refused = true
    throw error
  } finally {
    moving.loading = undefined
  }
}

async function reload(moving: Moving, deps: PoliciesDeps): Promise<void> {
  const before = moving.known.fixed
  const loaded = await load(before, moving.read, deps)
  // The files may have been replaced while the store was read.
  const { fixed } = moving.known
  moving.known = fixed === before ? loaded : rebuilt({ ...loaded, fixed }, deps)
}

const alarmsOf = ({ complete, snapshot }: Known, deps: PoliciesDeps): readonly string[] => [
  ...(complete ? [] : ['a stored policy counts for nothing']),
  ...(isMissing(snapshot, deps) ? ['a policy that an audience may use is not there'] : []),
]

/** Throws when an audience would be weakened, or would lose a policy that it has. */
function refuseHarm(next: Snapshot, now: Snapshot, { audiences }: PoliciesDeps): void {
  const lost = audiences.flatMap((audience) =>
    audience.policies
      .filter((name) => now.get(name) !== undefined && next.get(name) === undefined)
      .map((name) => `audiences.${audience.name}.policies: the policy ${name} would be gone`),
  )
  const weakened = audienceProblems(audiences, next, 'awaited').map(({ path, message }) => `${path}: ${message}`)
  if (lost.length + weakened.length > 0) throw new Error([...lost, ...weakened].join('\n'))
}

const isMissing = (snapshot: Snapshot, { audiences }: PoliciesDeps): boolean =>
  audiences.some(({ policies }) => policies.some((name) => snapshot.get(name) === undefined))
