import { combined, towards, type Direction, type Kind } from './policy-kinds.ts'

type Parts = Readonly<Record<string, unknown>>

const isParts = (value: unknown): value is Parts => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Each product line, and each model, as one entry of its own. */
const entriesOf = (minima: Parts): ReadonlyMap<string, unknown> =>
  new Map([
    ...Object.entries(minima).filter(([product]) => product !== 'cpuid'),
    ...(isParts(minima['cpuid']) ? Object.entries(minima['cpuid']) : []),
  ])

/** A model that no minimum names is judged by its product line alone; a product line that none names is refused. */
function compareEntry(name: string, before: unknown, after: unknown): Direction {
  if (before !== undefined && after !== undefined) return compareParts(before, after)
  return name.includes('_') ? 'both' : towards(Number(before === undefined), Number(after === undefined))
}

/** `any` asks for no part. */
const compareParts = (before: unknown, after: unknown): Direction =>
  combined([...new Set([...partsOf(before), ...partsOf(after)])].map((part) => towards(level(before, part), level(after, part))))

const partsOf = (value: unknown): readonly string[] => (isParts(value) ? Object.keys(value) : [])

const level = (parts: unknown, key: string): number => (isParts(parts) ? Number(parts[key] ?? -1) : -1)

const textOf = (minima: Parts): string =>
  [...entriesOf(minima)].map(([name, parts]) => `${name} ${isParts(parts) ? told(parts) : 'any'}`).join('; ')

const told = (parts: Parts): string =>
  Object.entries(parts)
    .map(([part, least]) => `${part} ${String(least)}`)
    .join(', ')

/** Minima of one TCB by product line and model (specification snp.md section 2.1): what none is stated for is refused. */
export const tcbMinimum: Kind = {
  compare: (before, after) => {
    if (!isParts(before) || !isParts(after)) return towards(isParts(before) ? 1 : 0, isParts(after) ? 1 : 0)
    const [old, young] = [entriesOf(before), entriesOf(after)]
    return combined([...new Set([...old.keys(), ...young.keys()])].map((name) => compareEntry(name, old.get(name), young.get(name))))
  },
  say: (noun, value) =>
    isParts(value)
      ? { part: 'asks', text: `${noun}: at least ${textOf(value)}; products without a minimum are refused` }
      : { part: 'leaves', text: noun },
}
