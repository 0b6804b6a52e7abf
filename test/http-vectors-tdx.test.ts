import { describe, expect, it } from 'vitest'
import { createApp } from '../src/app.ts'
import type { Obtained } from '../src/collateral/service.ts'
import { problem } from '../src/routes/openapi/answers.ts'
import { pinnedAnchors } from '../src/verifiers/anchors.ts'
import type { TcbClaims } from '../src/verifiers/tdx/claims.ts'
import type { CollateralAddress } from '../src/verifiers/verifier.ts'
import { accepted } from './answers.ts'
import { testServices } from './services.ts'
import { overSocket } from './socket.ts'
import { expectedCode, itemOf, tdxCases, type TdxCase } from './tdx-cases.ts'
import { vectorsPresent } from './vectors.ts'

const cases = vectorsPresent() ? tdxCases() : []
const named = cases.map((vector) => [vector.name, vector] as const)

/** A policy that accepts whatever these quotes are, so that the answer is that of the verifier. */
const LENIENT = {
  name: 'vectors',
  key_binding: 'DANGEROUSLY_OPTIONAL',
  relying_party_nonce: 'allow',
  tdx: {
    mr_td: 'DANGEROUSLY_ACCEPT_ANY',
    accepted_tcb_statuses: ['UpToDate', 'OutOfDate'],
    td_attributes: { debug: 'DANGEROUSLY_ALLOW', sept_ve_disable: 'any', perfmon: 'allow' },
  },
  sgx: {
    mr_enclave: 'DANGEROUSLY_ACCEPT_ANY',
    debug: 'DANGEROUSLY_ALLOW',
    accepted_tcb_statuses: ['SWHardeningNeeded', 'ConfigurationAndSWHardeningNeeded', 'OutOfDate'],
  },
} as const

/** Alibaba's TDs have a service TD bound, which is accepted by its value only. */
const policyFor = ({ fields }: TdxCase) => {
  const bound = fields['mr_service_td']
  const isBound = typeof bound === 'string' && !/^0*$/.test(bound)
  return isBound ? { ...LENIENT, tdx: { ...LENIENT.tdx, mr_service_td: [bound] } } : LENIENT
}

/** The documents of the case and nothing else: no vendor can be asked. */
const obtainFrom =
  ({ documents }: TdxCase) =>
  async ({ needs }: { needs: readonly CollateralAddress[] }): Promise<Obtained> => {
    const missing = new Map(needs.flatMap((address) => (documents.has(address) ? [] : [[address, 'unavailable'] as const])))
    return { collateral: { documents, marks: new Map(), missing }, fetchedAt: new Map(), expiresAt: new Map(), retryAfter: undefined }
  }

/** Posts the case to a service of mode test whose clock stands still. */
async function post(vector: TdxCase, policy: object & { readonly name: string }): Promise<{ status: number; body: unknown }> {
  const audience = { name: 'vectors', policies: [policy.name], profile: 'lean', alg: 'ES256', relyingPartyNonce: 'allow' } as const
  const made = await testServices({ anchors: pinnedAnchors, now: () => new Date(vector.at), policies: [policy], audiences: [audience] })
  const app = createApp({ ...made.services, collateral: { ...made.services.collateral, obtain: obtainFrom(vector) } })
  const nonce = Buffer.from(String(vector.fields['report_data']), 'hex').toString('base64')
  const request = { evidence: [itemOf(vector)], relying_party_nonce: nonce, binding: 'nonce', audience: audience.name }
  const headers = { 'content-type': 'application/json' }
  const response = await overSocket(app, '/v1/appraisals', { method: 'POST', headers, body: JSON.stringify(request) })
  await made.stop()
  return { status: response.status, body: await response.json() }
}

type Claimed = { readonly tcb: TcbClaims }
type Accepted = {
  readonly appraisal: { readonly evidence: readonly [{ readonly claims: { readonly tdx?: Claimed; readonly sgx?: Claimed } }] }
}

const codeOf = ({ status, body }: { status: number; body: unknown }): string | undefined =>
  status === 201 ? undefined : problem.parse(body).code

describe.skipIf(cases.length === 0)('vectors/tdx over HTTP', () => {
  it.each(named)('%s', async (_, vector) => {
    const answer = await post(vector, policyFor(vector))
    expect(codeOf(answer)).toBe(expectedCode(vector))
    if (answer.status !== 201) return
    accepted(answer)
    const [{ claims }] = (answer.body as Accepted).appraisal.evidence
    const { status, advisories, tcbDate, platform, module, qe } = vector.expected
    expect((claims.tdx ?? claims.sgx)?.tcb).toMatchObject({ status, advisory_ids: advisories, tcb_date: tcbDate, platform, module, qe })
  })

  /** What each observation of the manifest is refused with under the default policy, where nothing else refuses. */
  const FLAGS = {
    'td-debug-enabled': 'tdx-td-debug',
    'sept-ve-disable-not-set': 'tdx-sept-ve-disable-required',
    'mr-service-td-nonzero': 'tdx-mrservicetd-not-allowed',
    'sgx-debug': 'sgx-debug',
  } as const
  const flagged = named.flatMap(([name, vector]) =>
    vector.expected.result === 'pass' ? vector.policyFlags.flatMap((flag) => (isFlag(flag) ? [[name, flag, vector] as const] : [])) : [],
  )
  function isFlag(flag: string): flag is keyof typeof FLAGS {
    return Object.hasOwn(FLAGS, flag)
  }

  it.each(flagged)('%s is refused for %s by default', async (_, flag, vector) => {
    const { accepted_tcb_statuses } = LENIENT[vector.teeType]
    const policy = {
      name: 'default',
      key_binding: LENIENT.key_binding,
      relying_party_nonce: 'allow',
      tdx: { mr_td: 'DANGEROUSLY_ACCEPT_ANY', accepted_tcb_statuses: ['UpToDate', 'OutOfDate'] },
      sgx: { mr_enclave: 'DANGEROUSLY_ACCEPT_ANY', accepted_tcb_statuses },
    }
    const { body } = await post(vector, policy)
    expect(problem.parse(body).checks?.flatMap((check) => (check.outcome === 'fail' ? [check.code] : []))).toContain(FLAGS[flag])
  })

  it('has a case for every observation that refuses', () => {
    expect(new Set(flagged.map(([, flag]) => flag))).toEqual(new Set(Object.keys(FLAGS)))
  })
})
