import { failed, passed, skipped } from '../checks.ts'
import { hexOf } from '../der-values.ts'
import type { Check } from '../verifier.ts'
import type { TcbEvaluation } from './claims.ts'
import { converge, type PlatformStatus } from './tcb-converge.ts'
import type { PlatformLevel, SvnLevel } from './tcb-levels.ts'
import { matchLevels, type MatchedLevels, type TcbDocuments, type TcbSubject } from './tcb-match.ts'

/** One evaluation (specification tdx.md section 5.2): its checks, and what it comes to where every part reaches a level. */
export type Evaluated = { readonly checks: readonly Check[]; readonly evaluation?: TcbEvaluation & { readonly status: PlatformStatus } }

/** Which of the two SVNs of a TD report is evaluated: that of its launch, or the current one (section 5.4). */
export type TcbMoment = 'launch' | 'current'

const RULES = {
  platform: {
    id: 'TDX-56',
    title: 'The platform reaches a TCB level',
    code: 'tdx-tcb-not-supported',
    expected: 'SVNs of a level of the TCB info, or higher',
  },
  module: {
    id: 'TDX-57',
    title: 'The TDX module reaches a TCB level',
    code: 'tdx-tdx-module-tcb-not-supported',
    expected: 'the SVN of a level of its major version, or higher',
  },
  qe: {
    id: 'TDX-58',
    title: 'The quoting enclave reaches a TCB level',
    code: 'tdx-qe-tcb-not-supported',
    expected: 'the ISVSVN of a level of the QE identity, or higher',
  },
} as const

const titled = (part: keyof typeof RULES, moment: TcbMoment) =>
  moment === 'launch' ? RULES[part] : { ...RULES[part], title: `${RULES[part].title}: current TCB (TEE_TCB_SVN_2)` }

/** Evaluates one TCB. */
export function evaluateTcb(subject: TcbSubject, documents: TcbDocuments, moment: TcbMoment): Evaluated {
  const matched = matchLevels(subject, documents)
  const evaluation = evaluationOf(matched)
  const checks = checksOf(matched, subject, moment)
  return evaluation === undefined ? { checks } : { checks, evaluation }
}

function checksOf({ platform, major, module, qe }: MatchedLevels, subject: TcbSubject, moment: TcbMoment): readonly Check[] {
  const judge = (part: keyof typeof RULES, level: { readonly status: string; readonly tcbDate: string } | undefined, actual: string) =>
    level === undefined
      ? failed(titled(part, moment), actual)
      : passed(titled(part, moment), `${actual}: ${level.status}, ${level.tcbDate}`)
  return [
    judge('platform', platform, describe(subject)),
    major === 0
      ? skipped(titled('module', moment), subject.svn === undefined ? 'SGX has none' : 'major version 0 has no levels of its own')
      : judge('module', module, `major ${major}, SVN ${subject.svn?.[0] ?? 'none'}`),
    judge('qe', qe, `ISVSVN ${subject.qeIsvSvn}`),
  ]
}

function describe({ components, pcesvn, svn }: TcbSubject): string {
  const tdx = svn === undefined ? '' : `, TEE_TCB_SVN ${hexOf(svn)}`
  return `SGX components ${components.join(' ')}, PCESVN ${pcesvn}${tdx}`
}

function evaluationOf({ platform, major, module, qe }: MatchedLevels): Evaluated['evaluation'] {
  if (platform === undefined || qe === undefined) return undefined
  if (major === 0) return { ...summary(platform, [qe]), module: null, module_tcb_date: null, qe: qe.status, qe_tcb_date: qe.tcbDate }
  if (module === undefined) return undefined
  const ofModule = { module: module.status, module_tcb_date: module.tcbDate }
  return { ...summary(platform, [module, qe]), ...ofModule, qe: qe.status, qe_tcb_date: qe.tcbDate }
}

const summary = (platform: PlatformLevel, parts: readonly SvnLevel[]) => ({
  status: converge(
    platform.status,
    parts.map(({ status }) => status),
  ),
  platform: platform.status,
  tcb_date: earliest([platform, ...parts].map(({ tcbDate }) => tcbDate)),
  platform_tcb_date: platform.tcbDate,
  advisory_ids: union([platform, ...parts].map(({ advisoryIds }) => advisoryIds)),
})

/** The first of dates that are written alike. */
export const earliest = (dates: readonly string[]): string => dates.toSorted()[0] ?? ''

/** Sorted, each once. */
export const union = (lists: readonly (readonly string[])[]): readonly string[] => [...new Set(lists.flat())].toSorted()
