import type { ActivePolicy } from '../appraisal/policy-set.ts'
import { columns } from './output.ts'
import type { OptionChange } from './policy-difference.ts'
import { entriesOf, type Direction } from './policy-kinds.ts'

const HEADINGS: readonly (readonly [direction: Direction, heading: string])[] = [
  ['weaker', 'weaker: accepts what was refused'],
  ['both', 'changed: accepts other evidence than before'],
  ['stricter', 'stricter: refuses what was accepted'],
  ['neither', 'changed without effect on what is accepted'],
]

/** Two policies compared, for people: weaknesses first. */
export function differenceText([before, after]: readonly [ActivePolicy, ActivePolicy], changes: readonly OptionChange[]): string {
  const head = columns([
    ['from', nameOf(before)],
    ['to', nameOf(after)],
  ])
  if (changes.length === 0) return `${head}\n\nno difference`
  const parts = HEADINGS.map(([direction, heading]) => [heading, changes.filter((change) => change.direction === direction)] as const)
  return [head, ...parts.filter(([, rows]) => rows.length > 0).map(([heading, rows]) => `${heading}\n${linesOf(rows)}`)].join('\n\n')
}

/** A policy as tokens and audit lines name it. */
export const nameOf = ({ reference }: ActivePolicy): string => `${reference.name}, sha256 ${reference.sha256}`

const linesOf = (rows: readonly OptionChange[]): string =>
  columns(
    rows.map(({ path, before, after }) => [path, changeText(before, after)]),
    2,
  )

/** What came and what went of a list, else both values. */
function changeText(before: unknown, after: unknown): string {
  if (!Array.isArray(before) || !Array.isArray(after)) return `${valueText(before)} → ${valueText(after)}`
  const [old, young] = [entriesOf(before), entriesOf(after)]
  return [...without(young, old).map((entry) => `+ ${entry}`), ...without(old, young).map((entry) => `- ${entry}`)].join(', ')
}

function without(entries: readonly string[], others: readonly string[]): readonly string[] {
  const known = new Set(others)
  return entries.filter((entry) => !known.has(entry))
}

function valueText(value: unknown): string {
  if (value === undefined) return 'nothing written'
  if (Array.isArray(value)) return entriesOf(value).join(', ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
