import type { IntelTee, IntelUpdate } from '../verifiers/tdx/address.ts'
import type { TcbStatus } from '../verifiers/tdx/claims.ts'

/** A level of a platform's TCB (specification tdx.md section 4.1): 16 component SVNs each, PCESVN, and what having them means. */
export type PlatformLevel = LevelVerdict & {
  readonly sgx: readonly number[]
  readonly pcesvn: number
  /** Not written into documents for SGX. */
  readonly tdx: readonly number[]
}

/** A level of one enclave or module by its single SVN. */
export type IsvLevel = LevelVerdict & { readonly isvsvn: number }

/** What a level means; free text where a document shall be wrong. */
type LevelVerdict = { readonly status: string; readonly date: string; readonly advisories?: readonly string[] }

/** The identity of a TDX module in a TCB info. */
export type ModuleIdentity = {
  readonly id: string
  readonly levels: readonly IsvLevel[]
  readonly mrsigner?: string
  readonly attributes?: string
  readonly attributesMask?: string
}

/** The statuses that a level of a platform can have. */
export type PlatformStatus = Exclude<TcbStatus, 'TDRelaunchAdvised' | 'TDRelaunchAdvisedConfigurationNeeded'>

/** Which component tells the simulator's levels apart: SEAMLDR ACM, counted from 0 as in Intel's arrays. */
const TELLING = 7

/** Fully patched processors of the simulator, after Sapphire Rapids. */
const COMPONENTS = [7, 7, 2, 2, 3, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0] as const
const PCESVN = 11

const DATES = { newest: '2025-08-13T00:00:00Z', older: '2024-11-13T00:00:00Z', oldest: '2023-08-09T00:00:00Z' } as const
const RECOVERY = ['INTEL-SA-01245', 'INTEL-SA-01312', 'INTEL-SA-01313'] as const

type Row = LevelVerdict & { readonly status: PlatformStatus; readonly telling: number; readonly microcode: number }

/** Every status that a level can have, newest first. TDX component 2 (late microcode) is lower from OutOfDate on, so that a TD can be launched below and run above. */
const ROWS: readonly Row[] = [
  { status: 'UpToDate', telling: 9, microcode: 7, date: DATES.newest },
  { status: 'SWHardeningNeeded', telling: 8, microcode: 7, date: DATES.newest, advisories: ['INTEL-SA-00615'] },
  { status: 'ConfigurationNeeded', telling: 7, microcode: 7, date: DATES.newest, advisories: ['INTEL-SA-00219'] },
  {
    status: 'ConfigurationAndSWHardeningNeeded',
    telling: 6,
    microcode: 7,
    date: DATES.newest,
    advisories: ['INTEL-SA-00219', 'INTEL-SA-00615'],
  },
  { status: 'OutOfDate', telling: 5, microcode: 6, date: DATES.older, advisories: RECOVERY },
  { status: 'OutOfDateConfigurationNeeded', telling: 4, microcode: 6, date: DATES.older, advisories: [...RECOVERY, 'INTEL-SA-00219'] },
  { status: 'Revoked', telling: 3, microcode: 5, date: DATES.oldest, advisories: [...RECOVERY, 'INTEL-SA-00837'] },
]

const componentsAt = (telling: number): readonly number[] => COMPONENTS.map((svn, index) => (index === TELLING ? telling : svn))

/** The PCK fields of a platform whose level has this status; `none`: below every level. */
export const platformAt = (status: PlatformStatus | 'none'): { readonly components: readonly number[]; readonly pcesvn: number } => ({
  components: componentsAt(ROWS.find((row) => row.status === status)?.telling ?? 1),
  pcesvn: PCESVN,
})

const levelOf = ({ telling, microcode, ...verdict }: Row): PlatformLevel => ({
  ...verdict,
  sgx: componentsAt(telling),
  pcesvn: PCESVN,
  tdx: COMPONENTS.map((_, index) => [5, 0, microcode][index] ?? 0),
})

/** The levels of the simulator's platforms. The early document knows of a recovery after which what was up to date no longer is. */
export function platformLevels(update: IntelUpdate): readonly PlatformLevel[] {
  const standard = ROWS.map(levelOf)
  if (update === 'standard') return standard
  const recovered = levelOf({ status: 'UpToDate', telling: 10, microcode: 7, date: EARLY_DATE })
  return [recovered, ...standard.map((each) => (each.status === 'UpToDate' ? { ...each, ...EARLY_VERDICT } : each))]
}

const EARLY_DATE = '2026-02-11T00:00:00Z'
const EARLY_VERDICT = { status: 'OutOfDate', advisories: ['INTEL-SA-01400'] } as const

/** Levels of modules and quoting enclaves: 5 or more is up to date, 3 and 4 are out of date, 2 is revoked, less is nothing. */
export const ISV_LEVELS: readonly IsvLevel[] = [
  { isvsvn: 5, status: 'UpToDate', date: DATES.newest },
  { isvsvn: 3, status: 'OutOfDate', date: DATES.older, advisories: ['INTEL-SA-01192'] },
  { isvsvn: 2, status: 'Revoked', date: DATES.oldest, advisories: ['INTEL-SA-00837'] },
]

/** SVNs of a module or quoting enclave by the status that {@link ISV_LEVELS} gives; `none`: below every level. */
export const isvSvnAt = { UpToDate: 5, OutOfDate: 4, Revoked: 2, none: 1 } as const

/** The modules in a TCB info for TDX. */
export const MODULES: readonly ModuleIdentity[] = [
  { id: 'TDX_03', levels: ISV_LEVELS },
  { id: 'TDX_01', levels: ISV_LEVELS },
]

/** Intel's own quoting enclaves, which the simulator's have the names of (specification tdx.md section 4.2). */
export const QE: Record<IntelTee, { readonly id: string; readonly mrSigner: string; readonly isvProdId: number }> = {
  tdx: { id: 'TD_QE', mrSigner: 'dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5', isvProdId: 2 },
  sgx: { id: 'QE', mrSigner: '8c4f5775d796503e96137f77c68a829a0056ac8ded70140b081b094490c57bff', isvProdId: 1 },
}
