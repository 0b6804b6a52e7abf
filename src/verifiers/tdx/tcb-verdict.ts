import { failed, passed, skipped } from '../checks.ts'
import type { Check } from '../verifier.ts'
import type { TcbClaims } from './claims.ts'
import type { TcbInput } from './collateral-input.ts'
import { weighRelaunch } from './tcb-converge.ts'
import { earliest, evaluateTcb, union, type Evaluated } from './tcb-evaluate.ts'
import { checkModule, checkQeIdentity, checkWhichObject } from './tcb-identity.ts'
import type { TcbDocuments, TcbSubject } from './tcb-match.ts'
import { shortfallsOf } from './tcb-shortfall.ts'

/** The verdict on the TCB apart from what the early documents say. */
type TcbVerdict = Omit<TcbClaims, 'early_status' | 'early_code'>

/** Steps 6 to 9, and what they come to when none of their checks failed. */
export type TcbJudgement = { readonly checks: readonly Check[]; readonly verdict?: TcbVerdict }

const REVOKED = {
  id: 'TDX-60',
  title: 'The TCB is not revoked',
  code: 'tdx-tcb-revoked',
  expected: 'neither launch nor current TCB Revoked',
} as const

/** Each stands on the one before it: whoever is not Intel's enclave has no TCB to speak of. */
const STEPS = [checkWhichObject, checkQeIdentity, checkModule] as const

/** Holds a quote against validly signed, current documents (specification tdx.md section 5, steps 6 to 9). The first failing step ends it. */
export function judgeTcb(input: TcbInput, documents: TcbDocuments): TcbJudgement {
  const checks: Check[] = []
  for (const step of STEPS) {
    checks.push(...step(input, documents))
    if (hasFailed(checks)) return { checks }
  }
  const judged = evaluateAll(input, documents)
  return { ...judged, checks: [...checks, ...judged.checks] }
}

const hasFailed = (checks: readonly Check[]): boolean => checks.some(({ outcome }) => outcome === 'fail')

const subjectOf = ({ platform, qe }: TcbInput, svn: Uint8Array | undefined): TcbSubject => ({
  components: platform.components,
  pcesvn: platform.pcesvn,
  qeIsvSvn: qe.isvSvn,
  svn,
})

/** Step 9: the TCB of the launch, and for a TD 1.5 the current one. */
function evaluateAll(input: TcbInput, documents: TcbDocuments): TcbJudgement {
  const atLaunch = subjectOf(input, input.td?.teeTcbSvn)
  const launch = evaluateTcb(atLaunch, documents, 'launch')
  const svn2 = input.td?.teeTcbSvn2
  if (svn2 === undefined) return conclude(launch.checks, ofOne(launch), detailOf([atLaunch], documents))
  const now = subjectOf(input, svn2)
  const current = evaluateTcb(now, documents, 'current')
  return conclude([...launch.checks, ...current.checks], ofBoth(launch, current), detailOf([atLaunch, now], documents))
}

type Detail = ReturnType<typeof detailOf>
/** What the evaluations come to; `says` in words. */
type Outcome = { readonly says: string; readonly result: Omit<TcbVerdict, keyof Detail> }

/** TDX-60 closes the list. */
function conclude(checks: readonly Check[], outcome: Outcome | undefined, detail: Detail): TcbJudgement {
  if (outcome === undefined) return { checks: [...checks, skipped(REVOKED, 'a part reaches no level')] }
  if (outcome.result.status === 'Revoked') return { checks: [...checks, failed(REVOKED, outcome.says)] }
  return { checks: [...checks, passed(REVOKED, outcome.says)], verdict: { ...outcome.result, ...detail } }
}

const ofOne = ({ evaluation }: Evaluated): Outcome | undefined =>
  evaluation === undefined
    ? undefined
    : { says: evaluation.status, result: { ...evaluation, qvl_status: evaluation.status, launch: null, current: null } }

/** Section 5.4: where the current TCB decided, date and advisories are those of both. */
function ofBoth({ evaluation: launch }: Evaluated, { evaluation: current }: Evaluated): Outcome | undefined {
  if (launch === undefined || current === undefined) return undefined
  const { status, qvlStatus, decidedBy } = weighRelaunch(launch.status, current.status)
  const deciding = decidedBy === 'launch' ? [launch] : [launch, current]
  const result = {
    ...launch,
    status,
    qvl_status: qvlStatus,
    tcb_date: earliest(deciding.map(({ tcb_date }) => tcb_date)),
    advisory_ids: union(deciding.map(({ advisory_ids }) => advisory_ids)),
    launch,
    current,
  }
  return { says: `launch ${launch.status}, current ${current.status}`, result }
}

function detailOf(subjects: readonly TcbSubject[], documents: TcbDocuments) {
  const { shortfall, neededTcbDate } = shortfallsOf(subjects, documents)
  const [tcbInfo, qeIdentity] = [documents.tcbInfo.evaluationDataNumber, documents.qeIdentity.evaluationDataNumber]
  return {
    shortfall,
    needed_tcb_date: neededTcbDate,
    tcb_evaluation_data_number: Math.min(tcbInfo, qeIdentity),
    tcb_info_evaluation_data_number: tcbInfo,
    qe_identity_evaluation_data_number: qeIdentity,
  }
}
