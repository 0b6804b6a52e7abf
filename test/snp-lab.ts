import { createHash, createPublicKey } from 'node:crypto'
import { appraise } from '../src/appraisal/appraise.ts'
import { readPolicy } from '../src/appraisal/read-policy.ts'
import { rigourOf } from '../src/appraisal/rigour.ts'
import { fakeAmd, type FakeAmd, type FakeAmdOptions } from '../src/simulator/amd.ts'
import { signedReport, SIM_MEASUREMENT, type ReportFields } from '../src/simulator/report.ts'
import type { FakeVek, VekRequest } from '../src/simulator/veks.ts'
import type { CrlRequest } from '../src/simulator/revocation.ts'
import { anchorsOf } from '../src/verifiers/anchors.ts'
import { AttestationError } from '../src/verifiers/problems.ts'
import { verify } from '../src/verifiers/registry.ts'
import { crlAddress, type AmdEndpoint } from '../src/verifiers/snp/address.ts'
import type { SnpProduct } from '../src/verifiers/snp/claims.ts'
import type { Anchors, Check, CollateralAddress, Context, Evidence, Finding, Mode, RollbackMark } from '../src/verifiers/verifier.ts'
import { freshMemo } from './snp-in-process.ts'

/** What is put before the verifier and the policy. What is left out is as it should be. */
export type Exhibit = {
  readonly report: Uint8Array
  readonly form?: 'report' | 'report_response'
  readonly certificates?: readonly Uint8Array[]
  readonly certTable?: Uint8Array
  readonly anchors?: Anchors
  readonly mode?: Mode
  readonly at?: Date
  readonly reportData?: Uint8Array
  /** Revocation lists by address; default: both of every product, empty and current. */
  readonly lists?: Lists
  readonly marks?: ReadonlyMap<CollateralAddress, RollbackMark>
  /** Members of the policy's `snp`; default: the strict preset with the simulator's measurement. */
  readonly policy?: Readonly<Record<string, unknown>>
}
type Lists = ReadonlyMap<CollateralAddress, Uint8Array>

/** The answer: `accepted`, or the code that answers for the refusal; and every check. */
export type Answer = { readonly code: string; readonly checks: readonly Check[]; readonly claims: boolean }

/** A fake AMD with everything that a row of the matrix needs around it. */
export type Lab = {
  readonly amd: FakeAmd
  readonly now: Date
  readonly judge: (exhibit: Exhibit) => Promise<Answer>
  /** A report and the VEK that signed it, each changed as asked. */
  readonly genuine: (request: { vek?: FakeVek; fields?: Partial<ReportFields> }) => Pick<Exhibit, 'report' | 'certificates'>
  /** A sound report of a chip whose certificate is as the overrides say: the report is signed by that chip's true key. */
  readonly certified: (
    overrides: NonNullable<VekRequest['overrides']>,
    request?: { product?: SnpProduct; kind?: 'vcek' | 'vlek' },
  ) => Exhibit
  readonly lists: (change?: Partial<CrlRequest>, only?: AmdEndpoint) => Lists
}

/** Builds a lab; `now` is fixed, so that windows can be aimed at. */
export async function snpLab(options: FakeAmdOptions = {}): Promise<Lab> {
  const now = options.now ?? new Date('2026-11-23T12:00:00Z')
  const amd = await fakeAmd({ ...options, now })
  const anchors = anchorsOf(amd.anchors())
  const lists: Lab['lists'] = (change = {}, only) => {
    const all = amd.products.flatMap((product) => (['vcek', 'vlek'] as const).map((endpoint) => ({ product, endpoint })))
    return new Map(
      all.map(({ product, endpoint }) => {
        const changed = only === undefined || only === endpoint ? change : {}
        return [crlAddress(product, endpoint), amd.crl({ ...changed, product, endpoint })]
      }),
    )
  }
  const current = lists()
  return {
    amd,
    now,
    lists,
    judge: (exhibit) => judge({ anchors, at: now, lists: current, marks: new Map(), mode: 'test', policy: {}, ...exhibit }),
    genuine: ({ vek = amd.vcek({ product: 'Milan' }), fields = {} }) => ({ report: signedReport(vek, fields), certificates: [vek.der] }),
    certified: (overrides, { product = 'Milan', kind = 'vcek' } = {}) => {
      const right = amd[kind]({ product })
      const keys = overrides.keys ?? { privateKey: right.privateKey, publicKey: createPublicKey(right.privateKey) }
      const wrong = amd[kind]({ product, hwid: right.hwid, overrides: { ...overrides, keys } })
      return { report: signedReport(right), certificates: [wrong.der] }
    },
  }
}

type Prepared = Exhibit & Required<Pick<Exhibit, 'anchors' | 'at' | 'lists' | 'marks' | 'mode' | 'policy'>>

async function judge(exhibit: Prepared): Promise<Answer> {
  const policy = readPolicy(JSON.stringify(policyText(exhibit.policy)), 'matrix')
  const { at: now, mode, reportData } = exhibit
  const context: Context = { now, mode, reportData, extraData: undefined, rigour: rigourOf(policy.document), memo: freshMemo() }
  try {
    const finding = await find(exhibit, context)
    const { code, appraisal } = appraise({ ...INPUT, mode, policy, items: [{ type: 'snp', finding, fresh: true }] })
    const answer = appraisal.status === 'affirming' ? 'accepted' : `status ${appraisal.status}`
    const checks = appraisal.evidence.flatMap((item) => item.checks)
    return { code: code ?? answer, checks, claims: finding.claims !== undefined }
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return { code: error.code, checks: error.checks, claims: false }
  }
}

async function find(exhibit: Prepared, context: Context): Promise<Finding> {
  const unverified = await verify(evidenceOf(exhibit), exhibit.anchors)
  const absent = unverified.needs.filter((address) => !exhibit.lists.has(address))
  const missing = new Map(absent.map((address) => [address, 'unavailable'] as const))
  return unverified.verify({ documents: exhibit.lists, missing, marks: exhibit.marks }, context)
}

const INPUT = {
  id: 'matrix',
  freshness: 'none',
  keyBinding: 'not-asked',
  evidenceDigest: createHash('sha256').digest('hex'),
  collateral: { digest: '', oldest_fetch: null, earliest_expiry: null },
} as const

const policyText = (members: Readonly<Record<string, unknown>>) => ({
  name: 'matrix',
  snp: { measurements: [Buffer.from(SIM_MEASUREMENT).toString('hex')], crl: { skew_seconds: 0 }, ...members },
})

const evidenceOf = ({ report, form = 'report', certificates = [], certTable }: Exhibit): Evidence => ({
  type: 'snp',
  form,
  bytes: report,
  certificates,
  ...(certTable === undefined ? {} : { certTable }),
})

/** The order of the P-384 group (specification snp.md section 4). */
export const P384_ORDER = 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n

/** A number in 72 little-endian bytes, as R and S are stored. */
export const le72 = (value: bigint): Uint8Array => new Uint8Array(Buffer.from(value.toString(16).padStart(144, '0'), 'hex').toReversed())

/** R (`at` 2A0h) or S (2E8h) of a report. */
export const scalarAt = (report: Uint8Array, at: 0x2a0 | 0x2e8): bigint =>
  BigInt(`0x${Buffer.from(report.subarray(at, at + 72).toReversed()).toString('hex')}`)

/** The report with one byte changed by exclusive or, behind its signature. */
export function flipped(report: Uint8Array, at: number, bits = 0x01): Uint8Array {
  const changed = report.slice()
  changed[at] = (changed[at] ?? 0) ^ bits
  return changed
}
