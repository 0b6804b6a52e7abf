import type { Judgement } from '../appraisal/appraisal.ts'
import { differencesOf } from '../appraisal/difference.ts'
import type { ActivePolicy } from '../appraisal/policy-set.ts'
import type { Call } from './call.ts'
import type { Services } from './services.ts'
import { tryPolicy, type Trial } from './trial.ts'

/** What a shadow is compared with. */
type Beside = { readonly shadow: ActivePolicy | undefined; readonly call: Call; readonly services: Services; readonly active: Judgement }

/** Checks that one log line tells of. */
const TOLD = 20

/**
 * Judges decided evidence once more by the version that is tried beside the active one, and says in the log how the two differ.
 * Whatever comes of it changes nothing of the answer.
 */
export async function reportShadow({ shadow, call, services, active }: Beside, trial: Trial): Promise<void> {
  if (shadow === undefined) return
  const line = { request_id: call.requestId, policy: active.appraisal.policy, shadow: shadow.reference }
  try {
    const { code, appraisal } = await tryPolicy(shadow, trial, services)
    const changes = differencesOf(checksOf(active), checksOf({ code, appraisal })).slice(0, TOLD)
    const told = changes.map(({ id, before, after }) => ({ id, active: before?.outcome ?? null, shadow: after?.outcome ?? null }))
    const agrees = (code === undefined) === (active.code === undefined)
    services.log.info(
      { ...line, agrees, active_code: active.code ?? null, shadow_code: code ?? null, changes: told },
      'a shadow policy was tried',
    )
  } catch (error) {
    services.log.error({ ...line, err: error }, 'a shadow policy could not be tried')
  }
}

const checksOf = ({ appraisal }: Judgement) => appraisal.evidence.flatMap(({ checks }) => checks)
