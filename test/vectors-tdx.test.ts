import { describe, expect, it } from 'vitest'
import { pinnedAnchors } from '../src/verifiers/anchors.ts'
import type { PlatformClaims, QeClaims, SgxClaims, TcbClaims, TcbEvaluation, TdxClaims } from '../src/verifiers/tdx/claims.ts'
import { attempt, contextAt } from './snp-in-process.ts'
import { expectedCode, tdxCases, type ExpectedTcb, type TdxCase } from './tdx-cases.ts'
import { vectorsPresent } from './vectors.ts'

const cases = vectorsPresent() ? tdxCases() : []
const genuine = cases.filter(({ expected }) => expected.result === 'pass')
const named = cases.map((vector) => [vector.name, vector] as const)
const genuineNamed = genuine.map((vector) => [vector.name, vector] as const)

const judged = async (vector: TdxCase) =>
  attempt(vector.evidence, {
    anchors: pinnedAnchors,
    collateral: { documents: vector.documents, missing: new Map(), marks: new Map() },
    context: contextAt(vector.at, { mode: 'production' }),
  })

/** What refuses, undecided before all else. */
const refusal = ({ finding, codes }: Awaited<ReturnType<typeof judged>>): string | undefined => finding?.undecided ?? codes[0]

const evaluation = ({ platform, module, qe, status, advisory_ids, tcb_date, platform_tcb_date }: TcbEvaluation): ExpectedTcb => ({
  platform,
  module,
  qe,
  status,
  advisories: advisory_ids,
  tcbDate: tcb_date,
  platformTcbDate: platform_tcb_date,
})

const expectedEvaluation = ({ platform, module, qe, status, advisories, tcbDate, platformTcbDate }: Partial<ExpectedTcb>) => ({
  platform,
  module,
  qe,
  status,
  advisories,
  tcbDate,
  platformTcbDate,
})

const claimsOf = async (vector: TdxCase): Promise<TdxClaims | SgxClaims> => {
  const { finding } = await judged(vector)
  const claims = finding?.claims?.tdx ?? finding?.claims?.sgx
  if (claims === undefined) throw new Error(`${vector.name} has no claims`)
  return claims
}

const SGX_TYPES = ['Standard', 'Scalable', 'ScalableWithIntegrity'] as const

describe.skipIf(cases.length === 0)('TDX vectors', () => {
  it('are all there', () => {
    expect(cases.map(({ evidence }) => evidence.type).filter((type) => type === 'tdx')).toHaveLength(21)
    expect([cases.length, genuine.length]).toEqual([26, 19])
  })

  it.each(named)('%s', async (_, vector) => {
    expect(refusal(await judged(vector))).toBe(expectedCode(vector))
  })

  it.each(genuineNamed)('%s reaches the TCB of the manifest', async (_, vector) => {
    const { tcb } = await claimsOf(vector)
    expect(evaluation(tcb)).toEqual(expectedEvaluation(vector.expected))
    expect([tcb.tcb_info_evaluation_data_number, tcb.qe_identity_evaluation_data_number]).toEqual(vector.expected.tcbEvaluationDataNumber)
    expect(tcb.qvl_status).toBe(vector.expected.status)
    const { current } = vector.expected
    expect(tcb.current === null ? undefined : evaluation(tcb.current)).toEqual(
      current === undefined ? undefined : expectedEvaluation(current),
    )
  })

  it.each(genuineNamed)('%s says what it lacks, if it is not up to date', async (_, vector) => {
    const { tcb }: { tcb: TcbClaims } = await claimsOf(vector)
    const statuses = [tcb.platform, tcb.module, tcb.qe]
    const isShort = tcb.shortfall.length > 0
    // Between the two, the status may be the configuration's doing alone.
    const told = statuses.some((status) => status?.startsWith('OutOfDate') === true) ? true : tcb.status === 'UpToDate' ? false : isShort
    expect(isShort).toBe(told)
    expect(tcb.shortfall.every(({ actual, needed }) => actual < needed)).toBe(true)
  })

  it.each(genuineNamed)('%s says what the manifest decoded', async (_, vector) => {
    const claims = await claimsOf(vector)
    expect(Object.fromEntries(Object.keys(vector.fields).map((field) => [field, shown(claims, field)]))).toEqual(vector.fields)
    expect(asPck(claims.platform)).toEqual(vector.pck === undefined ? undefined : pckOf(vector.pck))
    expect(asQe(claims.qe)).toEqual({ ...qeOf(vector), qe_id: vector.headerUserData?.slice(0, 32) })
  })

  it.each(genuineNamed)('%s ends with the first of its documents', async (_, vector) => {
    const { finding } = await judged(vector)
    expect(finding?.validUntil.toISOString()).toBe(new Date(vector.expected.earliest_expiration?.[0] ?? 0).toISOString())
  })

  it.each(genuineNamed)('%s is refused one second before and after its window', async (_, vector) => {
    const [from, until] = (vector.validWindow ?? []).map((time) => Date.parse(time))
    const at = async (time: number) => refusal(await judged({ ...vector, at: new Date(time).toISOString() }))
    expect([await at(from ?? 0), await at(until ?? 0)]).toEqual([undefined, undefined])
    expect([await at((from ?? 0) - 1000), await at((until ?? 0) + 1000)]).toEqual([
      expect.stringMatching(/^tdx-.*not-yet-valid$/),
      expect.stringMatching(/^tdx-.*expired$/),
    ])
  })
})

/** A claim in the manner of the manifest. */
function shown(claims: TdxClaims | SgxClaims, field: string): unknown {
  const value: unknown = Object.entries(claims).find(([name]) => name === field)?.[1]
  if (field === 'misc_select') return typeof value === 'string' ? Buffer.from(value, 'hex').readUInt32LE() : value
  return typeof value === 'object' && value !== null && 'value' in value ? value.value : value
}

const asPck = ({ fmspc, pceid, pcesvn, cpusvn, sgx_tcb_components, ppid, sgx_type, platform_instance_id, ...more }: PlatformClaims) => ({
  fmspc,
  pceid,
  pcesvn,
  cpusvn,
  sgx_tcb_components,
  ppid,
  sgx_type,
  platform_instance_id,
  configuration: [more.dynamic_platform, more.cached_keys, more.smt_enabled],
})

const pckOf = (pck: NonNullable<TdxCase['pck']>) => ({
  fmspc: pck.fmspc,
  pceid: pck.pceid,
  pcesvn: pck.pcesvn,
  cpusvn: pck.cpusvn,
  sgx_tcb_components: pck.sgxTcbComponents,
  ppid: pck.ppid,
  sgx_type: SGX_TYPES[pck.sgxType],
  platform_instance_id: pck.platformInstanceId,
  configuration: [pck.configuration?.dynamicPlatform ?? null, pck.configuration?.cachedKeys ?? null, pck.configuration?.smtEnabled ?? null],
})

const asQe = ({ mr_signer, isv_prod_id, isv_svn, attributes, qe_id }: QeClaims) => ({ mr_signer, isv_prod_id, isv_svn, attributes, qe_id })

const qeOf = ({ qeReport: { mrSigner, isvProdId, isvSvn, attributes } }: TdxCase) => ({
  mr_signer: mrSigner,
  isv_prod_id: isvProdId,
  isv_svn: isvSvn,
  attributes,
})
