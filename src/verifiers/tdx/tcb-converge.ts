import type { TcbStatus } from './claims.ts'

/** Statuses that a level of the platform may have (specification tdx.md section 4.1). */
export type PlatformStatus = Exclude<TcbStatus, 'TDRelaunchAdvised' | 'TDRelaunchAdvisedConfigurationNeeded'>
/** Statuses that a TDX module or a quoting enclave may have (sections 4.1, 4.2). */
export type PartStatus = 'UpToDate' | 'OutOfDate' | 'Revoked'

type Row = { readonly [worst in PartStatus]: PlatformStatus }

/** Section 5.3, row by row: what the platform's status becomes beside the worst of module and quoting enclave. */
const CONVERGED: { readonly [platform in PlatformStatus]: Row } = {
  UpToDate: { UpToDate: 'UpToDate', OutOfDate: 'OutOfDate', Revoked: 'Revoked' },
  SWHardeningNeeded: { UpToDate: 'SWHardeningNeeded', OutOfDate: 'OutOfDate', Revoked: 'Revoked' },
  ConfigurationNeeded: { UpToDate: 'ConfigurationNeeded', OutOfDate: 'OutOfDateConfigurationNeeded', Revoked: 'Revoked' },
  ConfigurationAndSWHardeningNeeded: {
    UpToDate: 'ConfigurationAndSWHardeningNeeded',
    OutOfDate: 'OutOfDateConfigurationNeeded',
    Revoked: 'Revoked',
  },
  OutOfDate: { UpToDate: 'OutOfDate', OutOfDate: 'OutOfDate', Revoked: 'Revoked' },
  OutOfDateConfigurationNeeded: {
    UpToDate: 'OutOfDateConfigurationNeeded',
    OutOfDate: 'OutOfDateConfigurationNeeded',
    Revoked: 'Revoked',
  },
  Revoked: { UpToDate: 'Revoked', OutOfDate: 'Revoked', Revoked: 'Revoked' },
}

const WORSE: readonly PartStatus[] = ['UpToDate', 'OutOfDate', 'Revoked']

/** The status of the whole (section 5.3): module and quoting enclave count alike. */
export function converge(platform: PlatformStatus, parts: readonly PartStatus[]): PlatformStatus {
  const worst = WORSE.findLast((status) => parts.includes(status)) ?? 'UpToDate'
  return CONVERGED[platform][worst]
}

/** Worst last (section 5.4). */
const ORDER: readonly PlatformStatus[] = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
]

const OUT_OF_DATE: readonly PlatformStatus[] = ['OutOfDate', 'OutOfDateConfigurationNeeded']
const GOOD: readonly PlatformStatus[] = ['UpToDate', 'SWHardeningNeeded', 'ConfigurationNeeded', 'ConfigurationAndSWHardeningNeeded']

/** What launch and current TCB of a TD 1.5 come to. */
export type Relaunch = {
  readonly status: TcbStatus
  /** What Intel's library of 2026 answers: the launch status, unless its relaunch rule applies. */
  readonly qvlStatus: TcbStatus
  /** Whose level the status is; `launch` also where a relaunch is advised. */
  readonly decidedBy: 'launch' | 'current'
}

/**
 * Section 5.4: a TD that was launched on an old TCB of a platform that has been updated since should be relaunched; otherwise the worse of both
 * counts, where Intel's library looks at the launch alone.
 */
export function weighRelaunch(launch: PlatformStatus, current: PlatformStatus): Relaunch {
  const isConfigured = [launch, current].some((status) => status.includes('Configuration'))
  if (OUT_OF_DATE.includes(launch) && GOOD.includes(current)) return advise(isConfigured)
  const worse = ORDER.indexOf(current) > ORDER.indexOf(launch) ? current : launch
  const status = worse === 'OutOfDate' && isConfigured ? 'OutOfDateConfigurationNeeded' : worse
  return { status, qvlStatus: launch, decidedBy: status === launch ? 'launch' : 'current' }
}

function advise(isConfigured: boolean): Relaunch {
  const status = isConfigured ? 'TDRelaunchAdvisedConfigurationNeeded' : 'TDRelaunchAdvised'
  return { status, qvlStatus: status, decidedBy: 'launch' }
}
