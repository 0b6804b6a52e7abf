import type { CheckedChallenge } from '../access/challenge.ts'
import { randomName } from '../access/random.ts'
import { appraise } from '../appraisal/appraise.ts'
import type { Appraisal, Judgement } from '../appraisal/appraisal.ts'
import type { ActivePolicy } from '../appraisal/policy-set.ts'
import { rigourOf } from '../appraisal/rigour.ts'
import { appraisalForReader, checksForReader, type View } from '../appraisal/visibility.ts'
import type { Obtained } from '../collateral/service.ts'
import { collateralSummary } from '../collateral/summary.ts'
import { AttestationError, problemOf, type ProblemCode } from '../verifiers/problems.ts'
import { verify } from '../verifiers/registry.ts'
import type { TpmContext } from '../verifiers/tpm/context.ts'
import type { Finding, Unverified } from '../verifiers/verifier.ts'
import { mayBeUndecided } from './at-hand.ts'
import { checkBinding, type Bound } from './binding.ts'
import type { Call } from './call.ts'
import type { EvidenceItem } from './evidence-items.ts'
import { onlyItem, refuseLongLogs } from './evidence.ts'
import { digestWith, evidenceWith, imaContext, isWhole, nextState } from './ima-evidence.ts'
import { checkNonce, type Authority, type CheckedNonce } from './nonce.ts'
import type { ListPart } from './parts.ts'
import { keepQuote, previousQuote } from './previous-quote.ts'
import { recordIssued, recordRefusal, type Relied } from './record.ts'
import type { AppraisalRequest } from './requests.ts'
import type { Services } from './services.ts'
import { reportShadow } from './shadow.ts'
import type { Trial } from './trial.ts'

/** An appraisal that was accepted, with its token. */
export type Issued = {
  readonly token: string
  /** The appraisal as this caller may read it; made only for those who ask. */
  readonly appraisal: () => Appraisal
  /** What a TPM host may send with its next request; without members where there is nothing to continue. */
  readonly state: { readonly ima_state?: string }
}

/** One request on its way through the steps of style.md C7. */
type Job = {
  readonly call: Call
  readonly services: Services
  readonly request: AppraisalRequest
  readonly item: EvidenceItem
  readonly authority: Authority
  /** The version that is tried beside the policy. */
  readonly shadow: ActivePolicy | undefined
  /** SHA-256 of the evidence, as far as it was read. */
  readonly digest: string
  /** The list that is read while it arrives. */
  readonly list: ListPart | undefined
  /** 128 random bits, unrelated to the token's jti (design section 3). */
  readonly id: string
  readonly relied: Relied
}

/** Decides one request, records the decision, and issues a token or throws AttestationError. */
export const appraiseRequest = (request: AppraisalRequest, call: Call, services: Services): Promise<Issued> =>
  appraiseStreamed({ request, list: undefined }, call, services)

/** A request, and the list that comes behind it. */
type Asked = { readonly request: AppraisalRequest; readonly list: ListPart | undefined }

/** The same for a request whose IMA list is still on its way. */
export async function appraiseStreamed({ request, list }: Asked, call: Call, services: Services): Promise<Issued> {
  refuseLongLogs(request.evidence, services.limits)
  // One snapshot from here to the token: whatever is activated meanwhile counts for the next request.
  const policies = services.policies.snapshot()
  const authority = services.audiences.resolve(request, policies)
  const shadow = policies.shadow(authority.policy.reference.name)
  const digest = digestWith(request.evidence, list)
  const job: Job = {
    call,
    services,
    request,
    item: onlyItem(request.evidence),
    authority,
    shadow,
    list,
    id: newId(),
    relied: {},
    get digest() {
      return digest()
    },
  }
  try {
    return await decide(job)
  } catch (error) {
    await recordRefusal(error, job)
    throw error
  }
}

const newId = () => randomName(16).toString('hex')

async function decide(job: Job): Promise<Issued> {
  const { services, request, authority } = job
  services.tokens.ensureKey(authority.audience.alg)
  const nonce = await checkNonce(request, authority, services)
  const bound = await checkBinding(request, nonce, authority.audience.name)
  const ima = imaContext(job.item, authority, services)
  const unverified = await verify(evidenceWith(job.item, job.list), services.anchors, services)
  const obtained = await obtain(unverified, nonce.challenge, job)
  const evaluation = { job, nonce, bound, ima, unverified, obtained }
  const { judgement, finding } = await judge(evaluation)
  try {
    if (judgement.code !== undefined) throw refused(judgement.code, judgement.appraisal, { job, retryAfter: obtained.retryAfter })
    await keepQuote(finding, authority.policy, services)
    return await issue(judgement.appraisal, evaluation, finding)
  } finally {
    if (isWhole(job.item, job.list)) await reportShadow({ ...job, active: judgement }, trialOf(evaluation))
  }
}

