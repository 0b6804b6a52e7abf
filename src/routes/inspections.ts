import { inspectEvidence } from '../verifiers/inspect.ts'
import { readJsonBody } from './body.ts'
import { json, type Handler } from './call.ts'
import { evidenceOf, refuseLongLogs } from './evidence.ts'
import { inspectionRequest, parseRequest } from './requests.ts'

/** POST /v1/inspections: every field of evidence, decoded and not believed. Never a token, never spends anything. */
export const createInspection: Handler = async (call, services) => {
  const body = await readJsonBody(call, services.limits)
  return call.work.run(async () => {
    const { evidence } = parseRequest(inspectionRequest, body)
    refuseLongLogs(evidence, services.limits)
    return json(200, { verified: false, inspections: await Promise.all(evidence.map((item) => inspectEvidence(evidenceOf(item)))) })
  })
}
