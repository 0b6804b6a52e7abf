import { readFileSync } from 'node:fs'
import { z } from 'zod'

const mutantSchema = z.object({
  mutatorName: z.string(),
  replacement: z.string().default(''),
  status: z.enum(['Killed', 'Timeout', 'Survived', 'NoCoverage', 'Ignored', 'CompileError', 'RuntimeError']),
  location: z.object({ start: z.object({ line: z.number(), column: z.number() }) }),
})
const reportSchema = z.object({ files: z.record(z.string(), z.object({ mutants: z.array(mutantSchema) })) })
type Mutant = z.infer<typeof mutantSchema>

/** How one file fared: how many mutants a test noticed, how many none did, and how many were not tried. */
export type Fared = {
  readonly file: string
  readonly killed: number
  /** Where each mutant is that no test noticed, and what it puts there. */
  readonly survivors: readonly string[]
  /** Mutants that act only while the module is loaded. */
  readonly untried: number
}

const survivorOf = (file: string, { location, mutatorName, replacement, status }: Mutant): string =>
  `${file}:${location.start.line}:${location.start.column} ${mutatorName} (${status}) ${replacement.replaceAll(/\s+/g, ' ').slice(0, 120)}`

function faredOf([file, { mutants }]: readonly [string, { readonly mutants: readonly Mutant[] }]): Fared {
  const count = (...statuses: readonly Mutant['status'][]): readonly Mutant[] => mutants.filter(({ status }) => statuses.includes(status))
  return {
    file,
    killed: count('Killed', 'Timeout').length,
    survivors: count('Survived', 'NoCoverage').map((one) => survivorOf(file, one)),
    untried: count('Ignored').length,
  }
}

/** What a report of Stryker says of each file that has mutants. Throws when it is not such a report. */
export function faredIn(path: string): readonly Fared[] {
  const { files } = reportSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  return Object.entries(files)
    .map(faredOf)
    .filter(({ killed, survivors, untried }) => killed + survivors.length + untried > 0)
    .toSorted((a, b) => (a.file < b.file ? -1 : 1))
}

/** All of them as one. */
export const together = (file: string, all: readonly Fared[]): Fared => ({
  file,
  killed: all.reduce((sum, { killed }) => sum + killed, 0),
  survivors: all.flatMap(({ survivors }) => survivors),
  untried: all.reduce((sum, { untried }) => sum + untried, 0),
})

/** Percent of the mutants tried that a test noticed; 0 where none was tried. */
export function scoreOf({ killed, survivors }: Fared): number {
  const tried = killed + survivors.length
  return tried === 0 ? 0 : (100 * killed) / tried
}

/** A row of the table in docs/quality.md. */
export function rowOf(fared: Fared): string {
  const { file, killed, survivors, untried } = fared
  const score = killed + survivors.length === 0 ? '–' : scoreOf(fared).toFixed(1)
  return `| ${file} | ${killed + survivors.length} | ${killed} | ${survivors.length} | ${score} | ${untried} |`
}

/** The head of that table. */
export const TABLE_HEAD = '| file | tried | killed | survived | score % | at load |\n| --- | --: | --: | --: | --: | --: |'
