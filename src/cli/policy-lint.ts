import { weakenedBeside, type Audience } from '../access/audiences.ts'
import { floorViolations, type Lift } from '../appraisal/floor.ts'
import type { ActivePolicy } from '../appraisal/policy-set.ts'
import { PolicyError, readPolicy } from '../appraisal/read-policy.ts'
import { concessionsOf } from '../appraisal/weakenings.ts'
import { readText } from './files.ts'
import { printable } from './output.ts'

/** What a policy file is held against: lifts of the floor, and audiences, as the configuration of the service has them. */
export type LintGround = { readonly lifts: readonly Lift[]; readonly audiences: readonly Audience[] }

/** One thing that keeps a file from being loaded, or an audience from using it. */
type LintProblem = { readonly path: string; readonly line?: number; readonly message: string; readonly remedy?: string }

/** What there is to say of a file. */
export type Linted = {
  readonly file: string
  /** The policy in it; null where it cannot be read as one. */
  readonly policy: { readonly name: string; readonly sha256: string } | null
  readonly problems: readonly LintProblem[]
  /** Members by which it is weak on purpose. */
  readonly weakenings: readonly string[]
  /** Audiences that are as strong as this policy only. */
  readonly weakened_audiences: readonly string[]
}

/** Reads policy files as the service would, each for itself and then beside each other. Throws UsageError for a file that cannot be read. */
export function lintPolicies(files: readonly string[], ground: LintGround): readonly Linted[] {
  const read = files.map((file) => ({ file, result: attempt(readText(file), file) }))
  const owners = new Map<string, string>()
  return read.map(({ file, result }) => {
    if (result instanceof PolicyError) return { file, policy: null, problems: result.problems, weakenings: [], weakened_audiences: [] }
    const { name, sha256 } = result.reference
    const other = owners.get(name)
    owners.set(name, other ?? file)
    return { file, policy: { name, sha256 }, ...judged(result, ground, other) }
  })
}

function attempt(text: string, file: string): ActivePolicy | PolicyError {
  try {
    return readPolicy(text, file)
  } catch (error) {
    if (error instanceof PolicyError) return error
    throw error
  }
}

type Judged = Pick<Linted, 'problems' | 'weakenings' | 'weakened_audiences'>

function judged(policy: ActivePolicy, { lifts, audiences }: LintGround, twin: string | undefined): Judged {
  const { name } = policy.reference
  const weakenings = concessionsOf(policy.document)
  const doubled = { path: 'name', message: `${String(twin)} has this name, too`, remedy: 'give each policy a name of its own' }
  return {
    problems: [
      ...(twin === undefined ? [] : [doubled]),
      ...floorViolations(policy.document, lifts).map(({ path, message, remedy }) => ({ path, message, remedy })),
      ...weakenedBeside(policy, audiences).map(({ path, message, expected }) => ({ path, message, remedy: `give it ${expected}` })),
    ],
    weakenings,
    weakened_audiences: weakenings.length === 0 ? [] : audiences.filter(({ policies }) => policies.includes(name)).map((one) => one.name),
  }
}

/** The same for people: one line for each problem, as compilers write them. */
export const lintText = (linted: readonly Linted[]): string => linted.flatMap(fileLines).map(printable).join('\n')

function fileLines({ file, policy, problems, weakenings, weakened_audiences: audiences }: Linted): readonly string[] {
  const name = policy === null ? '' : ` (${policy.name}, sha256 ${policy.sha256})`
  return [
    ...problems.map((problem) => problemLine(file, problem)),
    ...weakenings.map((weakening) => `${file}: weakened on purpose: ${weakening}`),
    ...audiences.map((audience) => `${file}: the audience ${audience} is only as strong as this policy`),
    problems.length === 0 ? `${file}: usable${name}` : `${file}: ${problems.length} problem${problems.length === 1 ? '' : 's'}${name}`,
  ]
}

const problemLine = (file: string, { path, line, message, remedy }: LintProblem): string =>
  `${file}${line === undefined ? '' : `:${line}`}: ${path === '' ? '(document)' : path}: ${message}${remedy === undefined ? '' : `; ${remedy}`}`
