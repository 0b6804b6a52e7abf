import { expect } from 'vitest'
import { appraisalAnswer, problem } from '../src/routes/openapi/answers.ts'
import { requestChallenge, type AttestTarget } from '../src/simulator/attest.ts'

/** A fresh challenge of a service. */
export async function challengeFrom(target: AttestTarget): Promise<Uint8Array> {
  const { nonce, status } = await requestChallenge(target)
  if (nonce === undefined) throw new Error(`no challenge: ${status}`)
  return nonce
}

/** What came back from a request, decoded. */
export type Answered = { readonly status: number; readonly body: unknown }

/** Status and code of a refusal, whose body must be as the contract says. */
export function refusal({ status, body }: Answered): [number, string] {
  const { code, status: told } = problem.parse(body)
  expect(told).toBe(status)
  return [status, code]
}

/** The body of an accepted appraisal, which must be as the contract says. */
export function accepted({ status, body }: Answered) {
  expect([status, body]).toEqual([201, expect.anything()])
  return appraisalAnswer.parse(body)
}
