import { LineCounter, parseDocument } from 'yaml'
import type { Document } from 'yaml'
import { z } from 'zod'
import { contentDigest } from './canonical.ts'
import type { ActivePolicy } from './policy-set.ts'
import type { AppraisalPolicy } from './policy.ts'
import { policyDocument } from './policy.ts'

/** One thing that is wrong with a policy document. */
export type PolicyProblem = {
  /** `snp.measurements[0]`; empty for the document as a whole. */
  readonly path: string
  readonly message: string
  /** Where in the text, counted from 1; absent for a member that is not there. */
  readonly line?: number
}

/** A policy document that cannot be used, with everything that is wrong with it. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError'
  readonly origin: string
  readonly problems: readonly PolicyProblem[]

  constructor(origin: string, problems: readonly PolicyProblem[]) {
    super([`${origin}: the policy cannot be used`, ...problems.map((problem) => describe(origin, problem))].join('\n'))
    this.origin = origin
    this.problems = problems
  }
}

const describe = (origin: string, { path, line, message }: PolicyProblem): string =>
  `  ${line === undefined ? origin : `${origin}:${line}`} ${path === '' ? '(document)' : path}: ${message}`

/** Far above any list of measurements; bounds the work of the YAML reader. */
const MOST_CHARACTERS = 4 * 1024 * 1024

/**
 * A policy from YAML or JSON text; `origin` says in errors where the text came from. Version is 1: files have no history.
 * Throws PolicyError with all problems at once: syntax, duplicate or unknown members, aliases, wrong values.
 */
export function readPolicy(text: string, origin: string): ActivePolicy {
  if (text.length > MOST_CHARACTERS) throw new PolicyError(origin, [{ path: '', message: `longer than ${MOST_CHARACTERS} characters` }])
  const lines = new LineCounter()
  const yaml = parseDocument(text, { version: '1.2', schema: 'core', uniqueKeys: true, strict: true, lineCounter: lines })
  const flaws = [...yaml.errors, ...yaml.warnings]
  if (flaws.length > 0)
    throw new PolicyError(
      origin,
      flaws.map((flaw) => syntaxProblem(flaw, lines)),
    )
  const parsed = policyDocument.safeParse(plain(yaml, origin))
  if (parsed.success) return activePolicy(parsed.data)
  throw new PolicyError(
    origin,
    parsed.error.issues.flatMap((issue) => problemsOf(issue)).map((problem) => placed(problem, yaml, lines)),
  )
}

/** A document with its name, version and the SHA-256 of its canonical JSON, defaults included, so that a change of a default changes the digest. */
export const activePolicy = (document: AppraisalPolicy): ActivePolicy =>
  deepFreeze({ reference: { name: document.name, version: 1, sha256: contentDigest(document) }, document })

/** Aliases could make a small file a large document. */
function plain(yaml: Document, origin: string): unknown {
  try {
    return yaml.toJS({ maxAliasCount: 0 })
  } catch {
    throw new PolicyError(origin, [{ path: '', message: 'aliases (`*name`) are not taken: write the value out' }])
  }
}

type Flaw = { readonly message: string; readonly pos: readonly [number, number] }

const syntaxProblem = (flaw: Flaw, lines: LineCounter): PolicyProblem => ({
  path: '',
  message: flaw.message.replace(/ at line \d[^]*$/, ''),
  line: lines.linePos(flaw.pos[0]).line,
})

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

/** Nothing may change a policy after its digest was taken. */
function deepFreeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) if (typeof member === 'object' && member !== null) deepFreeze(member)
  return Object.freeze(value)
}
