import { readOptionalJsonBody } from './body.ts'
import { json, type Handler } from './call.ts'
import { challengeRequest, parseRequest } from './requests.ts'

/** POST /v1/challenges: a nonce to bind into evidence, good for one appraisal. */
export const issueChallenge: Handler = async (call, services) => {
  const body = await readOptionalJsonBody(call, services.limits)
  if (body !== undefined) parseRequest(challengeRequest, body)
  const { nonce, expiresAt } = await services.challenges.issue()
  return json(201, { nonce: Buffer.from(nonce).toString('base64'), expires_at: expiresAt.toISOString() })
}
