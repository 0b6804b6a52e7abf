import { failed, hasOutcome, passed, skipped } from '../checks.ts'
import type { ProblemCode } from '../problems.ts'
import type { Check, CollateralAddress } from '../verifier.ts'
import { collateralClaims, type Relied } from './collateral-claims.ts'
import { judgeDocuments, type DocumentsJudgement } from './collateral-documents.ts'
import type { CollateralInput, CollateralJudgement } from './collateral-input.ts'
import { judgeLists, type ListsJudgement } from './revocation.ts'
import type { TcbClaims } from './claims.ts'
import { rememberingJudge, type TcbJudge } from './tcb-remembered.ts'

const AT_HAND = {
  id: 'TDX-88',
  title: 'TCB info and QE identity are at hand',
  code: 'collateral-unavailable',
  expected: 'both documents of this kind of platform',
} as const

/** A revocation that was found stands, whatever document is missing (design section 3). */
const FOUND: readonly ProblemCode[] = ['tdx-intermediate-ca-revoked', 'tdx-pck-cert-revoked', 'tdx-tcb-signing-cert-revoked']

/**
 * Judges the collateral and the TCB of a quote that is proven (specification tdx.md section 5, steps 4 to 9). All of steps 4 and 5 is judged,
 * so that an operator sees everything that must be refreshed; the TCB only where all of it can be relied on. Compares only, where
 * these documents were seen before. Never throws AttestationError.
 */
export function judgeCollateral(input: CollateralInput): CollateralJudgement {
  const lists = judgeLists(input)
  const documents = judgeDocuments(input, 'standard', lists.root?.list)
  const checks = [...lists.checks, checkAtHand(documents.absent), ...documents.checks]
  if (documents.absent.length > 0) return undecidedUnlessFound(complete(checks))
  const relied = hasOutcome(checks, 'fail') ? undefined : reliedOn(lists, documents)
  if (relied === undefined) return { checks: complete(checks) }
  const judge = rememberingJudge(input, input.context.memo.tdx.tcb)
  const { checks: tcb, verdict } = judge(relied)
  const all = [...checks, ...tcb]
  return verdict === undefined
    ? { checks: complete(all) }
    : { checks: all, verdict: { tcb: { ...verdict, ...judgeEarly(input, relied, judge) }, ...collateralClaims(input.pck, relied) } }
}

function checkAtHand(absent: readonly CollateralAddress[]): Check {
  return absent.length > 0 ? failed(AT_HAND, `not at hand: ${absent.join(', ')}`) : passed(AT_HAND, 'both')
}

function undecidedUnlessFound(checks: readonly Check[]): CollateralJudgement {
  const isFound = checks.some((check) => check.outcome === 'fail' && FOUND.includes(check.code))
  return isFound ? { checks } : { checks, undecided: 'collateral-unavailable' }
}

function reliedOn({ root, pck }: ListsJudgement, { tcbInfo, qeIdentity }: DocumentsJudgement): Relied | undefined {
  const isComplete = root !== undefined && pck !== undefined && tcbInfo !== undefined && qeIdentity !== undefined
  return isComplete ? { root, pck, tcbInfo, qeIdentity } : undefined
}

/**
 * The same quote held against the early documents (section 4), which know of a TCB recovery before the standard ones do. They decide nothing:
 * unless both are at hand and can be relied on, nothing is said.
 */
function judgeEarly(input: CollateralInput, { root }: Relied, judge: TcbJudge): Pick<TcbClaims, 'early_status' | 'early_code'> {
  const silent = { early_status: null, early_code: null }
  const { tcbInfo, qeIdentity } = judgeDocuments(input, 'early', root.list)
  if (tcbInfo === undefined || qeIdentity === undefined) return silent
  const judged = judge({ tcbInfo, qeIdentity })
  if (judged.verdict !== undefined) return { ...silent, early_status: judged.verdict.status }
  const [failure] = judged.checks.flatMap((check) => (check.outcome === 'fail' ? [check.code] : []))
  return { ...silent, early_code: failure ?? null }
}

/** The checks of steps 5 to 9 by name, for those that were not made. */
const LATER: readonly (readonly [id: string, title: string])[] = [
  ['TDX-35', 'Chain of the TCB signing key'],
  ['TDX-36', 'Signature of the TCB info'],
  ['TDX-37', 'Signature of the QE identity'],
  ['TDX-38', 'Form of the TCB info'],
  ['TDX-39', 'Form of the QE identity'],
  ['TDX-59', 'TCB statuses that are known'],
  ['TDX-32', 'Dates of the TCB info'],
  ['TDX-33', 'Dates of the QE identity'],
  ['TDX-34', 'Rollback'],
  ['TDX-40', 'Kind of the TCB info'],
  ['TDX-43', 'Kind of the QE identity'],
  ['TDX-41', 'FMSPC of the TCB info'],
  ['TDX-42', 'PCE-ID of the TCB info'],
  ['TDX-47', 'MISCSELECT of the quoting enclave'],
  ['TDX-48', 'ATTRIBUTES of the quoting enclave'],
  ['TDX-49', 'MRSIGNER of the quoting enclave'],
  ['TDX-50', 'ISVPRODID of the quoting enclave'],
  ['TDX-51', 'Debug mode of the quoting enclave'],
  ['TDX-53', 'Identity of the TDX module'],
  ['TDX-54', 'MRSIGNERSEAM'],
  ['TDX-55', 'SEAMATTRIBUTES'],
  ['TDX-56', 'TCB level of the platform'],
  ['TDX-57', 'TCB level of the TDX module'],
  ['TDX-58', 'TCB level of the quoting enclave'],
  ['TDX-60', 'Revoked TCB'],
]

/** Names the checks that were not made, so that the list is complete. */
function complete(checks: readonly Check[]): readonly Check[] {
  const made = new Set(checks.map(({ id }) => id))
  const rest = LATER.filter(([id]) => !made.has(id)).map(([id, title]) => skipped({ id, title }, 'not reached'))
  return [...checks, ...rest]
}
