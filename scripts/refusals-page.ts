import { PROBLEM_CODES, problemOf, statusOf, type ProblemCode } from '../src/verifiers/problems.ts'
import { SPECIFICATION_CHECKS } from './specification-checks.ts'

const HEAD = `# Refusals

Every code, what it means, who can mend it, and what mends it; of any service, \`/problems/{code}\` tells the same. A refusal is
\`application/problem+json\`. It names the code of the check nearest the root of trust in \`code\`; every
other check that failed stands in \`checks\` with its own. To those who may read the policy each check also tells the rule that was asked (\`rule\`), what
it expects, and what is missing (\`remedy\`). \`assay policy test\` tells the same of evidence in a file.

Where a check has a number, it is that of the specification. This page is written by \`npm run openapi\` from the tables in the code.
`

const KINDS = {
  'not-acceptable': ['Genuine, and refused by the policy', 'Nothing is forged; policy and machine do not fit.'],
  'not-genuine': ['Not proven', 'The evidence does not prove what it claims: changed, made elsewhere, or for another request.'],
  undecided: ['Not decided', 'Something is missing, out of date or too busy. The challenge stays usable; try again after `Retry-After`.'],
  malformed: ['Not readable', 'What was sent is not what its specification says.'],
  caller: ['Not answered', 'The request cannot be answered as it stands.'],
  internal: ['Our fault', 'The service failed.'],
} as const

type Mender = 'caller' | 'owner of the guest' | 'owner of the host' | 'operator'

/** Who does what remedies begin with; a remedy of several sentences or alternatives may have several menders. */
const MENDERS: readonly (readonly [beginning: RegExp, who: Mender])[] = [
  [
    /^(?:operator:|(?:have|ask) the operator|(?:have )?the policy (?:allow|permit)|update (?:assay|this service)|give the request id|list the)/,
    'operator',
  ],
  [/^(?:start|move the guest|update the enclave|quote|enrol|renew|boot|run only|attest|create|find what)/, 'owner of the guest'],
  [
    /^(?:have the host|the host’s|update the (?:host|firmware|tpm)|leave the debug|enable|unmask|use a host|use genoa|do not use this platform)/,
    'owner of the host',
  ],
  [/^(?:send|compute|fetch|ask for|make|sign|name|give|accept|compare|wait|try|leave out|use|bind|the addresses|look)/, 'caller'],
  // Callers who administer policies.
  [/^(?:read the (?:policy|set)|mend what|change its file|activate|write the next|write a new|let another operator)/, 'caller'],
]

/** Who can mend what this code says, from the beginning of each part of its remedy. Throws when nobody can: a remedy must say who does what. */
export function mendersOf(code: ProblemCode): readonly Mender[] {
  const { remedy } = problemOf(code)
  const parts = remedy.toLowerCase().split(/[.;,] (?:or |and )?/)
  const found = parts.flatMap((part) => MENDERS.find(([beginning]) => beginning.test(part))?.[1] ?? [])
  if (found.length === 0) throw new Error(`nobody knows who mends ${code}: ${remedy}`)
  return [...new Set(found)]
}

const checksOf = (code: ProblemCode): string =>
  SPECIFICATION_CHECKS.filter(([, , codes]) => codes.includes(code))
    .map(([id, title]) => `${id} (${title})`)
    .join('; ')

const rowOf = (code: ProblemCode): string => {
  const { title, remedy } = problemOf(code)
  return `| \`${code}\` | ${statusOf(code)} | ${title} | ${mendersOf(code).join(', ')} | ${remedy} | ${checksOf(code)} |`
}

/** docs/refusals.md: every code by kind, those first that an operator meets most. */
export function refusalsPage(): string {
  const sections = Object.entries(KINDS).map(([kind, [heading, meaning]]) => {
    const rows = PROBLEM_CODES.filter((code) => problemOf(code).kind === kind).map(rowOf)
    const table = `| code | status | what it means | who mends it | what mends it | check |\n|---|---|---|---|---|---|\n${rows.join('\n')}`
    return `## ${heading}\n\n${meaning}\n\n${table}\n`
  })
  return [HEAD, ...sections].join('\n')
}
