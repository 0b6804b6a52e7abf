import { describe, expect, it } from 'vitest'
import { createMemo } from '../service/memo.ts'
import { anchorsOf } from '../verifiers/anchors.ts'
import { genuineOnly, type Collateral, type Context, type Finding } from '../verifiers/verifier.ts'
import { sgx, tdx } from '../verifiers/tdx/index.ts'
import { fakeSgxHost, fakeTdxHost, type FakeIntelHost, type QuoteChanges, type TdxHostOptions } from './intel-hosts.ts'
import { isvSvnAt, platformAt } from './intel-levels.ts'
import { fakeIntel, intelCollateral } from './intel.ts'
import type { QeOptions } from './qe.ts'
import { teeTcbSvn } from './td-report.ts'

const intel = fakeIntel()
const anchors = anchorsOf([], intel.anchors())
const memo = createMemo()
const context: Context = { now: intel.now, mode: 'test', reportData: undefined, extraData: undefined, rigour: genuineOnly, memo }

function findingOf(host: FakeIntelHost, early: 'with early documents' | 'without' = 'without'): Promise<Finding> {
  const updates = early === 'without' ? (['standard'] as const) : (['standard', 'early'] as const)
  const documents = intelCollateral(intel, { tee: host.tee, ca: host.pck.ca, updates })
  const collateral: Collateral = { documents, missing: new Map(), marks: new Map() }
  const evidence = { quote: host.quote(new Uint8Array(64).fill(7)), certificates: [] }
  const reading = { mode: 'test', memo } as const
  const unverified =
    host.tee === 'tdx' ? tdx({ type: 'tdx', ...evidence }, anchors, reading) : sgx({ type: 'sgx', ...evidence }, anchors, reading)
  return unverified.then((read) => read.verify(collateral, context))
}

/** The status, or the codes of what failed. */
async function statusOf(host: FakeIntelHost): Promise<string> {
  const { claims, checks } = await findingOf(host)
  const failed = checks.flatMap((check) => (check.outcome === 'fail' ? [check.code] : []))
  return claims?.tdx?.tcb.status ?? claims?.sgx?.tcb.status ?? failed.join(', ')
}

const relaunch = (launch: number, now: number, status: 'UpToDate' | 'ConfigurationNeeded'): TdxHostOptions => ({
  body: 'td-report-1.5',
  pck: platformAt(status),
  fields: { td: { teeTcbSvn: teeTcbSvn(5, 1, launch), teeTcbSvn2: teeTcbSvn(5, 1, now) } },
})
const qe = (status: keyof typeof isvSvnAt): QeOptions => ({ report: { isvSvn: isvSvnAt[status] } })
const module = (status: keyof typeof isvSvnAt, major = 1): QuoteChanges => ({
  td: { teeTcbSvn: teeTcbSvn(isvSvnAt[status], major) },
})

const TDX: readonly (readonly [expected: string, options: TdxHostOptions])[] = [
  ['UpToDate', {}],
  ['UpToDate', { version: 5 }],
  ['UpToDate', { body: 'td-report-1.5' }],
  ['UpToDate', { body: 'td-report-1.5-ex' }],
  ['UpToDate', { fields: module('UpToDate', 3) }],
  ['SWHardeningNeeded', { pck: platformAt('SWHardeningNeeded') }],
  ['ConfigurationNeeded', { pck: platformAt('ConfigurationNeeded') }],
  ['ConfigurationAndSWHardeningNeeded', { pck: platformAt('ConfigurationAndSWHardeningNeeded') }],
  ['OutOfDate', { pck: platformAt('OutOfDate') }],
  ['OutOfDate', { fields: module('OutOfDate') }],
  ['OutOfDate', { qe: qe('OutOfDate') }],
  ['OutOfDateConfigurationNeeded', { pck: platformAt('OutOfDateConfigurationNeeded') }],
  ['OutOfDateConfigurationNeeded', { pck: platformAt('ConfigurationNeeded'), qe: qe('OutOfDate') }],
  ['TDRelaunchAdvised', relaunch(6, 7, 'UpToDate')],
  ['TDRelaunchAdvisedConfigurationNeeded', relaunch(6, 7, 'ConfigurationNeeded')],
  ['tdx-tcb-revoked', { pck: platformAt('Revoked') }],
  ['tdx-tcb-revoked', { fields: module('Revoked') }],
  ['tdx-tcb-revoked', { qe: qe('Revoked') }],
  ['tdx-tcb-not-supported', { pck: platformAt('none') }],
  ['tdx-tdx-module-tcb-not-supported', { fields: module('none') }],
  ['tdx-tdx-module-mismatch', { fields: module('UpToDate', 2) }],
  ['tdx-qe-tcb-not-supported', { qe: qe('none') }],
]

describe('the simulator produces every status', () => {
  it.each(TDX)('%s of a TD %#', async (expected, options) => {
    expect(await statusOf(fakeTdxHost(intel, options))).toBe(expected)
  })

  it.each(['UpToDate', 'SWHardeningNeeded', 'OutOfDate'] as const)('%s of an enclave', async (status) => {
    for (const version of [3, 4, 5] as const)
      expect(await statusOf(fakeSgxHost(intel, { version, pck: { ...platformAt(status), ca: 'processor' } }))).toBe(status)
  })

  it('tells early what the standard documents do not say yet', async () => {
    const { claims } = await findingOf(fakeTdxHost(intel), 'with early documents')
    expect(claims?.tdx?.tcb).toMatchObject({ status: 'UpToDate', early_status: 'OutOfDate' })
  })
})
