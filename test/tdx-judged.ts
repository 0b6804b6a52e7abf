import type { Judgement } from '../src/appraisal/appraisal.ts'
import type { TcbClaims, TdAttributes, TdxClaims } from '../src/verifiers/tdx/claims.ts'
import { upToDate } from './intel-claims.ts'
import { genuineQuote, judgedUnder, soundTdx, type Options } from './intel-judged.ts'

/** Every status that a policy may accept of a TD. */
export const ALL_STATUSES = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'TDRelaunchAdvised',
  'TDRelaunchAdvisedConfigurationNeeded',
]

/** Nothing is refused but by the option under test and by what no option allows. */
export const LENIENT = {
  mr_td: 'DANGEROUSLY_ACCEPT_ANY',
  initdata: 'any',
  td_attributes: {
    debug: 'DANGEROUSLY_ALLOW',
    other_tud_bits: 'DANGEROUSLY_ALLOW',
    reserved_bits: 'DANGEROUSLY_ALLOW',
    sept_ve_disable: 'any',
    icssd: 'allow',
    perfmon: 'allow',
  },
  xfam: { allowed: '0xffffffffffffffff' },
  accepted_tcb_statuses: ALL_STATUSES,
  tee_tcb_svn2_regression: 'warn',
}

/** What the lenient policy says of a TD with these members of `tdx` in place of its own. */
export const judged = (options: Options, claims: TdxClaims): Judgement =>
  judgedUnder({ issue_on: 'warning', tdx: { ...LENIENT, ...options } }, genuineQuote({ tdx: claims }))
/** The same of the strict policy, which lists the MRTD of a sound TD. */
export const strictly = (options: Options, claims: TdxClaims): Judgement =>
  judgedUnder({ tdx: { mr_td: [soundTdx.mr_td], ...options } }, genuineQuote({ tdx: claims }))

/** A sound TD but for this. */
export const is = (changes: Partial<TdxClaims>): TdxClaims => ({ ...soundTdx, ...changes })
/** The same of its TCB. */
export const tcb = (changes: Partial<TcbClaims>): TdxClaims => is({ tcb: { ...upToDate, ...changes } })
/** The same of its TDATTRIBUTES. */
export const attributes = (changes: Partial<TdAttributes>): TdxClaims => is({ td_attributes: { ...soundTdx.td_attributes, ...changes } })
/** The same of its XFAM. */
export const xfam = (value: string): TdxClaims => is({ xfam: { value, features: [] } })

/** Registers and hashes. */
export const [zero48, a48, b48] = ['00'.repeat(48), 'aa'.repeat(48), 'bb'.repeat(48)]
