import type { z } from 'zod'
import type { Judgement } from '../appraisal/appraisal.ts'
import type { PolicyPair, ReferenceTrial } from '../policies/reference-trial.ts'
import { readJsonBody } from './body.ts'
import { json, type Handler } from './call.ts'
import { changesOf, trialOf } from './dry-runs.ts'
import { MOST_TRIED, referenceDryRunRequest } from './reference-requests.ts'
import { parseRequest } from './requests.ts'
import type { Services } from './services.ts'
import { tryPolicy, type Trial } from './trial.ts'

/**
 * POST /v1/reference-values/{name}/dry-runs: how the policies that name the set judge evidence, and how they would if a draft or a version
 * of it were active, or a version revoked. Nothing is fetched, spent or kept, and there is never a token.
 */
export const createReferenceDryRun: Handler = async (call, services) => {
  const body = await readJsonBody(call, services.limits)
  return call.work.run(async () => {
    const request = parseRequest(referenceDryRunRequest, body)
    const { reference, policies, omitted } = await services.policies.trySet(setTrialOf(call.param('name'), request))
    const trial = await trialOf(request, call, services)
    const compared = []
    // One after the other: a dry-run is one piece of work, and leaves room for appraisals.
    for (const pair of policies) compared.push(await compare(pair, trial, services))
    return json(200, { tried: { version: reference.version, sha256: reference.sha256 }, policies: compared, omitted })
  })
}

type Request = z.output<typeof referenceDryRunRequest>

const setTrialOf = (name: string, { draft, version, as, policies }: Request): ReferenceTrial => ({
  name,
  tried: version === undefined ? { draft: draft ?? '' } : { version, as },
  policies,
  most: MOST_TRIED,
})

async function compare({ active, tried }: PolicyPair, trial: Trial, services: Services) {
  const [before, after] = [await tryPolicy(active, trial, services), await tryPolicy(tried, trial, services)]
  return { policy: active.reference, active: verdictOf(before), tried: verdictOf(after), changes: changesOf(before, after) }
}

const verdictOf = ({ code, appraisal }: Judgement) => ({ accepted: code === undefined, code: code ?? null, status: appraisal.status })
