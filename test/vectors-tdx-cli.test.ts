import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TcbClaims } from '../src/verifiers/tdx/claims.ts'
import { assay, assayProcess, tempFiles, type Files, type Ran } from './cli.ts'
import { expectedCode, itemOf, tdxCases, type TdxCase } from './tdx-cases.ts'
import { vectorsPresent } from './vectors.ts'

type Claimed = { readonly tcb: TcbClaims; readonly report_data: string } & Record<string, unknown>
type Answer = {
  readonly accepted: boolean
  readonly code: string | null
  readonly mode: string
  readonly question: string
  readonly evidence: readonly [{ readonly claims: { readonly tdx?: Claimed; readonly sgx?: Claimed } }]
}

const cases = vectorsPresent() ? tdxCases() : []
const named = cases.map((vector) => [vector.name, vector] as const)
const genuine = named.filter(([, { expected }]) => expected.result === 'pass')

let files: Files
beforeAll(() => {
  files = tempFiles()
})
afterAll(() => files.remove())

const argsFor = (vector: TdxCase, ...more: readonly string[]): string[] => [
  'verify',
  files.write(`${vector.name}.json`, itemOf(vector)),
  '--offline',
  '--json',
  '--at',
  vector.at,
  '--collateral',
  files.write(`${vector.name}-bundle.json`, vector.bundle),
  ...more,
]

const answerOf = ({ out }: Ran): Answer => JSON.parse(out) as Answer
const claimsOf = ({ evidence: [{ claims }] }: Answer): Claimed | undefined => claims.tdx ?? claims.sgx

describe.skipIf(cases.length === 0)('vectors/tdx by the command line', () => {
  it.each(named)('%s', async (_, vector) => {
    const ran = await assay(argsFor(vector))
    const code = expectedCode(vector) ?? null
    expect(answerOf(ran)).toMatchObject({ accepted: code === null, code, mode: 'production', question: 'genuine' })
    expect(ran.code).toBe(code === null ? 0 : code === 'collateral-unavailable' ? 3 : 1)
  })

  it.each(genuine)('%s says the TCB and the fields of the manifest', async (_, vector) => {
    const claims = claimsOf(answerOf(await assay(argsFor(vector))))
    const { status, advisories, tcbDate, platform, module, qe } = vector.expected
    expect(claims?.tcb).toMatchObject({ status, advisory_ids: advisories, tcb_date: tcbDate, platform, module, qe })
    const { td_attributes: _a, xfam: _x, attributes: _b, misc_select: _m, ...fields } = vector.fields
    expect(claims).toMatchObject(fields)
  })

  it.each(genuine)('%s with the report data that it holds, and with another', async (_, vector) => {
    const data = String(vector.fields['report_data'])
    expect((await assay(argsFor(vector, '--report-data', data))).code).toBe(0)
    const wrong = await assay(argsFor(vector, '--report-data', `${data.slice(0, -2)}${data.endsWith('00') ? '01' : '00'}`))
    expect([wrong.code, answerOf(wrong).code]).toEqual([1, 'tdx-report-data-mismatch'])
  })

  it('runs in a process of its own', () => {
    const vector = cases.find(({ name }) => name === 'v5-google-td15-uptodate')
    if (vector === undefined) throw new Error('the case is not there')
    const ran = assayProcess(argsFor(vector))
    expect([ran.code, answerOf(ran).accepted]).toEqual([0, true])
  })
})
