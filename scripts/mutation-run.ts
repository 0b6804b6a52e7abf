import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { delimiter, join, resolve } from 'node:path'
import { faredIn, rowOf, scoreOf, together, TABLE_HEAD, type Fared } from './mutation-report.ts'

/** Percent of the mutants that tests must notice. */
const LEAST = 85

const root = resolve(import.meta.dirname, '..')
const REPORT = join(root, '.mutation/report.json')

/** Stryker works in a copy of the tree, from where the vectors beside the tree are not found; what is mutated chooses the tests. */
function environment(mutated: string): NodeJS.ProcessEnv {
  const beside = resolve(root, '../shared/vectors')
  const vectors = process.env['ASSAY_VECTORS'] ?? (existsSync(beside) ? beside : undefined)
  const programs = `${join(root, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`
  return { ...process.env, PATH: programs, ASSAY_MUTATED: mutated, ...(vectors === undefined ? {} : { ASSAY_VECTORS: resolve(vectors) }) }
}

const say = (text: string): boolean => process.stdout.write(`${text}\n`)

/** Whether a file holds nothing but types, of which nothing is left to run. */
const isTypesOnly = (path: string): boolean =>
  path.endsWith('.ts') &&
  stripTypeScriptTypes(readFileSync(join(root, path), 'utf8'))
    .replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, '')
    .trim() === ''

/**
 * One run of Stryker over a file, or over every source file of a folder. Throws when it fails, or when no test reaches what it should change:
 * an old report is never read for a new one, and none is no good one.
 */
function filesOf(path: string): readonly Fared[] {
  if (isTypesOnly(path)) return []
  rmSync(REPORT, { force: true })
  const patterns = path.endsWith('.ts') ? path : `${path}/**/*.ts,!**/*.test.ts,!clients/*/test/**`
  const args = ['run', '--mutate', patterns, '--logLevel', 'warn']
  const { status } = spawnSync('stryker', args, { cwd: root, env: environment(path), stdio: ['ignore', 2, 2] })
  if (status !== 0 || !existsSync(REPORT)) throw new Error(`stryker failed on ${path}, or no test reaches it`)
  return faredIn(REPORT)
}

/** Mutates one path and prints how every file fared and what survived. */
function fared(path: string): Fared {
  const files = filesOf(path)
  const all = together(`**${path}**`, files)
  say([TABLE_HEAD, ...files.map(rowOf), ...(files.length > 1 ? [rowOf(all)] : []), '', ...all.survivors, ''].join('\n'))
  return all
}

/** A file may hold nothing but types; a folder without a mutant was not seen. */
const isEmptyFile = (path: string, { killed, survivors }: Fared): boolean => path.endsWith('.ts') && killed + survivors.length === 0

/** Mutates each path, a folder or a file; true if each reaches the least score, and there was one. */
export function mutate(paths: readonly string[]): boolean {
  const low = paths.filter((path) => {
    const all = fared(path)
    return !isEmptyFile(path, all) && scoreOf(all) < LEAST
  })
  for (const path of low) say(`${path}: under ${LEAST} %`)
  return paths.length > 0 && low.length === 0
}
