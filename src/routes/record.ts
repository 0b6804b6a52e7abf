import type { AuditLine } from '../access/audit.ts'
import { AttestationError, problemOf } from '../verifiers/problems.ts'
import type { Call } from './call.ts'
import type { Authority } from './nonce.ts'
import type { Services } from './services.ts'

/** What an audit line says of every decision. */
export type Decided = {
  readonly call: Call
  readonly services: Services
  readonly authority: Authority
  readonly id: string
  readonly digest: string
  readonly relied: Relied
}

/** What a verdict relied on, filled in when there is one: what is refused before has relied on nothing. */
export type Relied = { collateralDigest?: string }

/** Writes that a token was made, before anyone has it. Throws `audit-unavailable`: no audit line, no token. */
export async function recordIssued(jti: string, decided: Decided): Promise<void> {
  await decided.services.audit.append({ ...lineOf(decided), outcome: 'issued', jti })
}

/** Writes a refusal. A log that cannot be written does not turn a refusal into something else. */
export async function recordRefusal(error: unknown, decided: Decided): Promise<void> {
  const { services, call } = decided
  const code = error instanceof AttestationError ? error.code : 'internal-error'
  if (code === 'audit-unavailable') return
  const outcome = problemOf(code).kind === 'undecided' ? 'undecided' : 'refused'
  try {
    await services.audit.append({ ...lineOf(decided), outcome, code })
  } catch (failure) {
    services.log.error({ request_id: call.requestId, err: failure }, 'a refusal is missing from the audit log')
  }
}

const lineOf = ({ call, services, authority, id, digest, relied }: Decided): Omit<AuditLine, 'outcome'> => ({
  time: services.now().toISOString(),
  request_id: call.requestId,
  action: 'appraisal',
  caller: call.caller?.name ?? call.prefix,
  appraisal_id: id,
  audience: authority.audience.name,
  policy: authority.policy.reference,
  ...setsOf(authority),
  evidence_digest: digest,
  ...(relied.collateralDigest === undefined ? {} : { collateral_digest: relied.collateralDigest }),
})

/** Versions of sets that one line tells; lines are bounded. */
const MOST_SETS = 100

/** Which versions of sets gave the policy its values: with the policy's digest they say by which list the verdict came about. */
function setsOf({ policy: { sets } }: Authority): Pick<AuditLine, 'reference_values' | 'reference_values_omitted'> {
  if (sets === undefined) return {}
  const omitted = sets.used.length - MOST_SETS
  return { reference_values: sets.used.slice(0, MOST_SETS), ...(omitted > 0 ? { reference_values_omitted: omitted } : {}) }
}
