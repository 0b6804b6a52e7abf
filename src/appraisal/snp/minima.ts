import type { ProblemCode } from '../../verifiers/problems.ts'
import type { SnpClaims } from '../../verifiers/snp/claims.ts'
import { formatTcb, type TcbParts } from '../../verifiers/snp/tcb.ts'
import type { Check } from '../../verifiers/verifier.ts'
import type { Question } from '../check.ts'
import { answers, judge, notAsked } from '../check.ts'
import type { SnpPolicy } from '../policy.ts'
import type { SnpCase, SnpRule } from './rule.ts'
import { reaches } from './tcb.ts'

type Which = 'reported' | 'committed' | 'current' | 'launch'
type Stated = NonNullable<NonNullable<SnpPolicy['min_tcb']>[Which]>

const below = (which: Which, code: ProblemCode): Question => ({
  id: 'SNP-53',
  title: `${which.toUpperCase()}_TCB reaches the policy’s minimum`,
  code,
  origin: 'policy',
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
  const expected = minima.map((least) => (least === 'any' ? 'any' : `at least ${formatTcb(least)}`)).join(' and ')
  return judge(
    question,
    minima.every((least) => least === 'any' || reaches(tcb, least)),
    { actual, expected },
  )
}

const PRODUCT_MEMBER = { Milan: 'milan', Genoa: 'genoa', Turin: 'turin' } as const

/** The minima that hold for this processor, or why none can be chosen: where minima are set, "none for this one" must not mean "any". */
function minimaFor({ product, cpuid }: SnpClaims, stated: Stated): readonly ('any' | TcbParts)[] | string {
  if (cpuid === null && stated.cpuid !== undefined) return 'a report that names its model, because minima are stated by model'
  const model = cpuid === null ? undefined : stated.cpuid?.[`${byte(cpuid.family)}_${byte(cpuid.model)}`]
  const minima = [stated[PRODUCT_MEMBER[product]], model].filter((least) => least !== undefined)
  return minima.length > 0 ? minima : `a product or model for which the policy states a minimum; it has none for ${product}`
}

const byte = (value: number): string => value.toString(16).padStart(2, '0')
