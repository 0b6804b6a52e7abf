import { isDeepStrictEqual } from 'node:util'
import type { AppraisalPolicy } from '../appraisal/policy.ts'
import { towards, type Direction } from './policy-kinds.ts'
import { closedBecause, OPTIONS, TECHNOLOGIES, technologyOf, valueAt } from './policy-options.ts'

/** One option that two policies decide differently; values are JSON, undefined where the member is left out. */
export type OptionChange = { readonly path: string; readonly direction: Direction; readonly before: unknown; readonly after: unknown }

/** What a second policy accepts that a first one refuses, and the other way round, option by option; nothing where they judge alike. */
export function changesBetween(before: AppraisalPolicy, after: AppraisalPolicy): readonly OptionChange[] {
  const gates = TECHNOLOGIES.flatMap((technology): readonly OptionChange[] => {
    const [old, young] = [closedBecause(before, technology), closedBecause(after, technology)]
    const direction = towards(Number(old !== undefined), Number(young !== undefined))
    return direction === 'neither' ? [] : [{ path: technology, direction, before: told(old), after: told(young) }]
  })
  const gateOf = new Map(gates.map(({ path, direction }) => [path, direction]))
  const options = OPTIONS.flatMap(([path, , how]): readonly OptionChange[] => {
    const [old, young] = [valueAt(before, path), valueAt(after, path)]
    if (isDeepStrictEqual(unordered(old), unordered(young))) return []
    return [{ path, direction: directionOf(path) ?? how.compare(old, young), before: old, after: young }]
  })
  return [...gates, ...options]

  /** Where one of the two refuses all evidence of a technology, no single option changes more than that. */
  function directionOf(path: string): Direction | undefined {
    const technology = technologyOf(path)
    if (technology === undefined) return undefined
    const closed = closedBecause(before, technology) !== undefined && closedBecause(after, technology) !== undefined
    return gateOf.get(technology) ?? (closed ? 'neither' : undefined)
  }
}

const told = (reason: string | undefined): string => (reason === undefined ? 'judged' : 'refused altogether')

/** Lists are sets: their order says nothing. */
const unordered = (value: unknown): unknown => (Array.isArray(value) ? new Set(value) : value)

/** Whether anything is accepted now that was refused before. */
export const isWeaker = (changes: readonly OptionChange[]): boolean =>
  changes.some(({ direction }) => direction === 'weaker' || direction === 'both')
