/**
 * An entry of a list that names a set of reference values. Written, it is `{ set: nodes }`; a policy that judges holds the values of the set
 * in its place, or the entry itself with `state`: why the set gives no value, as `revoked: leaked build`.
 */
export type SetEntry = { readonly set: string; readonly state?: string }

/** What a policy lists: values, and sets of them. */
export type Listed = readonly (string | SetEntry)[]

/** From this length on a list is looked up by hash, so that a thousand values cost what one does. */
const SHORT = 8

/** Lists never change, so the hashed form of each is made once. */
const hashed = new WeakMap<Listed, ReadonlySet<string | SetEntry>>()

/** Whether a value is on a list. An entry that names a set is no value: where nobody put its values in its place, it accepts nothing. */
export const isListed = (list: Listed, value: string): boolean => (list.length <= SHORT ? list.includes(value) : hashOf(list).has(value))

function hashOf(list: Listed): ReadonlySet<string | SetEntry> {
  const known = hashed.get(list)
  if (known !== undefined) return known
  const made = new Set(list)
  hashed.set(list, made)
  return made
}

/** An entry for people: the value, or the set with its state. */
export const entryText = (entry: string | number | SetEntry): string =>
  typeof entry === 'object' ? `values of the set ${entry.set} (${entry.state ?? 'unknown'})` : `${entry}`