const trialOf = ({ job, nonce, bound, unverified, obtained }: Evaluation): Trial => ({
  type: job.item.type,
  unverified,
  obtained,
  digest: job.digest,
  reportData: bound.reportData,
  extraData: bound.extraData,
  keyBinding: bound.cnf === undefined ? 'unbound' : 'bound',
  freshness: nonce.freshness,
})

function obtain({ needs, wants }: Unverified, challenge: CheckedChallenge | undefined, { call, services }: Job): Promise<Obtained> {
  return services.collateral.obtain({
    needs,
    ...(wants === undefined ? {} : { wants }),
    prefix: call.prefix,
    caller: call.caller === undefined ? 'anonymous' : 'authenticated',
    // Without an unspent challenge nothing pays for a fetch (design section 7).
    ...(challenge === undefined ? {} : { pay: (digest) => services.challenges.pay(challenge, digest) }),
  })
}

type Evaluation = {
  readonly job: Job
  readonly nonce: CheckedNonce
  readonly bound: Bound
  /** What an IMA list is judged by beside the policy. */
  readonly ima: TpmContext
  readonly unverified: Unverified
  readonly obtained: Obtained
}

/**
 * Spends the challenge, then verifies: one challenge buys one verification. Only when collateral is not at hand, so that the answer may
 * be a 503 which must leave the challenge usable, is it spent after the verdict is known.
 */
async function judge(evaluation: Evaluation): Promise<{ readonly judgement: Judgement; readonly finding: Finding }> {
  const { job, nonce, unverified, obtained } = evaluation
  const { services, authority } = job
  const now = services.now()
  const rigour = rigourOf(authority.policy.document)
  const spendsLater = mayBeUndecided({ needs: unverified.needs, obtained, rigour, now })
  if (!spendsLater) await spend(nonce, services)
  const { mode, memo, signatures } = services
  const { reportData, extraData } = evaluation.bound
  const tpm = { ...evaluation.ima, previousQuote: await previousQuote(unverified, authority.policy, services) }
  const context = { now, mode, memo, signatures, rigour, reportData, extraData, tpm }
  const finding = await unverified.verify(obtained.collateral, context)
  // Also what the policy does not evaluate must have arrived, and belongs to the digest.
  await job.list?.finish()
  const judgement = evaluate(finding, evaluation)
  if (spendsLater && !isUndecided(judgement.code)) await spend(nonce, services)
  return { judgement, finding }
}

async function spend({ challenge }: CheckedNonce, services: Services): Promise<void> {
  if (challenge !== undefined) await services.challenges.spend(challenge)
}

const isUndecided = (code: ProblemCode | undefined): boolean => code !== undefined && problemOf(code).kind === 'undecided'

function evaluate(finding: Finding, { job, nonce, bound, obtained }: Evaluation): Judgement {
  const { id, services, authority, digest, item, relied } = job
  const collateral = collateralSummary(obtained)
  relied.collateralDigest = collateral.digest
  return appraise({
    id,
    mode: services.mode,
    freshness: nonce.freshness,
    policy: authority.policy,
    items: [{ type: item.type, finding, fresh: true }],
    keyBinding: bound.cnf === undefined ? 'unbound' : 'bound',
    evidenceDigest: digest,
    collateral,
  })
}

function refused(code: ProblemCode, appraisal: Appraisal, { job, retryAfter }: { job: Job; retryAfter: number | undefined }) {
  const all = appraisal.evidence.flatMap((item) => item.checks)
  // Under `issue_on: affirming` a warning refuses, too; and a code that no check has (collateral that is missing) follows from a failed one.
  const faults = all.flatMap((check) => (check.outcome === 'fail' || check.outcome === 'warn' ? [check] : []))
  const failed = faults.find((check) => check.code === code) ?? faults[0]
  return new AttestationError(code, failed === undefined ? '' : `${failed.id}: ${failed.title}`, {
    checks: checksForReader(all, viewOf(job)),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  })
}

/** What the operator wrote is for known callers, unless the policy shows it to everybody. */
const viewOf = ({ call, authority }: Job): View => ({
  reader: call.caller === undefined ? 'anonymous' : 'viewer',
  explain: authority.policy.document.explain,
})

async function issue(appraisal: Appraisal, { job, nonce, bound, unverified }: Evaluation, finding: Finding): Promise<Issued> {
  const { services, authority, call } = job
  const { token, jti } = services.tokens.issue({ appraisal, ...authority, nonce: nonce.bytes, cnf: bound.cnf })
  await recordIssued(jti, job)
  // Keeping what came along must not delay the answer, nor can its failure change it.
  services.collateral.remember(unverified).catch((error: unknown) => {
    services.log.warn({ request_id: call.requestId, err: error }, 'collateral of accepted evidence was not kept')
  })
  return { token, appraisal: () => appraisalForReader(appraisal, viewOf(job)), state: nextState(finding, authority, services) }
}
