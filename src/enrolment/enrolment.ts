import { begin, type Begun, type EnrolmentRequest } from './begin.ts'
import { finish, type ActivationRequest, type Certified, type Finished } from './finish.ts'
import type { EnrolmentParts } from './parts.ts'

/** Enrolment of attestation keys by credential activation (specification tpm.md section 7). */
export type Enrolment = {
  readonly begin: (request: EnrolmentRequest) => Promise<Begun>
  readonly finish: (request: ActivationRequest, record: (certified: Certified) => Promise<void>) => Promise<Finished>
}

/** Enrolment of one service. */
export const createEnrolment = (parts: EnrolmentParts): Enrolment => ({
  begin: (request) => begin(parts, request),
  finish: (request, record) => finish(parts, request, record),
})
