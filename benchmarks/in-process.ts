/** One appraisal without HTTP: read, verify, appraise, sign, as the service does it on warm collateral. */
import { randomBytes } from 'node:crypto'
import { createAudiences } from '../src/access/audiences.ts'
import { bindingInput, reportDataOf } from '../src/access/binding.ts'
import { deriveKeys } from '../src/access/secrets.ts'
import { appraise } from '../src/appraisal/appraise.ts'
import { policySetOf } from '../src/appraisal/policy-set.ts'
import { readPolicy } from '../src/appraisal/read-policy.ts'
import { rigourOf } from '../src/appraisal/rigour.ts'
import { collateralSummary } from '../src/collateral/summary.ts'
import { readGrounds } from '../src/config/grounds.ts'
import { createMemo } from '../src/service/memo.ts'
import { createTokenIssuer } from '../src/tokens/issuer.ts'
import { temporaryTokenKey } from '../src/tokens/keys.ts'
import { verify } from '../src/verifiers/registry.ts'
import { join } from 'node:path'
import { cpuSeconds } from './measure.ts'
import type { Setting } from './setting.ts'

/** Appraisals per second, and processor microseconds of each. */
export type InProcess = { readonly perSecond: number; readonly cpuMicros: number }

const POLICY = (measurement: string) =>
  JSON.stringify({ name: 'bearer', key_binding: 'DANGEROUSLY_OPTIONAL', snp: { measurements: [measurement] } })

/** Measures `count` appraisals, `concurrency` at a time. */
export async function inProcess(setting: Setting, { count, concurrency }: { count: number; concurrency: number }): Promise<InProcess> {
  const appraisal = await appraiserOf(setting)
  const reports = Array.from({ length: Math.min(count, 500) }, () => {
    const nonce = randomBytes(32)
    const reportData = reportDataOf(bindingInput({ nonce, audience: 'bearer' }))
    return { nonce, reportData, report: setting.host.report(reportData) }
  })
  const work = Array.from({ length: count }, (_, i) => reports[i % reports.length]).flatMap((row) => row ?? [])
  for (const row of work.slice(0, 500)) await appraisal(row)
  const [started, before, queue] = [performance.now(), cpuSeconds(), work.values()]
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (const row of queue) await appraisal(row)
    }),
  )
  return { perSecond: (count / (performance.now() - started)) * 1000, cpuMicros: ((cpuSeconds() - before) / count) * 1e6 }
}

type Row = { readonly nonce: Uint8Array; readonly reportData: Uint8Array; readonly report: Uint8Array }

async function appraiserOf(setting: Setting): Promise<(row: Row) => Promise<string>> {
  const files = { insecureTestRoots: [join(setting.folder, 'ark.pem')], collateralBundles: [join(setting.folder, 'bundle.json')] }
  const { anchors, documents } = await readGrounds(files, new Date())
  const active = readPolicy(POLICY(Buffer.from(setting.host.report(new Uint8Array(64)).subarray(0x90, 0xc0)).toString('hex')), 'benchmark')
  const named = { name: 'bearer', policies: ['bearer'], profile: 'lean', alg: 'ES256', relyingPartyNonce: 'refuse' } as const
  const { audience, policy } = createAudiences([named], policySetOf([active])).resolve('bearer', undefined)
  const memo = createMemo()
  const collateral = { documents, missing: new Map(), marks: new Map() }
  const issuer = createTokenIssuer({
    key: temporaryTokenKey(),
    keys: deriveKeys(randomBytes(32), 'test'),
    issuer: 'https://bench.assay.invalid',
    mode: 'test',
    now: () => new Date(),
  })
  const summary = collateralSummary({ collateral, fetchedAt: new Map(), expiresAt: new Map() })
  return async ({ nonce, reportData, report }) => {
    const unverified = await verify({ type: 'snp', form: 'report', bytes: report, certificates: [] }, anchors)
    const context = { now: new Date(), mode: 'test', reportData, rigour: rigourOf(policy.document), memo } as const
    const finding = await unverified.verify(collateral, context)
    const { appraisal, code } = appraise({
      id: 'benchmark',
      mode: 'test',
      freshness: 'challenge',
      policy,
      items: [{ type: 'snp', finding, fresh: true }],
      keyBinding: 'unbound',
      evidenceDigest: '0'.repeat(64),
      collateral: summary,
    })
    if (code !== undefined) throw new Error(`the benchmark's own evidence was refused: ${code}`)
    return issuer.issue({ appraisal, audience, policy, nonce }).token
  }
}
