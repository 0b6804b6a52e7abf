import { differencesOf, type CheckDifference } from '../appraisal/difference.ts'
import type { ActivePolicy } from '../appraisal/policy-set.ts'
import type { Check } from '../verifiers/verifier.ts'
import { columns, printable } from './output.ts'
import { nameOf } from './policy-difference-text.ts'
import { faultsText, headline } from './verdict-text.ts'
import { verifyEvidence, type Question, type Verdict } from './verify.ts'

/** What two policies make of the same evidence; `--json` prints it as it is. */
export type Trial = {
  readonly verdict: Verdict
  readonly against?: { readonly verdict: Verdict; readonly differences: readonly CheckDifference[] }
}

/** Judges evidence under a policy, and under another one to compare it with. Nothing is spent, and there is no token. */
export async function tryPolicy(asked: Omit<Question, 'policy'>, policy: ActivePolicy, against: ActivePolicy | undefined): Promise<Trial> {
  const verdict = await verifyEvidence({ ...asked, policy })
  if (against === undefined) return { verdict }
  const other = await verifyEvidence({ ...asked, policy: against })
  return { verdict, against: { verdict: other, differences: differencesOf(checksOf(other), checksOf(verdict)) } }
}

const checksOf = ({ evidence }: Verdict): readonly Check[] => evidence.flatMap(({ checks }) => checks)

/** The same for people: verdict, what failed and what mends it, then what the other policy makes of it. */
export function trialText({ verdict, against }: Trial, policy: ActivePolicy, other: ActivePolicy | undefined): string {
  const own = [headline(verdict), columns([['policy', nameOf(policy)]]), ...faultsText(verdict)]
  if (against === undefined || other === undefined) return own.join('\n\n')
  const { differences } = against
  const told = differences.length === 0 ? 'every check ends alike' : differences.map(differenceText).join('\n')
  return [...own, `${columns([['against', nameOf(other)]])}\n${headline(against.verdict)}`, told].join('\n\n')
}

function differenceText({ id, title, before, after }: CheckDifference): string {
  const rule = ruleOf(after) ?? ruleOf(before)
  const head = `${id}  ${printable(title)}${rule === undefined ? '' : ` (${rule})`}: ${outcomeOf(before)} → ${outcomeOf(after)}`
  const [was, is] = [expectedOf(before), expectedOf(after)]
  return was === is ? head : `${head}\n${columns([['expected', `${was} → ${is}`]], 2)}`
}

const ruleOf = (check: Check | undefined): string | undefined => check?.rule
const outcomeOf = (check: Check | undefined): string => check?.outcome ?? 'not made'
const expectedOf = (check: Check | undefined): string => check?.expected ?? 'nothing'
