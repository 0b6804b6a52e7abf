import type { ItemAppraisal } from '../appraisal/appraisal.ts'
import { problemOf } from '../verifiers/problems.ts'
import type { Check } from '../verifiers/verifier.ts'
import { columns, printable, styled } from './output.ts'
import { factsOf } from './verdict-facts.ts'
import type { Verdict } from './verify.ts'

const MARK = { pass: 'ok', fail: 'FAIL', warn: 'warn', skip: 'skip' } as const
const COLOUR = { pass: 'green', fail: 'red', warn: 'yellow', skip: 'dim' } as const

/** The verdict for people: the answer first, then what failed with its values, then every check in one line. */
export function verdictText(verdict: Verdict): string {
  return [headline(verdict), ...faultsText(verdict), ...verdict.evidence.map(itemText), footer(verdict)].join('\n\n')
}

/** Each check that failed or warned, with its values, the rule of the policy, and what mends it. */
export const faultsText = ({ evidence }: Verdict): readonly string[] =>
  evidence.flatMap(({ checks }) => checks.filter(({ outcome }) => outcome === 'fail' || outcome === 'warn')).map(faultText)

/** The answer, and what to do about it. */
export function headline({ accepted, code, question }: Verdict): string {
  const asked = question === 'genuine' ? 'genuine (whether it is acceptable was not asked)' : 'genuine, and acceptable to the policy'
  if (accepted) return `${styled('green', 'ACCEPTED')}  ${asked}`
  const { kind, title, remedy } = problemOf(code ?? 'internal-error')
  const word = kind === 'undecided' ? styled('yellow', 'UNDECIDED') : styled('red', 'REFUSED')
  return `${word}  ${code}: ${title}\n${columns([['what to do', remedy]], 2)}`
}

function faultText(check: Check): string {
  const rows: [string, string | undefined][] = [
    ['expected', check.expected],
    ['actual', check.actual],
    ['rule', check.rule],
    ['remedy', 'remedy' in check ? check.remedy : undefined],
  ]
  const code = 'code' in check ? `${check.code}: ` : ''
  const title = `${styled(COLOUR[check.outcome], check.id)}  ${code}${printable(check.title)}`
  return [
    title,
    columns(
      rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
      2,
    ),
  ].join('\n')
}

function itemText({ label, type, checks, claims }: ItemAppraisal): string {
  const lines = checks.map(
    (check) => `  ${styled(COLOUR[check.outcome], MARK[check.outcome].padEnd(4))}  ${check.id.padEnd(7)} ${printable(check.title)}`,
  )
  const known = factsOf(claims)
  const facts = known.length === 0 ? '' : `\n${columns(known, 2)}`
  return [`${label} (${type}), ${checks.length} checks`, ...lines].join('\n') + facts
}

const footer = ({ valid_until: until, evidence_digest: digest, mode }: Verdict): string =>
  columns([
    ['relied on until', until],
    ['evidence', digest],
    ['mode', mode],
  ])
