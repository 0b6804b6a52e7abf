import type { Listed, SetEntry } from './listed.ts'
import type { AppraisalPolicy } from './policy.ts'
import type { ReferenceEnds } from './reference-ends.ts'
import { setsNamedBy, withReferenceLists, type ReferencePlace } from './reference-lists.ts'
import type { VersionStanding } from './reference-standing.ts'
import { valuesAt, type ReferenceDocument } from './reference-values.ts'

/** One version of a set as it stands now. The document is needed of what is in force; where it is missing the version gives no value. */
export type ReferenceVersion = {
  readonly version: number
  readonly sha256: string
  readonly standing: VersionStanding
  readonly document?: ReferenceDocument | undefined
}

/** All versions of all sets, by the name of the set. */
export type ReferenceSets = ReadonlyMap<string, readonly ReferenceVersion[]>

/** A version whose values were accepted: what an audit line says beside the policy. */
type UsedReference = { readonly name: string; readonly version: number; readonly sha256: string }

/** A policy that judges: its lists hold values, and the sets that give none with the reason. */
export type ResolvedPolicy = {
  readonly document: AppraisalPolicy
  readonly used: readonly UsedReference[]
  readonly ends: ReferenceEnds
  /** From when on the answer may be another, because a version begins, ends, or is no longer tolerated; absent: only a change of the sets changes it. */
  readonly until?: Date
}

/** Values of one list of a policy, its own and those of all its sets. */
const MOST_LISTED = 100_000

/**
 * Puts the values of sets in their places. A version counts while it is active, or deprecated until a later time, and valid; of a set whose
 * versions all do not, the entry stays with its state, and accepts nothing. So do those of a list that would become longer than 100,000.
 */
export function resolveReferences(policy: AppraisalPolicy, sets: ReferenceSets, now: Date): ResolvedPolicy {
  const named = [...new Set(setsNamedBy(policy).map(({ set }) => set))]
  if (named.length === 0) return { document: policy, used: [], ends: new Map() }
  const found = new Map(named.map((name) => [name, stateOf(sets.get(name) ?? [], now)]))
  const until = earliest(named.flatMap((name) => boundaries(sets.get(name) ?? [], now)))
  const ends = new Map<ReferencePlace, ReadonlyMap<string, number>>()
  const document = withReferenceLists(policy, (list, place) => {
    if (!list.some((entry) => typeof entry === 'object')) return list
    const made = filled(list, place, found)
    if (made.ends.size > 0) ends.set(place, made.ends)
    return made.list
  })
  return {
    document,
    ends,
    used: [...found].flatMap(([name, { inForce }]) => inForce.map(({ version, sha256 }) => ({ name, version, sha256 }))),
    ...(until === undefined ? {} : { until }),
  }
}

type InForce = ReferenceVersion & { readonly document: ReferenceDocument }
type State = { readonly inForce: readonly InForce[]; readonly words: string }

function stateOf(versions: readonly ReferenceVersion[], now: Date): State {
  const inForce = versions.flatMap(({ document, ...rest }) =>
    document !== undefined && whyNot({ document, ...rest }, now) === undefined ? [{ ...rest, document }] : [],
  )
  return { inForce, words: wordsOf(versions, now) }
}

/** Versions of a set that are told, from the newest. */
const TOLD = 3

function wordsOf(versions: readonly ReferenceVersion[], now: Date): string {
  const newest = versions.toSorted((a, b) => b.version - a.version).slice(0, TOLD)
  const told = newest.map((version) => `version ${version.version} ${whyNot(version, now) ?? 'in force'}`).join('; ')
  if (versions.length === 0) return 'unknown'
  return versions.length > TOLD ? `${told}; … (${versions.length} versions)` : told
}

/** Why a version gives no value now; undefined when it does. */
export function whyNot({ standing, document }: ReferenceVersion, now: Date): string | undefined {
  if (standing.state === 'draft') return 'draft'
  if (standing.state === 'revoked') return `revoked: ${standing.reason}`
  if (standing.state === 'deprecated' && isPast(standing.until, now)) return `deprecated until ${standing.until}`
  return document === undefined ? 'unreadable' : invalidity(document, now)
}

function invalidity({ valid: { from, until } }: ReferenceDocument, now: Date): string | undefined {
  if (from !== undefined && !isPast(from, now)) return `valid from ${from}`
  return until !== undefined && isPast(until, now) ? `expired ${until}` : undefined
}

/** What ends at a time does not hold at that time any more. */
const isPast = (time: string, now: Date): boolean => new Date(time) <= now

function boundaries(versions: readonly ReferenceVersion[], now: Date): readonly number[] {
  const times = versions.flatMap(({ standing, document }) => [
    standing.state === 'deprecated' ? standing.until : undefined,
    document?.valid.from,
    document?.valid.until,
  ])
  return times.filter((time) => time !== undefined && !isPast(time, now)).map((time) => new Date(time ?? 0).getTime())
}

const earliest = (times: readonly number[]): Date | undefined => (times.length === 0 ? undefined : new Date(Math.min(...times)))

type Filled = { readonly list: Listed; readonly ends: ReadonlyMap<string, number> }

/** Sets that give nothing come first, because an answer tells the beginning of a list. */
function filled(list: Listed, place: ReferencePlace, states: ReadonlyMap<string, State>): Filled {
  const own = list.filter((entry) => typeof entry === 'string')
  const values = new Set(own)
  const silent: SetEntry[] = []
  const ends = new Map<string, number>()
  for (const { set } of list.filter((entry) => typeof entry === 'object')) {
    const given = givenBy(states.get(set), place)
    const why = typeof given === 'string' ? given : add(values, given)
    if (why !== undefined) silent.push({ set, state: why })
    else if (typeof given === 'object') noteEnds(ends, given)
  }
  // What the policy lists itself does not end, nor does what some version gives without end.
  for (const value of own) ends.delete(value)
  for (const [value, end] of ends) if (end === Infinity) ends.delete(value)
  return { list: Object.freeze([...silent.map((entry) => Object.freeze(entry)), ...values]), ends }
}

/** Values of one version for one list, and when it ends; Infinity: it does not. */
type Given = { readonly values: readonly string[]; readonly end: number }

function givenBy(state: State | undefined, place: ReferencePlace): readonly Given[] | string {
  if (state === undefined || state.inForce.length === 0) return state?.words ?? 'unknown'
  const given = state.inForce.map((version) => ({ values: valuesAt(version.document, place), end: endOf(version) }))
  return given.every(({ values }) => values.length === 0) ? `has no ${place}` : given
}

/** When a version that is in force stops being it, by what was decided and by what it says itself. */
function endOf({ standing, document }: InForce): number {
  const times = [standing.state === 'deprecated' ? standing.until : undefined, document.valid.until]
  return Math.min(Infinity, ...times.map((time) => (time === undefined ? Infinity : new Date(time).getTime())))
}

function add(values: Set<string>, given: readonly Given[]): string | undefined {
  const count = given.reduce((sum, one) => sum + one.values.length, 0)
  if (values.size + count > MOST_LISTED) return `more than ${MOST_LISTED} values in one list`
  for (const one of given) for (const value of one.values) values.add(value)
  return undefined
}

/** A value that several versions give holds until the last of them ends. */
function noteEnds(ends: Map<string, number>, given: readonly Given[]): void {
  for (const { values, end } of given) for (const value of values) ends.set(value, Math.max(end, ends.get(value) ?? 0))
}
