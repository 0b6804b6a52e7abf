import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PolicyError } from '../appraisal/read-policy.ts'
import { readReferenceFile } from '../appraisal/reference-values.ts'
import type { ReferenceSets, ReferenceVersion } from '../appraisal/resolve-references.ts'
import { ConfigError, type ConfigProblem } from '../config.ts'

/** Far more than any service has; bounds what a wrong folder can cost. */
const MOST_FILES = 1000

const SET_FILE = /\.(?:ya?ml|json)$/

type Named = { readonly name: string; readonly path: string; readonly version: ReferenceVersion }
type Read = Named | { readonly problems: readonly ConfigProblem[] }
type Files = Map<string, { readonly text: string; readonly read: Read }>

/**
 * Reads the folder of reference values, each time anew; a file whose text is as before is not taken apart again. No folder has no sets.
 * The reader throws {@link ConfigError} with everything that is wrong in all files, and two files that are one version of one set.
 */
export function referenceFolder(folder: string | undefined): () => ReferenceSets {
  const known: Files = new Map()
  return () => (folder === undefined ? new Map() : setsOf(folder, known))
}

function setsOf(folder: string, known: Files): ReferenceSets {
  const read = filesOf(folder).map((path) => readOnce(path, known))
  const named = read.flatMap((result) => ('version' in result ? [result] : []))
  const problems = [...read.flatMap((result) => ('problems' in result ? result.problems : [])), ...doubles(named)]
  if (problems.length > 0) throw new ConfigError(problems)
  const sets = Map.groupBy(named, ({ name }) => name)
  return new Map([...sets].map(([name, versions]) => [name, versions.map(({ version }) => version)]))
}

function filesOf(folder: string): readonly string[] {
  const names = attempt(() => readdirSync(folder))
  if (names instanceof Error) throw new ConfigError([unreadable(folder, names)])
  const files = names.filter((name) => SET_FILE.test(name) && !name.startsWith('.')).toSorted()
  if (files.length <= MOST_FILES) return files.map((name) => join(folder, name))
  throw new ConfigError([
    { path: 'reference_dir', origin: folder, message: `it has ${files.length} sets`, expected: `at most ${MOST_FILES}` },
  ])
}

function readOnce(path: string, known: Files): Read {
  const text = attempt(() => readFileSync(path, 'utf8'))
  if (text instanceof Error) return { problems: [unreadable(path, text)] }
  const before = known.get(path)
  if (before?.text === text) return before.read
  const read = readFile(path, text)
  known.set(path, { text, read })
  return read
}

function readFile(path: string, text: string): Read {
  const result = attempt(() => readReferenceFile(text, path))
  if (!(result instanceof Error)) return { name: result.document.name, path, version: result }
  if (!(result instanceof PolicyError)) return { problems: [unreadable(path, result)] }
  const problems = result.problems.map((row) => ({
    path: row.path === '' ? '(document)' : row.path,
    origin: row.line === undefined ? path : `${path}:${row.line}`,
    message: row.message,
  }))
  return { problems }
}

function doubles(named: readonly Named[]): readonly ConfigProblem[] {
  const versions = Map.groupBy(named, ({ name, version }) => `version ${version.version} of ${name}`)
  return [...versions].flatMap(([what, [, second]]) =>
    second === undefined
      ? []
      : [{ path: 'version', origin: second.path, message: `another file holds ${what}, too`, expected: 'a number of its own' }],
  )
}

const unreadable = (origin: string, error: Error): ConfigProblem => ({
  path: 'reference_dir',
  origin,
  message: `it cannot be read: ${error.message}`,
  expected: 'a folder of files with sets of reference values (.yaml, .yml, .json)',
})

function attempt<T>(work: () => T): T | Error {
  try {
    return work()
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
