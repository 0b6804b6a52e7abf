import { PolicyError, type PolicyProblem } from '../appraisal/read-policy.ts'
import { measurementsOf, readReferenceFile } from '../appraisal/reference-values.ts'
import { readText } from './files.ts'
import { columns, printable } from './output.ts'

/** What a file of a set came to. */
export type LintedSet = {
  readonly file: string
  readonly problems: readonly PolicyProblem[]
  /** Absent where there are problems. */
  readonly set?: {
    readonly name: string
    readonly version: number
    readonly state: string
    readonly sha256: string
    /** Values by measurement. */
    readonly values: Readonly<Record<string, number>>
  }
}

/** Reads every file as the service would. Throws UsageError for a file that cannot be read. */
export const lintSets = (files: readonly string[]): readonly LintedSet[] => files.map((file) => lintSet(file))

function lintSet(file: string): LintedSet {
  const text = readText(file)
  try {
    const { document, version, standing, sha256 } = readReferenceFile(text, file)
    const values = Object.fromEntries([...measurementsOf(document)].map(([path, entries]) => [path, entries.length]))
    return { file, problems: [], set: { name: document.name, version, state: standing.state, sha256, values } }
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    return { file, problems: error.problems }
  }
}

/** The same for people. */
export const lintText = (linted: readonly LintedSet[]): string => linted.map((one) => textOf(one)).join('\n')

function textOf({ file, problems, set }: LintedSet): string {
  if (set !== undefined) {
    const values = Object.entries(set.values).map(([path, count]) => `${path} ${count}`)
    return `${printable(file)}: ${set.name} version ${set.version}, ${set.state}: ${values.join(', ')}`
  }
  const rows = problems.map(
    ({ path, line, message }) => [line === undefined ? '' : `line ${line}`, `${path === '' ? '(document)' : path}: ${message}`] as const,
  )
  return `${printable(file)} cannot be used:\n${columns(rows, 2)}`
}
