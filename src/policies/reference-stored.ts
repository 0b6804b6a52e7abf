import { NOTHING_DECIDED, readReferenceStanding, standingOf, withRevoked, type ReferenceStanding } from '../appraisal/reference-standing.ts'
import { readReferenceSet, type ReferenceContent } from '../appraisal/reference-values.ts'
import { PolicyError } from '../appraisal/read-policy.ts'
import type { ReferenceVersion } from '../appraisal/resolve-references.ts'
import type { DocumentStore, VersionEntry } from '../stores/stores.ts'
import type { Telemetry } from '../telemetry/log.ts'

/** What reading takes. */
export type StoredSetDeps = { readonly store: DocumentStore; readonly log: Telemetry }

/** One set of the store. */
export type StoredSet = {
  readonly name: string
  /** In ascending order, as they were kept. */
  readonly entries: readonly VersionEntry[]
  /** The same, as they stand. */
  readonly versions: readonly ReferenceVersion[]
  /** How often something was decided about it; 0: never. */
  readonly counter: number
  /** Whether something that should count does not. */
  readonly faulty: boolean
}

/** Contents by `name/version`: versions never change, so each is read once. */
export type ReadSets = Map<string, ReferenceContent>

/** All sets of the store. What cannot be used gives no value, is said in the log, and marked. Rejects when the store cannot be read. */
export async function readStoredSets(deps: StoredSetDeps, known: ReadSets): Promise<readonly StoredSet[]> {
  const sets: StoredSet[] = []
  // One after the other: a thousand questions at once would hold up the store for everybody.
  for (const name of await deps.store.names('reference-values')) sets.push(await readOne(name, deps, known))
  return sets
}

async function readOne(name: string, deps: StoredSetDeps, known: ReadSets): Promise<StoredSet> {
  const entries = await deps.store.versions('reference-values', name)
  const { standing, counter } = await keptReferences(name, deps.store)
  if (standing === undefined) deps.log.error({ set: name }, 'what counts of a set of reference values cannot be read; nothing of it does')
  const versions: ReferenceVersion[] = []
  for (const entry of entries) versions.push(await versionOf({ name, entry, standing }, deps, known))
  const faulty = standing === undefined || versions.some((version) => isWanted(version) && version.document === undefined)
  return { name, entries, versions, counter, faulty }
}

type KeptReferences = { readonly standing: ReferenceStanding | undefined; readonly counter: number }

/** What was decided about a set; undefined when it cannot be understood. A standing that is lost is as none, but for what was revoked. */
export async function keptReferences(name: string, store: DocumentStore): Promise<KeptReferences> {
  const kept = await store.standing('reference-values', name)
  const standing = kept === undefined ? NOTHING_DECIDED : readReferenceStanding(kept.value)
  // Asked last: a revocation is in both, so none is missed that came meanwhile.
  const revoked = await store.revoked('reference-values', name)
  return { standing: standing && withRevoked(standing, revoked), counter: kept?.counter ?? 0 }
}

type Stored = { readonly name: string; readonly entry: VersionEntry; readonly standing: ReferenceStanding | undefined }

/** Drafts and what was revoked give no value, so their texts are not read. */
async function versionOf({ name, entry, standing }: Stored, deps: StoredSetDeps, known: ReadSets): Promise<ReferenceVersion> {
  const { version, sha256 } = entry
  const bare = { version, sha256, standing: standing === undefined ? ({ state: 'draft' } as const) : standingOf(standing, version) }
  if (!isWanted(bare)) return bare
  const key = `${name}/${version}`
  const content = known.get(key) ?? (await read({ name, version, sha256 }, deps))
  if (content === undefined) return bare
  known.set(key, content)
  return { ...bare, document: content.document }
}

const isWanted = ({ standing }: ReferenceVersion): boolean => standing.state === 'active' || standing.state === 'deprecated'

type Wanted = { readonly name: string; readonly version: number; readonly sha256: string }

/** The content of a version; undefined, and said in the log, when it is not there or is no longer taken. */
async function read({ name, version, sha256 }: Wanted, { store, log }: StoredSetDeps): Promise<ReferenceContent | undefined> {
  const about = { set: name, version }
  const kept = await store.read('reference-values', name, version)
  if (kept === undefined) {
    log.error(about, 'a version of a set of reference values that should count is not there')
    return undefined
  }
  try {
    const content = readReferenceSet(kept.text, name)
    if (content.document.name !== name) throw new PolicyError(name, [{ path: 'name', message: `is ${content.document.name}` }])
    if (content.sha256 !== sha256)
      log.warn({ ...about, sha256: content.sha256 }, 'this program understands a stored set otherwise than its writer did')
    return content
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    log.error({ ...about, detail: error.message }, 'a version of a set of reference values that should count cannot be used')
    return undefined
  }
}
