import { describe, expect, it } from 'vitest'
import { fakeTdxHost, type TdxHostOptions } from '../src/simulator/intel-hosts.ts'
import { isvSvnAt, platformAt, type PlatformStatus } from '../src/simulator/intel-levels.ts'
import { fakeIntel, intelCollateral } from '../src/simulator/intel.ts'
import { teeTcbSvn } from '../src/simulator/td-report.ts'
import { peerCollateral, peerVerdict, type PeerQuestion, type PeerVerdict } from './phala.ts'
import { vectorBytes, vectorExists, vectorJson, vectorsPresent } from './vectors.ts'

const intel = fakeIntel()
const collateral = peerCollateral(intelCollateral(intel), '00806f050000')

/** What the peer says of a simulated host's quote under the simulator's root. */
function simulated(options: TdxHostOptions, change: (quote: Uint8Array) => Uint8Array = (same) => same): PeerVerdict {
  const quote = fakeTdxHost(intel, options).quote(new Uint8Array(64).fill(1))
  return peerVerdict({ quote: change(quote), collateral, at: intel.now, root: intel.authority('root').der })
}
const statusOf = (verdict: PeerVerdict) => ('status' in verdict ? verdict.status : verdict.error)

describe('another verifier, with the simulator’s root pinned', () => {
  it.each<TdxHostOptions>([{ version: 4 }, { version: 5 }, { body: 'td-report-1.5' }])('verifies a simulated quote %j', (options) => {
    expect(simulated(options)).toEqual({ status: 'UpToDate', advisories: [] })
  })

  it.each<PlatformStatus>([
    'SWHardeningNeeded',
    'ConfigurationNeeded',
    'ConfigurationAndSWHardeningNeeded',
    'OutOfDate',
    'OutOfDateConfigurationNeeded',
  ])('finds a platform that is %s', (status) => {
    expect(statusOf(simulated({ pck: platformAt(status) }))).toBe(status)
  })

  it('refuses what is revoked, below every level, changed or of another root', () => {
    expect(statusOf(simulated({ pck: platformAt('Revoked') }))).toMatch(/invalid: Revoked/)
    expect(statusOf(simulated({ pck: platformAt('none') }))).toMatch(/No matching TCB level/)
    expect(statusOf(simulated({}, (quote) => quote.with(200, (quote[200] ?? 0) ^ 1)))).toMatch(/signature is invalid/)
    const quote = fakeTdxHost(intel).quote(new Uint8Array(64))
    expect(statusOf(peerVerdict({ quote, collateral, at: intel.now }))).not.toBe('UpToDate')
  })

  it('sees an outdated quoting enclave', () => {
    expect(statusOf(simulated({ qe: { report: { isvSvn: isvSvnAt.OutOfDate } } }))).toBe('OutOfDate')
  })
})

describe('another verifier differs (docs/divergences.md)', () => {
  it('compares the module’s SVN with components 0 and 1, which a module of major version 1 and later does not answer for', () => {
    expect(statusOf(simulated({ fields: { td: { teeTcbSvn: teeTcbSvn(4, 1) } } }))).toMatch(/No matching TCB level/)
  })

  it('knows no levels of modules', () => {
    expect(statusOf(simulated({ fields: { td: { teeTcbSvn: teeTcbSvn(9, 2) } } }))).toBe('UpToDate')
  })

  it('knows nothing of a TD that was launched below what it runs on', () => {
    const td = { teeTcbSvn: teeTcbSvn(5, 1, 6), teeTcbSvn2: teeTcbSvn(5, 1, 7) }
    expect(statusOf(simulated({ body: 'td-report-1.5', fields: { td } }))).toBe('OutOfDate')
  })

  it('takes the worst status alone, and loses what must be configured', () => {
    const options = { pck: platformAt('ConfigurationNeeded'), qe: { report: { isvSvn: isvSvnAt.OutOfDate } } }
    expect(statusOf(simulated(options))).toBe('OutOfDate')
  })

  it('takes any revocation list', () => {
    const quote = fakeTdxHost(intel).quote(new Uint8Array(64))
    const empty = { ...collateral, root_ca_crl: '00', pck_crl: '' }
    expect(statusOf(peerVerdict({ quote, collateral: empty, at: intel.now, root: intel.authority('root').der }))).toBe('UpToDate')
  })

  it('does not know the TD report 1.5-Ex', () => {
    expect(simulated({ body: 'td-report-1.5-ex' })).toHaveProperty('error')
  })
})

type Vector = { case: string; verificationTime: string; expected: { status?: string | null; advisories?: string[] } }
const vectors = vectorsPresent() ? (Object(vectorJson('tdx/MANIFEST.json')).cases as Vector[]) : []
const judged = vectors.filter((vector) => vectorExists(`tdx/${vector.case}/collateral.json`))

function verdictOn({ case: name, verificationTime }: Vector): PeerVerdict {
  const bundle = vectorJson(`tdx/${name}/collateral.json`) as PeerQuestion['collateral']
  return peerVerdict({ quote: vectorBytes(`tdx/${name}/quote.bin`), collateral: bundle, at: new Date(verificationTime) })
}

/** Real quotes on which the peer is wrong, or asks of them what is a policy's to ask. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  'v4-gcp-cos113-ccel': 'OutOfDate',
  'v4-azure-a187-outofdate': 'No matching TCB level found',
  'v5-alibaba-uptodate-2025': 'Invalid mr service td',
  'v5-alibaba-outofdate-2026': 'Invalid mr service td',
  'v4-debug-2023-uptodate': 'Debug mode is enabled',
  'v3-sgx-2023-outofdate': 'Debug mode is enabled',
}

describe.skipIf(judged.length === 0)('another verifier on real quotes', () => {
  it('is asked about all that have collateral', () => {
    expect(judged).toHaveLength(24)
    expect(Object.keys(DIFFERENCES).filter((name) => !judged.some((vector) => vector.case === name))).toEqual([])
  })

  it.each(judged)('$case', (vector) => {
    const verdict = verdictOn(vector)
    const differs = DIFFERENCES[vector.case]
    expect(differs === undefined ? verdict : statusOf(verdict)).toEqual(differs ?? vendorsWord(vector))
  })
})

/** What Intel's library says, in the words of the peer. */
function vendorsWord({ expected: { status, advisories = [] } }: Vector): PeerVerdict {
  return status === null || status === undefined ? { error: 'No matching TCB level found' } : { status, advisories: advisories.toSorted() }
}
