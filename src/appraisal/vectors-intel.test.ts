import { describe, expect, it } from 'vitest'
import { checksOf, genuineQuote, judgedUnder, soundSgx, soundTdx, type Options } from '../../test/intel-judged.ts'
import { ALL_STATUSES } from '../../test/tdx-judged.ts'
import { tdxCases, type TdxCase } from '../../test/tdx-cases.ts'
import { vectorsPresent } from '../../test/vectors.ts'
import type { TdAttributes, TdxClaims } from '../verifiers/tdx/claims.ts'
import type { Claims } from '../verifiers/verifier.ts'
import { codesOf } from './verdict.ts'

const cases = vectorsPresent() ? tdxCases() : []

/** The bits of TDATTRIBUTES, written apart from the verifier's own reading (specification tdx.md section 6.1). */
const BITS = {
  debug: 0n,
  icssd: 16n,
  servtd_ext: 17n,
  lass: 27n,
  sept_ve_disable: 28n,
  migratable: 29n,
  pks: 30n,
  kl: 31n,
  tpa: 62n,
  perfmon: 63n,
}

function attributesOf(hex: string): TdAttributes {
  const word = Buffer.from(hex, 'hex').readBigUInt64LE()
  const bits = Object.fromEntries(Object.entries(BITS).map(([name, bit]) => [name, ((word >> bit) & 1n) === 1n]))
  return { ...soundTdx.td_attributes, ...bits, value: hex }
}

/** Claims as a verifier would make them of the fields that the manifest gives, with a TCB that lacks nothing. */
function claimsOf({ teeType, fields }: TdxCase): Claims {
  if (teeType === 'sgx') {
    const debug = (Number.parseInt(String(fields['attributes']).slice(0, 2), 16) & 2) === 2
    return { sgx: { ...soundSgx, ...fields, debug } }
  }
  const absent = { tee_tcb_svn2: null, mr_service_td: null, init_servtd_hash: null, cur_servtd_hash: null, event_log: null, initdata: null }
  const { td_attributes, xfam, ...registers } = fields
  const read = { td_attributes: attributesOf(String(td_attributes)), xfam: { value: String(xfam), features: [] } }
  return { tdx: { ...soundTdx, ...absent, ...(registers as Partial<TdxClaims>), ...read } }
}

/** The strict values, but for the list of what may run. */
const refusals = (vector: TdxCase, options: Options = {}): readonly string[] => {
  const statuses = { accepted_tcb_statuses: ALL_STATUSES.slice(0, 6) }
  const document = {
    tdx: { ...statuses, mr_td: 'DANGEROUSLY_ACCEPT_ANY', ...options },
    sgx: { ...statuses, mr_enclave: 'DANGEROUSLY_ACCEPT_ANY', ...(vector.teeType === 'sgx' ? options : {}) },
  }
  return codesOf(checksOf(judgedUnder(document, genuineQuote(claimsOf(vector)))), 'fail')
}

/** What the manifest says of a quote that the strict values refuse; PKS and a set MRCONFIGID they do not. */
const REFUSED: { readonly [flag: string]: string } = {
  'td-debug-enabled': 'tdx-td-debug',
  'sept-ve-disable-not-set': 'tdx-sept-ve-disable-required',
  'perfmon-enabled': 'tdx-td-attributes-not-allowed',
  'mr-service-td-nonzero': 'tdx-mrservicetd-not-allowed',
  'sgx-debug': 'sgx-debug',
}

const named = (name: string): TdxCase => {
  const found = cases.find((vector) => vector.name === name)
  if (found === undefined) throw new Error(`no case ${name}`)
  return found
}

describe.skipIf(cases.length === 0)('real quotes under the strict values', () => {
  it.each(cases.map((vector) => [vector.name, vector] as const))(
    '%s: refused for what its manifest says, and for nothing else',
    (_, vector) => {
      expect(refusals(vector)).toEqual(vector.policyFlags.flatMap((flag) => REFUSED[flag] ?? []))
    },
  )

  it('are of every kind that the strict values refuse', () => {
    expect(cases.length).toBeGreaterThan(20)
    const flags = new Set(cases.flatMap(({ policyFlags }) => policyFlags))
    expect(Object.keys(REFUSED).filter((flag) => !flags.has(flag))).toEqual([])
  })

  it.each(['v5-alibaba-uptodate-2025', 'v5-alibaba-outofdate-2026', 'v5-alibaba-2024-not-supported'])(
    '%s passes where its service TD is listed (matrix row 75)',
    (name) => {
      const vector = named(name)
      expect(refusals(vector, { mr_service_td: [vector.fields['mr_service_td']] })).toEqual([])
      expect(refusals(vector, { mr_service_td: ['aa'.repeat(48)] })).toEqual(['tdx-mrservicetd-not-allowed'])
    },
  )

  it('of Azure pass by the option that is named for its paravisor, and others without SEPT_VE_DISABLE do not (matrix row 74)', () => {
    const azure = { td_attributes: { sept_ve_disable: 'azure-paravisor' } }
    expect(refusals(named('v4-azure-a187-outofdate'), azure)).toEqual([])
    expect(refusals(named('v4-google-spr-e4-not-supported'), azure)).toEqual(['tdx-sept-ve-disable-required'])
  })

  it('whose registers are all zero satisfy no list of registers', () => {
    const zeros = { rtmr2: ['00'.repeat(48)], rtmr3: ['00'.repeat(48)] }
    expect(refusals(named('v4-gcp-4b23-outofdate'), zeros)).toEqual(['tdx-rtmr-mismatch', 'tdx-rtmr-mismatch'])
    expect(refusals(named('v4-gcp-4cca-uptodate'), { rtmr3: zeros.rtmr3 })).toEqual([])
  })

  it('show that a TD whose platform was updated under it has not fallen back', () => {
    expect(refusals(named('v5-google-td15-uptodate'), { min_tee_tcb_svn: '0b010400000000000000000000000000' })).toEqual([])
  })
})
