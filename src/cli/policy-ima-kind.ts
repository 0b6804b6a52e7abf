import { combined, towards, type Direction, type Kind } from './policy-kinds.ts'

/** Names that are told one by one. */
const TOLD = 8

/** Contents by name as `name digest`, entries of lists as themselves. */
function grantsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, contents]) =>
    Array.isArray(contents) ? contents.map((content) => `${name} ${content}`) : [],
  )
}

function compare(before: unknown, after: unknown): Direction {
  const [old, young] = [new Set(grantsOf(before)), new Set(grantsOf(after))]
  const added = [...young].some((grant) => !old.has(grant))
  const removed = [...old].some((grant) => !young.has(grant))
  return combined([towards(added ? 1 : 0, 0), towards(0, removed ? 1 : 0)])
}

/** The beginning of a list that is longer than anybody reads. */
function told(value: unknown, short: (entry: string) => string): string {
  const names = Array.isArray(value) ? value.map((entry) => short(String(entry))) : Object.keys(Object(value))
  const first = names.slice(0, TOLD).join(', ')
  return names.length > TOLD ? `${first}, … (${names.length} in all)` : first
}

const firstLine = (text: string): string => text.split('\n')[0] ?? ''

/** What is accepted, entry by entry: each more is weaker, and without any nothing is accepted this way. */
export const granted: Kind = {
  compare,
  say: (noun, value) =>
    value === undefined ? { part: 'asks', text: `no ${noun}` } : { part: 'accepts', text: `${noun}: ${told(value, firstLine)}` },
}
