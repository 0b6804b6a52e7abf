import { PROBLEM_CODES, problemOf, statusOf } from '../src/verifiers/problems.ts'

const KINDS = {
  caller: 'The request cannot be answered as it stands',
  malformed: 'What was sent is not what its specification says',
  'not-genuine': 'The evidence does not prove what it claims',
  'not-acceptable': 'The evidence is genuine, and the policy refuses it',
  undecided: 'No verdict is possible now; the challenge stays usable',
  internal: 'The service failed',
} as const

const HEAD = `# Problems

Every refusal is \`application/problem+json\` with one of these codes, in \`code\`; its page is \`/problems/{code}\` of any service. Where several checks failed, the code is
the one nearest the root of trust, and \`checks\` lists them all. This page is written by \`npm run openapi\` from the table in the code.
`

const rowOf = (code: (typeof PROBLEM_CODES)[number]): string => {
  const { title, remedy } = problemOf(code)
  return `| \`${code}\` | ${statusOf(code)} | ${title} | ${remedy} |`
}

/** docs/problems.md: the table of problems by kind, in rank order within each. */
export function problemsPage(): string {
  const sections = Object.entries(KINDS).map(([kind, meaning]) => {
    const rows = PROBLEM_CODES.filter((code) => problemOf(code).kind === kind).map(rowOf)
    return `## ${kind}\n\n${meaning}.\n\n| code | status | what was found | what mends it |\n|---|---|---|---|\n${rows.join('\n')}\n`
  })
  return [HEAD, ...sections].join('\n')
}
