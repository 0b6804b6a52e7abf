/** One appraisal without HTTP: read, verify, appraise, sign, as the service does it on warm collateral. */
import { randomBytes } from 'node:crypto'
import { bindingInput, reportDataOf } from '../src/access/binding.ts'
import { deriveKeys } from '../src/access/secrets.ts'
import type { Appraisal } from '../src/appraisal/appraisal.ts'
import { appraise } from '../src/appraisal/appraise.ts'
import type { ActivePolicy } from '../src/appraisal/policy-set.ts'
import { readPolicy } from '../src/appraisal/read-policy.ts'
import { rigourOf } from '../src/appraisal/rigour.ts'
import { collateralSummary } from '../src/collateral/summary.ts'
import { readGrounds } from '../src/config/grounds.ts'
import { createMemo } from '../src/service/memo.ts'
import { createTokenIssuer } from '../src/tokens/issuer.ts'
import { fixedTokenKeys } from '../src/tokens/key-ring.ts'
import { temporaryTokenKey } from '../src/tokens/keys.ts'
import { verify } from '../src/verifiers/registry.ts'
import type { Finding } from '../src/verifiers/verifier.ts'
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

type Evidence = ReturnType<Setting['evidence']>
type Row = { readonly nonce: Uint8Array; readonly reportData: Uint8Array; readonly evidence: Evidence }

/** The policy that accepts a setting's evidence, and asks for no key. */
export const bearerPolicy = ({ accepts }: Pick<Setting, 'accepts'>): ActivePolicy =>
  readPolicy(JSON.stringify({ name: 'bearer', key_binding: 'DANGEROUSLY_OPTIONAL', ...accepts }), 'benchmark')

/** Proves evidence of a setting as its service does, with everything at hand. */
export async function proverOf(setting: Setting, policy: ActivePolicy): Promise<(row: Omit<Row, 'nonce'>) => Promise<Finding>> {
  const files = { insecureTestRoots: setting.rootFiles, collateralBundles: [join(setting.folder, 'bundle.json')] }
  const { anchors, documents } = await readGrounds(files, new Date())
  const memo = createMemo()
  const collateral = { documents, missing: new Map(), marks: new Map() }
  return async ({ reportData, evidence }) => {
    const unverified = await verify(evidence, anchors, { mode: 'test', memo })
    const context = { now: new Date(), mode: 'test', reportData, extraData: undefined, rigour: rigourOf(policy.document), memo } as const
    return unverified.verify(collateral, context)
  }
}

const NOTHING = { documents: new Map(), missing: new Map(), marks: new Map() }
const SUMMARY = collateralSummary({ collateral: NOTHING, fetchedAt: new Map(), expiresAt: new Map() })

/** The verdict of a policy. Throws when it is a refusal. */
export function judged(type: Evidence['type'], finding: Finding, policy: ActivePolicy): Appraisal {
  const { appraisal, code } = appraise({
    id: 'benchmark',
    mode: 'test',
    freshness: 'challenge',
    policy,
    items: [{ type, finding, fresh: true }],
    keyBinding: 'unbound',
    evidenceDigest: '0'.repeat(64),
    collateral: SUMMARY,
  })
  if (code !== undefined) throw new Error(`the benchmark's own evidence was refused: ${code}`)
  return appraisal
}

async function appraiserOf(setting: Setting, until: 'verdict' | 'token'): Promise<(row: Row) => Promise<string>> {
  const policy = bearerPolicy(setting)
  const prove = await proverOf(setting, policy)
  const audience = { name: 'bearer', policies: ['bearer'], profile: 'lean', alg: 'ES256', relyingPartyNonce: 'refuse' } as const
  const issuer = createTokenIssuer({
    tokenKeys: fixedTokenKeys([temporaryTokenKey('ES256')]),
    keys: deriveKeys(randomBytes(32), 'test'),
    issuer: 'https://bench.assay.invalid',
    mode: 'test',
    now: () => new Date(),
  })
  return async (row) => {
    const appraisal = judged(row.evidence.type, await prove(row), policy)
    return until === 'verdict' ? appraisal.status : issuer.issue({ appraisal, audience, policy, nonce: row.nonce }).token
  }
}
