/** The numbers of a benchmark, round by round, and how they are told. */
import { median } from './measure.ts'

/** One number of the table: every round's value, and how to write it. */
type Series = { readonly name: string; readonly values: number[]; readonly unit: string }
const table = new Map<string, Series>()

/** Adds the next round's value. */
export function note(name: string, unit: string, value: number): void {
  const series = table.get(name) ?? { name, values: [], unit }
  series.values.push(value)
  table.set(name, series)
}

const values = (name: string): readonly number[] => table.get(name)?.values ?? []

/** The median of what was noted. */
export const middle = (name: string): number => median(values(name))

/** Both are taken in the same round, so that what disturbs one disturbs the other: median, least and most of the rounds' quotients. */
export function quotient(name: string, below: readonly string[]): string {
  const rows = values(name).map((value, round) => value / below.reduce((sum, row) => sum + (values(row)[round] ?? NaN), 0))
  return written(rows, 2)
}

const written = (rows: readonly number[], digits: number): string =>
  `${median(rows).toFixed(digits)} (${Math.min(...rows).toFixed(digits)} – ${Math.max(...rows).toFixed(digits)})`

/** How much more one is than another, as a part of a third; all of the same round. */
export function difference(more: string, less: string, of: string): string {
  const [some, others, whole] = [values(more), values(less), values(of)]
  return written(
    some.map((value, round) => (value - (others[round] ?? NaN)) / (whole[round] ?? NaN)),
    4,
  )
}

/** All numbers as a table in Markdown. */
export function tableText(): string {
  const rows = [...table.values()].map(({ name, values: all, unit }) => {
    const digits = unit === 'ms' ? 1 : 0
    const [middling, least, most] = [median(all), Math.min(...all), Math.max(...all)].map((value) => value.toFixed(digits))
    return `| ${name} | ${middling} ${unit} | ${least} – ${most} |`
  })
  return ['| what | median | least – most |', '|---|---|---|', ...rows].join('\n')
}
