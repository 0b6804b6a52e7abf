import type { AuditLine } from '../access/audit.ts'
import { AttestationError, type ProblemCode } from '../verifiers/problems.ts'
import type { PolicyReference } from '../appraisal/appraisal.ts'
import type { Call } from './call.ts'
import type { Services } from './services.ts'

/** What operators do that is recorded. */
export type Action =
  `policy-${'put' | 'activation' | 'shadow' | 'revocation'}` | `reference-values-${'put' | 'activation' | 'deprecation' | 'revocation'}`

/** One administrative act on its way. */
export type Act = {
  readonly call: Call & { readonly caller: NonNullable<Call['caller']> }
  readonly services: Services
  readonly action: Action
}

/** Says who acts. A route that demands a role is never reached without a caller. */
export function actOf(call: Call, services: Services, action: Action): Act {
  const { caller } = call
  if (caller === undefined) throw new AttestationError('unauthenticated', 'this operation needs credentials')
  return { call: { ...call, caller }, services, action }
}

/** Whether the store says that it kept nothing: after any other error it may have. */
const isUnwritten = (code: ProblemCode): boolean => code.endsWith('-conflict') || code === 'store-full' || code === 'request-too-large'

/**
 * Does what is done under the eyes of the audit log. `record` writes the line before the change is made: what cannot be recorded does
 * not happen. An act that is refused has a line that says so; if it was recorded as changed before, that line takes it back. Where nobody
 * knows whether the change was made (the store was lost on the way), the line says `undecided`, and the change may be in force.
 */
export async function recorded<T>(act: Act, work: (record: (document: PolicyReference) => Promise<void>) => Promise<T>): Promise<T> {
  const { audit, log } = act.services
  let isTold = false
  try {
    return await work(async (document) => {
      await audit.append({ ...lineOf(act), outcome: 'changed', ...about(act.action, document) })
      isTold = true
    })
  } catch (error) {
    const code = error instanceof AttestationError ? error.code : 'internal-error'
    if (code === 'audit-unavailable') throw error
    const outcome = isTold && !isUnwritten(code) ? 'undecided' : 'refused'
    await audit.append({ ...lineOf(act), outcome, code }).catch((failure: unknown) => {
      log.error({ request_id: act.call.requestId, err: failure }, 'a refusal is missing from the audit log')
    })
    throw error
  }
}

const about = (action: Action, document: PolicyReference): Pick<AuditLine, 'policy' | 'reference_values'> =>
  action.startsWith('policy-') ? { policy: document } : { reference_values: [document] }

const lineOf = ({ call, services, action }: Act): Omit<AuditLine, 'outcome'> => ({
  time: services.now().toISOString(),
  request_id: call.requestId,
  action,
  caller: call.caller.name,
})
