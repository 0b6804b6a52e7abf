import { AttestationError } from '../verifiers/problems.ts'
import { negotiate } from './accept.ts'
import { appraiseStreamed } from './appraise-request.ts'
import { json, type Call, type Handler } from './call.ts'
import { readStrictJson } from './gate.ts'
import { readParts, type Parts } from './parts.ts'
import { appraisalRequest, parseRequest, type AppraisalRequest } from './requests.ts'
import type { Services } from './services.ts'

const ANSWERS = ['application/json', 'application/eat+jwt', 'application/jwt'] as const

/** POST /v1/appraisals/streamed: the same as POST /v1/appraisals for a TPM host whose IMA list is longer than an ordinary body; it is judged as it arrives. */
export const createStreamedAppraisal: Handler = async (call, services) => {
  const type = negotiate(call.header('accept'), ANSWERS)
  // From the first byte on: whoever sends slowly holds a place that was made for that.
  return call.work.runStreamed(async () => {
    const parts = await readParts(call, services.limits)
    try {
      const { token, appraisal, state } = await appraiseParts(parts, call, services)
      return type === 'application/json'
        ? json(201, { token, appraisal: appraisal(), ...state })
        : { status: 201, headers: { 'content-type': type }, body: token }
    } finally {
      parts.close()
    }
  })
}

function appraiseParts({ request: bytes, list }: Parts, call: Call, services: Services) {
  const request = parseRequest(appraisalRequest, readStrictJson(bytes))
  refuseOther(request)
  return appraiseStreamed({ request, list }, call, services)
}

function refuseOther({ evidence }: AppraisalRequest): void {
  const [item, ...others] = evidence
  if (others.length > 0 || item?.type !== 'tpm')
    throw new AttestationError('request-malformed', 'evidence: a list goes with one item of type tpm', { at: 'evidence' })
  if (item.ima_log !== undefined)
    throw new AttestationError('request-malformed', 'evidence[0].ima_log: the list is the second part', { at: 'evidence[0].ima_log' })
}
