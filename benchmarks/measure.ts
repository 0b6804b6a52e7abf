/** Small measuring tools without opinions. */
import { readFileSync, readdirSync } from 'node:fs'

/** Processor seconds (user and system) of this process so far. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** The middle of a list; of an even one the lower middle. */
export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? NaN

/** The value below which `share` of the list lies. */
export const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? NaN

const TICKS_PER_SECOND = 100

/** A process and its descendants, by /proc. */
function family(pid: number): readonly number[] {
  const parents = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [[Number(name), parentOf(Number(name))] as const] : []))
  const found = [pid]
  for (const root of found) found.push(...parents.flatMap(([child, parent]) => (parent === root ? [child] : [])))
  return found
}

/** Fields of /proc/<pid>/stat behind the command's name, which may hold anything. */
function statOf(pid: number): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}

const parentOf = (pid: number): number => Number(statOf(pid)[1] ?? -1)

/** Processor seconds of a process and its descendants. */
export const familyCpuSeconds = (pid: number): number =>
  family(pid).reduce((sum, p) => sum + (Number(statOf(p)[11] ?? 0) + Number(statOf(p)[12] ?? 0)) / TICKS_PER_SECOND, 0)

/** Resident megabytes of each of them, largest first. */
export const familyRssMegabytes = (pid: number): readonly number[] =>
  family(pid)
    .map((p) => (Number(statOf(p)[21] ?? 0) * 4096) / 1e6)
    .toSorted((a, b) => b - a)
