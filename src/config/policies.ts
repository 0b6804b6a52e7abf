import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { audienceProblems } from '../access/audiences.ts'
import { policySetOf, type ActivePolicy, type PolicySet } from '../appraisal/policy-set.ts'
import { PolicyError, readPolicy } from '../appraisal/read-policy.ts'
import { strict } from '../appraisal/strict.ts'
import { ConfigError, type Config, type ConfigProblem } from '../config.ts'

/** Far more than any service has; bounds what a wrong folder can cost. */
const POLICY_FILES = 1000

const POLICY_FILE = /\.(?:ya?ml|json)$/

/**
 * The policies of this process: `strict`, and one from each file of the policy folder. Names are unique, and the audiences may use only
 * what is there. Throws {@link ConfigError} with everything that is wrong in all files.
 */
export function loadPolicies(config: Config): PolicySet {
  const read = filesOf(config.policyDir).map((path) => readFile(path))
  const problems = read.flatMap((result) => ('problems' in result ? result.problems : []))
  const policies = [strict, ...read.flatMap((result) => ('policy' in result ? [result.policy] : []))]
  const twice = doubles(
    policies.map(({ reference }) => reference.name),
    config,
  )
  if (problems.length + twice.length > 0) throw new ConfigError([...problems, ...twice])
  const set = policySetOf(policies)
  const unfit = audienceProblems(config.audiences, set).map((problem) => ({ ...problem, origin: 'audiences' }))
  if (unfit.length > 0) throw new ConfigError(unfit)
  return set
}

function filesOf(folder: string | undefined): readonly string[] {
  if (folder === undefined) return []
  const names = attempt(() => readdirSync(folder))
  if (names instanceof Error) throw new ConfigError([unreadable(folder, names, 'a folder of policy files (.yaml, .yml, .json)')])
  const policies = names.filter((name) => POLICY_FILE.test(name) && !name.startsWith('.')).toSorted()
  if (policies.length <= POLICY_FILES) return policies.map((name) => join(folder, name))
  throw new ConfigError([
    { path: 'policy_dir', origin: folder, message: `it has ${policies.length} policies`, expected: `at most ${POLICY_FILES}` },
  ])
}

type Read = { readonly policy: ActivePolicy } | { readonly problems: readonly ConfigProblem[] }

function readFile(path: string): Read {
  const result = attempt(() => readPolicy(readFileSync(path, 'utf8'), path))
  if (!(result instanceof Error)) return { policy: result }
  if (!(result instanceof PolicyError)) return { problems: [unreadable(path, result, 'a readable policy file')] }
  const origin = (line: number | undefined) => (line === undefined ? path : `${path}:${line}`)
  return {
    problems: result.problems.map((row) => ({
      path: row.path === '' ? '(document)' : row.path,
      origin: origin(row.line),
      message: row.message,
    })),
  }
}

const doubles = (names: readonly string[], { policyDir = '' }: Config): readonly ConfigProblem[] =>
  [...new Set(names.filter((name, at) => names.indexOf(name) !== at))].map((name) => ({
    path: 'name',
    origin: policyDir,
    message: `two policies are named ${name}`,
    expected: 'a name of its own for each policy; `strict` is built in',
  }))

const unreadable = (origin: string, error: Error, expected: string): ConfigProblem => ({
  path: 'policy_dir',
  origin,
  message: `it cannot be read: ${error.message}`,
  expected,
})

function attempt<T>(work: () => T): T | Error {
  try {
    return work()
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
