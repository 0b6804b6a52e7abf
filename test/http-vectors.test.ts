import { describe, expect, it } from 'vitest'
import { createApp } from '../src/app.ts'
import type { Obtained } from '../src/collateral/service.ts'
import type { CollateralAddress } from '../src/verifiers/verifier.ts'
import { accepted } from './answers.ts'
import { problem } from '../src/routes/openapi/answers.ts'
import { policyTextFromShorthand } from './policy-shorthand.ts'
import { testServices } from './services.ts'
import { agrees, snpCases, type SnpCase } from './snp-cases.ts'
import { anchorsFor, bytesOf, collateralFor } from './snp-in-process.ts'
import { vectorsPresent } from './vectors.ts'
import { overSocket } from './socket.ts'

/** REPORT_DATA of the report (specification snp.md section 1); of bytes that are no report, whatever is there. */
function reportData({ evidence }: SnpCase): string {
  const report = bytesOf(evidence.type === 'tsm' ? evidence.outblob : evidence.report)
  const data = new Uint8Array(64).fill(1)
  data.set(report.subarray(0x50, 0x90))
  return Buffer.from(data).toString('base64')
}

/** The documents of the case and nothing else: no vendor can be asked. */
const obtainFrom = (vector: SnpCase) => {
  const { documents, marks } = collateralFor(vector)
  return async ({ needs }: { needs: readonly CollateralAddress[] }): Promise<Obtained> => {
    const missing = new Map(needs.flatMap((address) => (documents.has(address) ? [] : [[address, 'unavailable'] as const])))
    return { collateral: { documents, marks, missing }, fetchedAt: new Map(), expiresAt: new Map(), retryAfter: undefined }
  }
}

/** Posts the case to a service of mode test whose clock stands still and whose policy enforces only what the case names. */
async function post(vector: SnpCase): Promise<{ status: number; body: unknown }> {
  const policy = JSON.parse(policyTextFromShorthand(vector.policy)) as { name: string }
  const audience = { name: 'vectors', policies: [policy.name], profile: 'lean', alg: 'ES256', relyingPartyNonce: 'allow' } as const
  const made = await testServices({
    anchors: anchorsFor(vector),
    now: () => new Date(vector.at),
    policies: [policy],
    audiences: [audience],
  })
  const app = createApp({ ...made.services, collateral: { ...made.services.collateral, obtain: obtainFrom(vector) } })
  const request = { evidence: [vector.evidence], relying_party_nonce: reportData(vector), binding: 'nonce', audience: audience.name }
  const headers = { 'content-type': 'application/json' }
  const response = await overSocket(app, '/v1/appraisals', { method: 'POST', headers, body: JSON.stringify(request) })
  await made.stop()
  return { status: response.status, body: await response.json() }
}

/** The verdict of an answer, with every code that it names. */
function outcome({ status, body }: { status: number; body: unknown }): { verdict: 'pass' | 'fail'; codes: readonly string[] } {
  if (status === 201) {
    accepted({ status, body })
    return { verdict: 'pass', codes: [] }
  }
  const { code, checks = [] } = problem.parse(body)
  return {
    verdict: 'fail',
    codes: [code, ...checks.flatMap((check) => (check.outcome === 'fail' && check.code !== undefined ? [check.code] : []))],
  }
}

const cases = vectorsPresent() ? snpCases().filter((vector) => vector.class !== 'certificate') : []

describe.skipIf(cases.length === 0)('vectors over HTTP', () => {
  it('are all that have a report', () => expect(cases).toHaveLength(188 - 6))

  it.each(cases.map((vector) => [vector.name, vector] as const))('%s', async (_, vector) => {
    const { verdict, codes } = outcome(await post(vector))
    expect({ verdict, codes, agrees: agrees(vector, verdict, codes) }).toEqual({ verdict: vector.expected.verdict, codes, agrees: true })
  })
})
