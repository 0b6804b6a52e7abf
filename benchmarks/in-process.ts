/** One appraisal without HTTP: read, verify, appraise, sign, as the service does it on warm collateral. */
import { randomBytes } from 'node:crypto'
import { bindingInput, reportDataOf } from '../src/access/binding.ts'
import { deriveKeys } from '../src/access/secrets.ts'
import { appraise } from '../src/appraisal/appraise.ts'
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

/** How many appraisals, how many at a time, and whether each ends in a token (the default) or in the verdict under a policy. */
export type InProcessRun = {
  readonly count: number
  readonly concurrency: number
  readonly until?: 'verdict' | 'token'
  /** Appraisals before those that count; default 500. */
  readonly warm?: number
}

/** Measures appraisals of fresh evidence on warm collateral. */
export async function inProcess(setting: Setting, { count, concurrency, until = 'token', warm = 500 }: InProcessRun): Promise<InProcess> {
  const appraisal = await appraiserOf(setting, until)
  const rows = Array.from({ length: Math.min(count, 500) }, () => {
    const nonce = randomBytes(32)
    const reportData = reportDataOf(bindingInput({ nonce, audience: 'bearer' }))
    return { nonce, reportData, evidence: setting.evidence(reportData) }
  })
  const work = (some: number): readonly Row[] => Array.from({ length: some }, (_, i) => rows[i % rows.length]).flatMap((row) => row ?? [])
  for (const row of work(warm)) await appraisal(row)
  const [started, before, queue] = [performance.now(), cpuSeconds(), work(count).values()]
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (const row of queue) await appraisal(row)
    }),
  )
  return { perSecond: (count / (performance.now() - started)) * 1000, cpuMicros: ((cpuSeconds() - before) / count) * 1e6 }
}

type Row = { readonly nonce: Uint8Array; readonly reportData: Uint8Array; readonly evidence: ReturnType<Setting['evidence']> }

async function appraiserOf(setting: Setting, until: 'verdict' | 'token'): Promise<(row: Row) => Promise<string>> {
  const files = { insecureTestRoots: setting.rootFiles, collateralBundles: [join(setting.folder, 'bundle.json')] }
  const { anchors, documents } = await readGrounds(files, new Date())
  const bearer = { name: 'bearer', key_binding: 'DANGEROUSLY_OPTIONAL', ...setting.accepts }
  const policy = readPolicy(JSON.stringify(bearer), 'benchmark')
  const audience = { name: 'bearer', policies: ['bearer'], profile: 'lean', alg: 'ES256', relyingPartyNonce: 'refuse' } as const
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
  return async ({ nonce, reportData, evidence }) => {
    const unverified = await verify(evidence, anchors, { mode: 'test', memo })
    const context = { now: new Date(), mode: 'test', reportData, extraData: undefined, rigour: rigourOf(policy.document), memo } as const
    const finding = await unverified.verify(collateral, context)
    const { appraisal, code } = appraise({
      id: 'benchmark',
      mode: 'test',
      freshness: 'challenge',
      policy,
      items: [{ type: evidence.type, finding, fresh: true }],
      keyBinding: 'unbound',
      evidenceDigest: '0'.repeat(64),
      collateral: summary,
    })
    if (code !== undefined) throw new Error(`the benchmark's own evidence was refused: ${code}`)
    if (until === 'verdict') return appraisal.status
    return issuer.issue({ appraisal, audience, policy, nonce }).token
  }
}
