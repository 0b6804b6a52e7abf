import { AttestationError } from '../verifiers/problems.ts'
import { json, type Handler } from './call.ts'

/** Asking again sooner would only add load to a service that is starting or leaving. */
const RETRY_AFTER_SECONDS = 5

/** GET /livez: the process answers. Nothing else is asked, so that a sick neighbour gets nobody restarted. */
export const livez: Handler = () => json(200, { status: 'alive' })

/** GET /readyz: whether this process can decide. Throws `not-ready` with the reasons. */
export const readyz: Handler = async (_call, { readiness, mode, version }) => {
  const problems = readiness.draining() ? ['the process is shutting down'] : await readiness.problems()
  if (problems.length > 0) throw new AttestationError('not-ready', problems.join('; '), { retryAfter: RETRY_AFTER_SECONDS })
  return json(200, { status: 'ready', mode, version, alarms: readiness.alarms() })
}
