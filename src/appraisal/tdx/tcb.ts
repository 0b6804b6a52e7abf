import type { TcbClaims, TcbEvaluation, TcbShortfall } from '../../verifiers/tdx/claims.ts'
import { judge, notAsked, oneOf } from '../check.ts'
import { askedOfBoth, type IntelRule } from './rule.ts'
import { told } from './words.ts'

const ACCEPTED = askedOfBoth('TDX-61', 'The policy accepts the TCB status', ['tdx-tcb-status-not-accepted', 'accepted_tcb_statuses'])
const RELAUNCH = askedOfBoth('TDX-62', 'The TD need not be started again, or the policy accepts that it should', [
  'tdx-td-relaunch-advised',
  'accepted_tcb_statuses',
])

/** TDX-61 and TDX-62 (section 5.4): the second is asked where the platform was updated under a running TD, the first in all other cases. */
export const tcbStatus: IntelRule = ({ of, claims: { tcb }, policy }) => {
  const holds = policy.accepted_tcb_statuses.some((status) => status === tcb.status)
  const seen = { actual: describe(tcb), expected: oneOf(policy.accepted_tcb_statuses) }
  return tcb.status.startsWith('TDRelaunchAdvised')
    ? [notAsked(ACCEPTED[of], tcb.status), judge(RELAUNCH[of], holds, seen)]
    : [judge(ACCEPTED[of], holds, seen), notAsked(RELAUNCH[of], tcb.status)]
}

/** The status with what an operator needs to mend it: which part is short of what, what that closes, and of when the level is. */
function describe(tcb: TcbClaims): string {
  const parts = [tcb.status, ...(tcb.status === 'UpToDate' ? [] : causes(tcb)), `level of ${dayOf(tcb.tcb_date)}`]
  const needs = tcb.needed_tcb_date === null ? '' : `, needs ${dayOf(tcb.needed_tcb_date)}`
  return `${parts.join('; ')}${needs}${early(tcb)}`
}

const dayOf = (date: string): string => date.slice(0, 10)

const causes = (tcb: TcbClaims): readonly string[] => [
  `platform ${tcb.platform}${tcb.module === null ? '' : `, module ${tcb.module}`}, qe ${tcb.qe}`,
  ...(tcb.launch === null || tcb.current === null ? [] : [`at launch ${tcb.launch.status}, now ${tcb.current.status}`]),
  ...(tcb.shortfall.length === 0 ? [] : [told(tcb.shortfall.map(short))]),
  ...(tcb.advisory_ids.length === 0 ? [] : [told(tcb.advisory_ids)]),
]

const short = ({ component, actual, needed, category, type }: TcbShortfall): string => {
  const meaning = [category, type].filter((word) => word !== null).join(', ')
  return `${component}${meaning === '' ? '' : ` (${meaning})`}: ${actual}, needs ${needed}`
}

/** The documents of the next recovery show a failure before it bites. */
function early(tcb: TcbClaims): string {
  const coming = tcb.early_status ?? tcb.early_code
  return coming === null || coming === tcb.status ? '' : `; early: ${coming}`
}

/** Every evaluation that the quote was put to: what counts against the TD at launch or now counts against it. */
const evaluations = (tcb: TcbClaims): readonly TcbEvaluation[] => [tcb, tcb.launch, tcb.current].filter((one) => one !== null)

/** Every advisory that applies at launch or now, sorted. */
export const applyingAdvisories = (tcb: TcbClaims): readonly string[] =>
  [...new Set(evaluations(tcb).flatMap((one) => one.advisory_ids))].toSorted()

const DENIED = askedOfBoth('TDX-64', 'No advisory applies that the policy denies', ['tdx-advisory-not-accepted', 'denied_advisories'])
const LISTED = askedOfBoth('TDX-64', 'Every advisory that applies is on the policy’s list', [
  'tdx-advisory-not-accepted',
  'accepted_advisories',
])

/** TDX-64. */
export const advisories: IntelRule = ({ of, claims: { tcb }, policy: { denied_advisories: denied, accepted_advisories: listed } }) => {
  const applying = applyingAdvisories(tcb)
  const actual = told(applying)
  return [
    denied === undefined
      ? notAsked(DENIED[of], actual)
      : judge(DENIED[of], !applying.some((id) => denied.includes(id)), { actual, expected: `not ${oneOf(denied)}` }),
    listed === undefined
      ? notAsked(LISTED[of], actual)
      : judge(
          LISTED[of],
          applying.every((id) => listed.includes(id)),
          { actual, expected: `none but ${oneOf(listed)}` },
        ),
  ]
}

const DATE = askedOfBoth('TDX-65', 'The TCB level is not older than the policy accepts', ['tdx-tcb-date-too-old', 'min_tcb_date'])

/** TDX-65, by the oldest level of launch and present. */
export const tcbDate: IntelRule = ({ of, claims: { tcb }, policy: { min_tcb_date: least } }) => {
  const dates = evaluations(tcb).map((one) => one.tcb_date)
  // Written alike, so that texts compare as times do.
  const actual = dates.toSorted()[0] ?? tcb.tcb_date
  if (least === undefined) return [notAsked(DATE[of], actual)]
  // A date that cannot be read is NaN, which reaches nothing.
  const reached = dates.every((date) => Date.parse(date) >= Date.parse(`${least}T00:00:00Z`))
  return [judge(DATE[of], reached, { actual, expected: `not before ${least}` })]
}

const NUMBER = askedOfBoth('TDX-66', 'The collateral is of an evaluation that the policy accepts', [
  'tdx-tcb-evaluation-number-too-low',
  'min_tcb_evaluation_data_number',
])

/** TDX-66, for TCB info and QE identity alike: their numbers may differ in one fetch (section 4). */
export const evaluationNumber: IntelRule = ({ of, claims: { tcb }, policy: { min_tcb_evaluation_data_number: least } }) => {
  const [info, identity] = [tcb.tcb_info_evaluation_data_number, tcb.qe_identity_evaluation_data_number]
  const actual = `TCB info ${info}, QE identity ${identity}`
  if (least === undefined) return [notAsked(NUMBER[of], actual)]
  return [judge(NUMBER[of], info >= least && identity >= least, { actual, expected: `at least ${least}` })]
}
