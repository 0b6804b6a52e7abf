import type { ProblemCode } from '../../verifiers/problems.ts'
import type { SnpClaims, SnpTcb } from '../../verifiers/snp/claims.ts'
import { formatTcb, TCB_PARTS, type TcbParts } from '../../verifiers/snp/tcb.ts'
import type { Check } from '../../verifiers/verifier.ts'
import type { Question } from '../check.ts'
import { answers, judge, notAsked } from '../check.ts'
import type { SnpPolicy } from '../policy.ts'
import type { SnpCase, SnpRule } from './rule.ts'
import { reachesPart } from './tcb.ts'

type Which = 'reported' | 'committed' | 'current' | 'launch'
type Stated = NonNullable<NonNullable<SnpPolicy['min_tcb']>[Which]>

const below = (which: Which, code: ProblemCode): Question => ({
  id: 'SNP-53',
  title: `${which.toUpperCase()}_TCB reaches the policy’s minimum`,
  code,
  origin: 'policy',
  rule: `snp.min_tcb.${which}`,
})

type Tcb = { readonly which: Which; readonly question: Question }

/** The four TCBs of section 2.1; each can be low while the others are high, so each has its own minimum. */
const TCBS: readonly Tcb[] = [
  { which: 'reported', question: below('reported', 'snp-tcb-reported-below-minimum') },
  { which: 'committed', question: below('committed', 'snp-tcb-committed-below-minimum') },
  { which: 'current', question: below('current', 'snp-tcb-current-below-minimum') },
  { which: 'launch', question: below('launch', 'snp-tcb-launch-below-minimum') },
]

/** SNP-53. */
export const tcbMinima: SnpRule = (subject) => answers(TCBS, subject, minimum)

function minimum({ which, question }: Tcb, { claims, policy }: SnpCase): Check {
  const [tcb, stated] = [claims[`${which}_tcb`], policy.min_tcb?.[which]]
  const actual = formatTcb(tcb)
  if (stated === undefined) return notAsked(question, actual)
  const minima = minimaFor(claims, stated)
  if (typeof minima === 'string') return judge(question, false, { actual, expected: minima })
  const expected = minima.map(({ least }) => (least === 'any' ? 'any' : `at least ${formatTcb(least)}`)).join(' and ')
  const shortfalls = minima.flatMap((row) => shortfallsOf(tcb, row))
  if (shortfalls.length === 0) return judge(question, true, { actual, expected })
  const lacks = shortfalls.map(({ text }) => text).join('; ')
  return judge({ ...question, rule: commonRule(shortfalls, `snp.min_tcb.${which}`) }, false, { actual, expected, lacks })
}

type Shortfall = { readonly line: string; readonly part: string; readonly text: string }

/** The parts that do not reach a minimum, in words. */
function shortfallsOf(tcb: SnpTcb, { line, least }: Minimum): readonly Shortfall[] {
  if (least === 'any') return []
  return TCB_PARTS.filter((part) => !reachesPart(tcb[part], least[part])).map((part) => ({
    line,
    part,
    text: `${part} ${hexadecimal(tcb[part])}, needs ${hexadecimal(least[part])}`,
  }))
}

/** Operators know microcode by its hexadecimal number. */
const hexadecimal = (value: number | undefined): string => (value === undefined ? 'none' : `0x${value.toString(16)}`)

/** The path of the one part that is short, or of what several have in common: a policy that only warns of one part refuses for the others. */
function commonRule(shortfalls: readonly Shortfall[], tcb: string): string {
  const [[line, ...lines], [part, ...parts]] = [
    [...new Set(shortfalls.map((each) => each.line))],
    [...new Set(shortfalls.map((each) => each.part))],
  ]
  if (line === undefined || lines.length > 0) return tcb
  return part === undefined || parts.length > 0 ? `${tcb}.${line}` : `${tcb}.${line}.${part}`
}

const PRODUCT_MEMBER = { Milan: 'milan', Genoa: 'genoa', Turin: 'turin' } as const

type Minimum = { readonly line: string; readonly least: 'any' | TcbParts }

/** The minima that hold for this processor, or why none can be chosen: where minima are set, "none for this one" must not mean "any". */
function minimaFor({ product, cpuid }: SnpClaims, stated: Stated): readonly Minimum[] | string {
  if (cpuid === null && stated.cpuid !== undefined) return 'a report that names its model, because minima are stated by model'
  const model = cpuid === null ? '' : `${byte(cpuid.family)}_${byte(cpuid.model)}`
  const minima = [
    { line: PRODUCT_MEMBER[product], least: stated[PRODUCT_MEMBER[product]] },
    { line: `cpuid.${model}`, least: stated.cpuid?.[model] },
  ].flatMap(({ line, least }) => (least === undefined ? [] : [{ line, least }]))
  return minima.length > 0 ? minima : `a product or model for which the policy states a minimum; it has none for ${product}`
}

const byte = (value: number): string => value.toString(16).padStart(2, '0')
