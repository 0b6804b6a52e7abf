import { whyNot, type ReferenceVersion } from '../appraisal/resolve-references.ts'
import type { VersionEntry } from '../stores/stores.ts'
import { unknown } from './errors.ts'
import type { ReferenceEntry, ReferenceView, StatedReference, WholeReference } from './reference-life.ts'
import type { ReferencesDeps, ReferenceState } from './reference-state.ts'
import { etagOf } from './views.ts'

/** A set wherever it is kept. */
export type FoundSet = {
  readonly name: string
  readonly managedBy: 'store' | 'files'
  readonly counter: number
  /** In ascending order; never empty. */
  readonly versions: readonly ReferenceVersion[]
  /** Of the store: who wrote them, and when. */
  readonly entries: readonly VersionEntry[]
}

/** The set of this name; one in files hides a stored one. Undefined when there is none. */
export function findSet(name: string, state: ReferenceState): FoundSet | undefined {
  const fixed = state.fixed().get(name)
  if (fixed !== undefined) {
    const versions = fixed.toSorted((a, b) => a.version - b.version)
    return { name, managedBy: 'files', counter: 0, versions, entries: [] }
  }
  const stored = state.stored().find((set) => set.name === name && set.versions.length > 0)
  return stored === undefined ? undefined : { ...stored, managedBy: 'store' }
}

/** The same, or throws `reference-values-unknown`. */
export function setOrThrow(name: string, state: ReferenceState): FoundSet {
  const found = findSet(name, state)
  if (found === undefined) throw unknown('there is no set of this name', 'reference-values')
  return found
}

/** All of them, in alphabetical order of names. */
export function allSets(state: ReferenceState): readonly FoundSet[] {
  const names = [...state.sets().keys()].toSorted()
  return names.flatMap((name) => findSet(name, state) ?? [])
}

/** What is listed of a set. */
export function referenceEntry({ name, managedBy, counter, versions }: FoundSet, now: Date): ReferenceEntry {
  const latest = versions.at(-1)
  if (latest === undefined) throw new Error('a set of reference values has no version')
  const inForce = versions.filter((version) => whyNot(version, now) === undefined)
  return {
    name,
    managedBy,
    inForce: inForce.map(({ version, sha256 }) => ({ name, version, sha256 })),
    counter,
    latest: { version: latest.version, sha256: latest.sha256 },
  }
}

/** All versions of a set, in ascending order. */
export const statedReferences = (found: FoundSet, now: Date): readonly StatedReference[] =>
  found.versions.map((version) => stated(version, found, now))

function stated(version: ReferenceVersion, { entries }: FoundSet, now: Date): StatedReference {
  const kept = entries.find((entry) => entry.version === version.version)
  return {
    version: version.version,
    sha256: version.sha256,
    author: kept?.author ?? null,
    created: kept?.created ?? null,
    standing: version.standing,
    whyNot: whyNot(version, now) ?? null,
  }
}

/** One version with its text. Throws `reference-values-unknown`. */
export async function wholeReference(found: FoundSet, asked: number, { store, now }: ReferencesDeps): Promise<WholeReference> {
  const version = found.versions.find((one) => one.version === asked)
  if (version === undefined) throw noVersion()
  if (found.managedBy === 'files') return { ...stated(version, found, now()), text: JSON.stringify(version.document, undefined, 2) }
  const kept = await store.read('reference-values', found.name, asked)
  if (kept === undefined) throw noVersion()
  return { ...stated(version, found, now()), text: kept.text }
}

const noVersion = () => unknown('the set has no such version', 'reference-values')

/** A set with the text of its latest version, and the ETag by which the next writer names it. */
export async function referenceView(found: FoundSet, deps: ReferencesDeps): Promise<ReferenceView> {
  const entry = referenceEntry(found, deps.now())
  const { text } = await wholeReference(found, entry.latest.version, deps)
  return { ...entry, text, etag: etagOf(entry.latest) }
}
