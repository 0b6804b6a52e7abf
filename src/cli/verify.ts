import { randomUUID } from 'node:crypto'
import { appraise } from '../appraisal/appraise.ts'
import type { Appraisal, Judgement } from '../appraisal/appraisal.ts'
import type { ActivePolicy } from '../appraisal/policy-set.ts'
import { rigourOf } from '../appraisal/rigour.ts'
import type { KeyBinding } from '../appraisal/whole.ts'
import { collateralSummary } from '../collateral/summary.ts'
import { createMemo } from '../service/memo.ts'
import { checkBinding } from '../routes/binding.ts'
import type { EvidenceItem } from '../routes/evidence-items.ts'
import { evidenceDigest, evidenceOf } from '../routes/evidence.ts'
import type { AppraisalRequest } from '../routes/requests.ts'
import { AttestationError, type ProblemCode } from '../verifiers/problems.ts'
import { verify } from '../verifiers/registry.ts'
import {
  genuineOnly,
  type Collateral,
  type CollateralAddress,
  type Evidence,
  type Finding,
  type Unverified,
} from '../verifiers/verifier.ts'
import type { Grounds } from '../config/grounds.ts'

/** One question to the verifier, with everything that it depends on. */
export type Question = {
  readonly request: AppraisalRequest
  readonly grounds: Grounds
  /** null: only "is it genuine?" is asked. */
  readonly policy: ActivePolicy | null
  readonly expected: ExpectedData
  readonly now: Date
  /** Asks the vendor for what no bundle holds; undefined: nobody is asked. */
  readonly fetch: ((needs: readonly CollateralAddress[]) => Promise<Collateral>) | undefined
}

/**
 * What REPORT_DATA must be: 64 bytes that were named, or what a nonce binds. `stated`: the request's own nonce, which shows that the
 * evidence belongs to the request but not that it is fresh.
 */
export type ExpectedData =
  | { readonly from: 'report-data'; readonly bytes: Uint8Array }
  | { readonly from: 'nonce' | 'stated'; readonly bytes: Uint8Array }
  | { readonly from: 'nothing' }

/** The answer, as `--json` prints it. */
export type Verdict = Appraisal & {
  readonly accepted: boolean
  readonly code: ProblemCode | null
  readonly question: 'genuine' | 'acceptable'
  readonly nonce: 'checked' | 'not-asked'
}

/** Verifies and appraises one piece of evidence without any store. Never throws for what is wrong with the evidence: that is the verdict. */
export async function verifyEvidence(question: Question): Promise<Verdict> {
  const { policy, expected } = question
  const { appraisal, code } = await judgement(question)
  return {
    ...appraisal,
    accepted: code === undefined,
    code: code ?? null,
    question: policy === null ? 'genuine' : 'acceptable',
    nonce: expected.from === 'nonce' || expected.from === 'report-data' ? 'checked' : 'not-asked',
  }
}

async function judgement(question: Question): Promise<Judgement> {
  const [item, ...others] = question.request.evidence
  try {
    if (item === undefined || others.length > 0) {
      throw new AttestationError('composition-unsupported', 'several evidence items need a policy with a composition')
    }
    return await judged(question, evidenceOf(item))
  } catch (error) {
    if (error instanceof AttestationError) return refusal(question, error)
    throw error
  }
}

async function judged(question: Question, evidence: Evidence): Promise<Judgement> {
  const { grounds, now, policy } = question
  const bound = await boundData(question)
  const reading = { mode: grounds.mode, memo: createMemo() }
  const unverified = await verify(evidence, grounds.anchors, reading)
  const collateral = await obtain(question, unverified)
  const rigour = policy === null ? genuineOnly : rigourOf(policy.document)
  const context = { ...reading, now, reportData: bound.reportData, extraData: bound.extraData, rigour }
  const finding = await unverified.verify(collateral, context)
  return appraisalOf(question, { finding, collateral, keyBinding: bound.keyBinding })
}

/** Documents at hand, and `unavailable` for what is needed and is not: nobody was asked for it. */
const given = ({ grounds: { documents } }: Question, { needs, wants = [] }: Unverified): Collateral => ({
  documents: new Map([...documents].filter(([address]) => needs.includes(address) || wants.includes(address))),
  missing: new Map(needs.filter((address) => !documents.has(address)).map((address) => [address, 'unavailable'])),
  marks: new Map(),
})

/** What no bundle holds is asked of the vendor, if anybody may be asked. */
async function obtain(question: Question, unverified: Unverified): Promise<Collateral> {
  const { documents, missing, marks } = given(question, unverified)
  if (question.fetch === undefined || missing.size === 0) return { documents, missing, marks }
  const fetched = await question.fetch([...missing.keys()])
  return { ...fetched, documents: new Map([...documents, ...fetched.documents]) }
}

type Bound = { readonly reportData: Uint8Array | undefined; readonly extraData: Uint8Array | undefined; readonly keyBinding: KeyBinding }

/** A key counts as bound only where REPORT_DATA or extraData is compared with a value that holds it. */
async function boundData({ request, expected }: Question): Promise<Bound> {
  if (expected.from === 'nothing') return { reportData: undefined, extraData: undefined, keyBinding: 'not-asked' }
  if (expected.from === 'report-data') return { reportData: expected.bytes, extraData: expected.bytes, keyBinding: 'not-asked' }
  const nonce = { bytes: expected.bytes, freshness: 'relying-party', challenge: undefined } as const
  const { reportData, extraData, cnf } = await checkBinding(request, nonce, request.audience ?? 'default')
  return { reportData, extraData, keyBinding: cnf === undefined ? 'unbound' : 'bound' }
}

type Found = { readonly finding: Finding; readonly collateral: Collateral; readonly keyBinding: KeyBinding }

function appraisalOf(question: Question, { finding, collateral, keyBinding }: Found): Judgement {
  const { request, grounds, policy, expected } = question
  const fresh = expected.from === 'nonce' || expected.from === 'report-data'
  return appraise({
    id: randomUUID(),
    mode: grounds.mode,
    freshness: fresh ? 'relying-party' : 'none',
    policy,
    items: request.evidence.map(({ type }: EvidenceItem) => ({ type, finding, fresh })),
    keyBinding,
    evidenceDigest: evidenceDigest(request.evidence),
    collateral: collateralSummary({ collateral, fetchedAt: new Map(), expiresAt: new Map() }),
  })
}

/** Evidence that could not be read to its end: its checks up to there, and the code that ended it. */
function refusal(question: Question, error: AttestationError): Judgement {
  const finding = { checks: error.checks, validUntil: question.now }
  const collateral = { documents: new Map(), missing: new Map(), marks: new Map() }
  const { appraisal } = appraisalOf(question, { finding, collateral, keyBinding: 'not-asked' })
  return { appraisal, code: error.code }
}
