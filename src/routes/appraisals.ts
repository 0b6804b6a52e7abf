import { negotiate } from './accept.ts'
import { appraiseRequest } from './appraise-request.ts'
import { readJsonBody } from './body.ts'
import { json, type Handler } from './call.ts'
import { plainRequest } from './plain-request.ts'
import { appraisalRequest, parseRequest } from './requests.ts'

/** The first is what a caller without preferences gets; the others are the bare token. */
const ANSWERS = ['application/json', 'application/eat+jwt', 'application/jwt'] as const

/** POST /v1/appraisals: evidence in, token and appraisal out. `Prefer: respond-async` is answered at once, as RFC 7240 lets a server do. */
export const createAppraisal: Handler = async (call, services) => {
  const type = negotiate(call.header('accept'), ANSWERS)
  const body = await readJsonBody(call, services.limits)
  return call.work.run(async () => {
    const { token, appraisal, state } = await appraiseRequest(plainRequest(body) ?? parseRequest(appraisalRequest, body), call, services)
    return type === 'application/json'
      ? json(201, { token, appraisal: appraisal(), ...state })
      : { status: 201, headers: { 'content-type': type }, body: token }
  })
}
