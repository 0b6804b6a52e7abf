import type { Document, LineCounter } from 'yaml'
import { z } from 'zod'
import { firstOf, plainValue, readYaml } from './yaml-text.ts'

/** One thing that is wrong with a document of an operator. */
export type PolicyProblem = {
  /** `snp.measurements[0]`; empty for the document as a whole. */
  readonly path: string
  readonly message: string
  /** Where in the text, counted from 1; absent for a member that is not there. */
  readonly line?: number
}

/** A policy or a set of reference values that cannot be used, with everything that is wrong with it. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError'
  readonly origin: string
  readonly problems: readonly PolicyProblem[]

  constructor(origin: string, problems: readonly PolicyProblem[], what = 'policy') {
    super([`${origin}: the ${what} cannot be used`, ...problems.map((problem) => describe(origin, problem))].join('\n'))
    this.origin = origin
    this.problems = problems
  }
}

const describe = (origin: string, { path, line, message }: PolicyProblem): string =>
  `  ${line === undefined ? origin : `${origin}:${line}`} ${path === '' ? '(document)' : path}: ${message}`

/** What is read, and under which name errors speak of it. */
type Reading<T extends z.ZodType> = {
  readonly schema: T
  readonly what: 'policy' | 'set of reference values' | 'document of Constellation'
  readonly origin: string
}

/**
 * An operator’s document from YAML or JSON text, as the schema yields it; `origin` says in errors where the text came from.
 * Throws PolicyError with all problems at once (the first hundred): syntax, duplicate or unknown members, aliases, too deep
 * nesting, wrong values.
 */
export function readDocument<T extends z.ZodType>(text: string, { schema, what, origin }: Reading<T>): z.output<T> {
  const refuse = (problems: readonly PolicyProblem[]): never => {
    throw new PolicyError(origin, problems, what)
  }
  const read = readYaml(text)
  if (!('yaml' in read)) return refuse(read)
  const { yaml, lines } = read
  const plain = plainValue(yaml)
  if (plain === 'aliases') return refuse([{ path: '', message: 'aliases (`*name`) are not taken: write the value out' }])
  const parsed = schema.safeParse(plain.value)
  if (parsed.success) return parsed.data
  const misfits = parsed.error.issues.flatMap((issue) => problemsOf(issue))
  return refuse(firstOf(misfits, (misfit) => placed(misfit, yaml, lines)))
}

type Misfit = { readonly path: readonly PropertyKey[]; readonly message: string }

/** One problem for each unknown member; of a choice between forms, the problems of the form that was meant. */
function problemsOf(issue: z.core.$ZodIssue, under: readonly PropertyKey[] = []): readonly Misfit[] {
  const path = [...under, ...issue.path]
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ path: [...path, key], message: 'unknown member' }))
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => ({ path, message }))
  const meant = issue.code === 'invalid_union' ? issue.errors.find((form) => form.every((inner) => !isOtherForm(inner))) : undefined
  if (meant !== undefined) return meant.flatMap((inner) => problemsOf(inner, path))
  return [
    {
      path,
      message:
        issue.code === 'invalid_type' && issue.expected === 'object' ? 'expected members (a YAML mapping, a JSON object)' : issue.message,
    },
  ]
}

/** Whether a form of a choice failed as a whole, so that it was not the one that was meant. */
const isOtherForm = (issue: z.core.$ZodIssue): boolean =>
  issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value')

const placed = ({ path, message }: Misfit, yaml: Document, lines: LineCounter): PolicyProblem => {
  const line = lineOf(path, yaml, lines)
  return { path: z.core.toDotPath([...path]), message, ...(line === undefined ? {} : { line }) }
}

function lineOf(path: readonly PropertyKey[], yaml: Document, lines: LineCounter): number | undefined {
  const node = yaml.getIn(path, true)
  const start =
    typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range) ? Number(node.range[0]) : undefined
  return start === undefined ? undefined : lines.linePos(start).line
}

/** Nothing may change a document after its digest was taken. */
export function deepFreeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) if (typeof member === 'object' && member !== null) deepFreeze(member)
  return Object.freeze(value)
}
