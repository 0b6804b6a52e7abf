import type { z } from 'zod'
import type { Judgement } from '../appraisal/appraisal.ts'
import { differencesOf } from '../appraisal/difference.ts'
import type { ActivePolicy } from '../appraisal/policy-set.ts'
import type { Obtained } from '../collateral/service.ts'
import { verify } from '../verifiers/registry.ts'
import type { Unverified } from '../verifiers/verifier.ts'
import { readJsonBody } from './body.ts'
import { json, type Call, type Handler } from './call.ts'
import { evidenceDigest, evidenceOf, onlyItem, refuseLongLogs } from './evidence.ts'
import { dryRunRequest } from './policy-requests.ts'
import { parseRequest } from './requests.ts'
import type { Services } from './services.ts'
import { tryPolicy, type Trial } from './trial.ts'

type DryRun = z.output<typeof dryRunRequest>

/** What evidence is tried with, whatever is tried. */
type Tested = Pick<DryRun, 'evidence' | 'report_data' | 'key_bound'>

/**
 * POST /v1/policies/{name}/dry-runs: how a draft or a version would judge evidence, how the active version does, and what differs.
 * Nothing is fetched, spent or kept, and there is never a token.
 */
export const createDryRun: Handler = async (call, services) => {
  const body = await readJsonBody(call, services.limits)
  return call.work.run(async () => {
    const request = parseRequest(dryRunRequest, body)
    const name = call.param('name')
    const tried = await triedPolicy(name, request, services)
    const active = services.policies.snapshot().get(name)
    const trial = await trialOf(request, call, services)
    const after = await tryPolicy(tried, trial, services)
    const before = active === undefined ? undefined : await tryPolicy(active, trial, services)
    return json(200, { tried: verdictOf(after), ...besideOf(before, after) })
  })
}

const triedPolicy = async (name: string, { draft, version }: DryRun, { policies }: Services): Promise<ActivePolicy> =>
  version === undefined ? policies.draft(name, draft ?? '') : policies.stored(name, version)

/** Evidence of a request as it is tried, with the documents that are at hand. Throws what reading and verification throw. */
export async function trialOf({ evidence, report_data: hex, key_bound: isBound }: Tested, call: Call, services: Services): Promise<Trial> {
  refuseLongLogs(evidence, services.limits)
  const item = onlyItem(evidence)
  const unverified = await verify(evidenceOf(item), services.anchors, services)
  const data = hex === undefined ? undefined : new Uint8Array(Buffer.from(hex, 'hex'))
  return {
    type: item.type,
    unverified,
    obtained: await obtain(unverified, call, services),
    digest: evidenceDigest(evidence),
    reportData: data,
    extraData: data,
    keyBinding: isBound === undefined ? 'not-asked' : isBound ? 'bound' : 'unbound',
    freshness: 'none',
  }
}

/** What is at hand: nothing here pays for a fetch. */
const obtain = ({ needs, wants }: Unverified, { prefix }: Call, { collateral }: Services): Promise<Obtained> =>
  collateral.obtain({ needs, ...(wants === undefined ? {} : { wants }), prefix, caller: 'authenticated' })

/** Where nothing is active, everything would be new. */
const besideOf = (before: Judgement | undefined, after: Judgement) =>
  before === undefined ? { active: null, changes: [] } : { active: verdictOf(before), changes: changesOf(before, after) }

const verdictOf = ({ appraisal, code }: Judgement) => ({ accepted: code === undefined, code: code ?? null, appraisal })

/** The checks that end otherwise, or expect something else. */
export function changesOf(before: Judgement, after: Judgement) {
  return differencesOf(checksOf(before), checksOf(after)).map(({ id, title, before: active, after: tried }) => ({
    id,
    title,
    active: active ?? null,
    tried: tried ?? null,
  }))
}

const checksOf = ({ appraisal }: Judgement) => appraisal.evidence.flatMap(({ checks }) => checks)
