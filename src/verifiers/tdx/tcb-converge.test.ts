import { describe, expect, it } from 'vitest'
import { converge, weighRelaunch, type PartStatus, type PlatformStatus } from './tcb-converge.ts'

/** Specification tdx.md section 5.3, copied: platform, then the result beside UpToDate, OutOfDate, Revoked. */
const TABLE = `
UpToDate UpToDate OutOfDate Revoked
SWHardeningNeeded SWHardeningNeeded OutOfDate Revoked
ConfigurationNeeded ConfigurationNeeded OutOfDateConfigurationNeeded Revoked
ConfigurationAndSWHardeningNeeded ConfigurationAndSWHardeningNeeded OutOfDateConfigurationNeeded Revoked
OutOfDate OutOfDate OutOfDate Revoked
OutOfDateConfigurationNeeded OutOfDateConfigurationNeeded OutOfDateConfigurationNeeded Revoked
Revoked Revoked Revoked Revoked`

const PARTS: readonly PartStatus[] = ['UpToDate', 'OutOfDate', 'Revoked']
const rows = TABLE.trim()
  .split('\n')
  .map((line) => line.split(' ') as PlatformStatus[])
const platforms = rows.flatMap(([platform]) => platform ?? [])
const expectedOf = (platform: PlatformStatus, worst: PartStatus) => rows.find(([name]) => name === platform)?.[PARTS.indexOf(worst) + 1]
const worstOf = (parts: readonly PartStatus[]): PartStatus => PARTS[Math.max(0, ...parts.map((part) => PARTS.indexOf(part)))] ?? 'Revoked'

describe('convergence', () => {
  const combinations = platforms.flatMap((platform) => PARTS.flatMap((module) => PARTS.map((qe) => [platform, module, qe] as const)))

  it('has 63 combinations', () => {
    expect(combinations).toHaveLength(63)
  })

  it.each(combinations)('platform %s, module %s, quoting enclave %s', (platform, module, qe) => {
    expect(converge(platform, [module, qe])).toBe(expectedOf(platform, worstOf([module, qe])))
  })

  it.each(platforms.flatMap((platform) => PARTS.map((qe) => [platform, qe] as const)))(
    'platform %s, quoting enclave %s alone',
    (platform, qe) => {
      expect(converge(platform, [qe])).toBe(expectedOf(platform, qe))
    },
  )
})

/** Section 5.4, Intel's table: launch, then the result beside a current TCB that is good, that needs configuration, OutOfDate of any kind, Revoked. */
const QVL = `
UpToDate UpToDate UpToDate UpToDate UpToDate
SWHardeningNeeded SWHardeningNeeded SWHardeningNeeded SWHardeningNeeded SWHardeningNeeded
ConfigurationNeeded ConfigurationNeeded ConfigurationNeeded ConfigurationNeeded ConfigurationNeeded
ConfigurationAndSWHardeningNeeded ConfigurationAndSWHardeningNeeded ConfigurationAndSWHardeningNeeded ConfigurationAndSWHardeningNeeded ConfigurationAndSWHardeningNeeded
OutOfDate TDRelaunchAdvised TDRelaunchAdvisedConfigurationNeeded OutOfDate OutOfDate
OutOfDateConfigurationNeeded TDRelaunchAdvisedConfigurationNeeded TDRelaunchAdvisedConfigurationNeeded OutOfDateConfigurationNeeded OutOfDateConfigurationNeeded
Revoked Revoked Revoked Revoked Revoked`

const COLUMNS: readonly (readonly PlatformStatus[])[] = [
  ['UpToDate', 'SWHardeningNeeded'],
  ['ConfigurationNeeded', 'ConfigurationAndSWHardeningNeeded'],
  ['OutOfDate', 'OutOfDateConfigurationNeeded'],
  ['Revoked'],
]

/** Section 5.4, ours: every pair, by the words of the section and not by its code. */
const OURS = `
UpToDate: UpToDate SWHardeningNeeded ConfigurationNeeded ConfigurationAndSWHardeningNeeded OutOfDate OutOfDateConfigurationNeeded Revoked
SWHardeningNeeded: SWHardeningNeeded SWHardeningNeeded ConfigurationNeeded ConfigurationAndSWHardeningNeeded OutOfDate OutOfDateConfigurationNeeded Revoked
ConfigurationNeeded: ConfigurationNeeded ConfigurationNeeded ConfigurationNeeded ConfigurationAndSWHardeningNeeded OutOfDateConfigurationNeeded OutOfDateConfigurationNeeded Revoked
ConfigurationAndSWHardeningNeeded: ConfigurationAndSWHardeningNeeded ConfigurationAndSWHardeningNeeded ConfigurationAndSWHardeningNeeded ConfigurationAndSWHardeningNeeded OutOfDateConfigurationNeeded OutOfDateConfigurationNeeded Revoked
OutOfDate: TDRelaunchAdvised TDRelaunchAdvised TDRelaunchAdvisedConfigurationNeeded TDRelaunchAdvisedConfigurationNeeded OutOfDate OutOfDateConfigurationNeeded Revoked
OutOfDateConfigurationNeeded: TDRelaunchAdvisedConfigurationNeeded TDRelaunchAdvisedConfigurationNeeded TDRelaunchAdvisedConfigurationNeeded TDRelaunchAdvisedConfigurationNeeded OutOfDateConfigurationNeeded OutOfDateConfigurationNeeded Revoked
Revoked: Revoked Revoked Revoked Revoked Revoked Revoked Revoked`

const ORDER: readonly PlatformStatus[] = COLUMNS.flat()
const ours = OURS.trim()
  .split('\n')
  .flatMap((line) => {
    const [launch = '', results = ''] = line.split(': ')
    return results.split(' ').map((result, index) => [launch as PlatformStatus, ORDER[index] ?? 'Revoked', result] as const)
  })
const theirs = QVL.trim()
  .split('\n')
  .flatMap((line) => {
    const [launch, ...results] = line.split(' ')
    return results.flatMap((result, column) =>
      (COLUMNS[column] ?? []).map((current) => [launch as PlatformStatus, current, result] as const),
    )
  })

describe('relaunch', () => {
  it('has 49 pairs in both tables', () => {
    expect([ours.length, theirs.length]).toEqual([49, 49])
  })

  it.each(ours)('launch %s, current %s: %s', (launch, current, result) => {
    expect(weighRelaunch(launch, current).status).toBe(result)
  })

  it.each(theirs)('Intel’s library: launch %s, current %s: %s', (launch, current, result) => {
    expect(weighRelaunch(launch, current).qvlStatus).toBe(result)
  })

  it.each(ours)('launch %s, current %s: %s is decided by whoever has that status', (launch, current, result) => {
    const expected = result === launch || result.startsWith('TDRelaunch') ? 'launch' : 'current'
    expect(weighRelaunch(launch, current).decidedBy).toBe(expected)
  })
})
