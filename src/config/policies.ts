import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { audienceProblems } from '../access/audiences.ts'
import { mayActAs } from '../access/roles.ts'
import { policySetOf, type PolicySet } from '../appraisal/policy-set.ts'
import { PolicyError, readPolicy } from '../appraisal/read-policy.ts'
import type { Lift } from '../appraisal/floor.ts'
import { builtInPolicies } from '../appraisal/presets.ts'
import { PRESET_NAMES } from '../appraisal/presets/names.ts'
import { PRESET_TEXTS } from '../appraisal/presets/texts.ts'
import { ConfigError, type Config, type ConfigProblem } from '../config.ts'
import type { FixedPolicy } from '../policies/policies.ts'
import { floorOf, type Floor } from '../policies/reading.ts'

/** Far more than any service has; bounds what a wrong folder can cost. */
const POLICY_FILES = 1000

const POLICY_FILE = /\.(?:ya?ml|json)$/

/**
 * The policies that need no store: the built-in ones, and one from each file of the policy folder. Names are unique.
 * Throws {@link ConfigError} with everything that is wrong in all files.
 */
export function fixedPolicies(config: Config): readonly FixedPolicy[] {
  const floor = floorOf(config.lift)
  const read = filesOf(config.policyDir).map((path) => readFile(path, floor))
  const problems = read.flatMap((result) => ('problems' in result ? result.problems : []))
  const policies = [...builtIn(config.lift), ...read.flatMap((result) => ('policy' in result ? [result] : []))]
  const twice = doubles(
    policies.map(({ policy }) => policy.reference.name),
    config,
  )
  if (problems.length + twice.length > 0) throw new ConfigError([...problems, ...twice])
  return policies
}

/** The same as a set that the audiences fit; throws ConfigError when they do not. */
export function loadPolicies(config: Config): PolicySet {
  const set = policySetOf(fixedPolicies(config).map(({ policy }) => policy))
  const absent = canBeWritten(config) ? 'awaited' : 'refused'
  const unfit = audienceProblems(config.audiences, set, absent).map((problem) => ({ ...problem, origin: 'audiences' }))
  if (unfit.length > 0) throw new ConfigError(unfit)
  return set
}

/** Whether somebody may write a policy that an audience names and that no file holds. */
const canBeWritten = ({ credentials, oidc }: Config): boolean =>
  [...credentials, ...(oidc?.roles ?? [])]
    .flatMap(({ roles }) => roles)
    .some((role) => mayActAs('policy-author', { name: role, roles: [role] }))

const builtIn = (lifts: readonly Lift[]): readonly FixedPolicy[] =>
  builtInPolicies(lifts).map((policy) => ({ policy, text: textOf(policy.reference.name), managedBy: 'built-in' }))

const textOf = (name: string): string => Object.entries(PRESET_TEXTS).find(([preset]) => preset === name)?.[1] ?? ''

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

type Read = FixedPolicy | { readonly problems: readonly ConfigProblem[] }

function readFile(path: string, floor: Floor): Read {
  const result = attempt((): FixedPolicy => {
    const text = readFileSync(path, 'utf8')
    return { policy: readPolicy(text, path), text, managedBy: 'files' }
  })
  if (!(result instanceof Error)) return above(floor, result, path)
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

function above(floor: Floor, found: FixedPolicy, origin: string): Read {
  const problems = floor(found.policy.document).map(({ path, message }) => ({ path, origin, message }))
  return problems.length === 0 ? found : { problems }
}

const doubles = (names: readonly string[], { policyDir = '' }: Config): readonly ConfigProblem[] =>
  [...new Set(names.filter((name, at) => names.indexOf(name) !== at))].map((name) => ({
    path: 'name',
    origin: policyDir,
    message: `two policies are named ${name}`,
    expected: `a name of its own for each policy; ${PRESET_NAMES.join(', ')} are built in`,
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
