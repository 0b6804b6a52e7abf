import type { z } from 'zod'
import { PROBLEM_CODES, type ProblemCode } from '../../verifiers/problems.ts'
import { activationRequest, enrolmentRequest } from '../enrolment-requests.ts'
import { ALWAYS, BODY, CALLER } from './common-problems.ts'
import { enrolmentActivationAnswer, enrolmentAnswer } from './enrolment-answers.ts'
import { ENROLMENT_ANSWERS, ENROLMENT_REQUESTS, ENROLMENT_ACTIVATION_REQUESTS } from './enrolment-examples.ts'

const json = (schema: z.ZodType, example: unknown) => ({ 'application/json': { schema, example } })

const COMMON: readonly ProblemCode[] = [...ALWAYS, ...CALLER, ...BODY, 'enrolment-off', 'not-ready', 'audit-unavailable']
/** What an endorsement key and an attestation key may be instead of acceptable. */
const KEYS = PROBLEM_CODES.filter((code) => /^tpm-(?:ak-(?!cert|untrusted|not-enrolled|revoked)|ek-|manufacturer|software|crl)/.test(code))
const ACTIVATED = PROBLEM_CODES.filter((code) => code.startsWith('tpm-activation-'))

/** What the contract says of the enrolment of TPMs. */
export const ENROLMENT_OPERATIONS = {
  'POST /v1/tpm/enrolments': {
    operationId: 'createEnrolment',
    tag: 'Attestation',
    summary: 'Begin the enrolment of a TPM’s attestation key',
    description:
      'Checks that the endorsement key is of a genuine TPM that may be enrolled and that the attestation key is restricted, and answers with a secret that only that TPM gives up, and only where that very key is loaded. A caller with the role `enroller` stands in for the operator’s list of EKs.',
    request: { schema: enrolmentRequest, required: 'required', examples: ENROLMENT_REQUESTS },
    answer: { status: 201, description: 'The TPM has a minute to answer', content: json(enrolmentAnswer, ENROLMENT_ANSWERS.begun) },
    problems: [...COMMON, ...KEYS],
  },
  'POST /v1/tpm/enrolments/activations': {
    operationId: 'createEnrolmentActivation',
    tag: 'Attestation',
    summary: 'Finish the enrolment and get a certificate',
    description:
      'The secret that the TPM gave up proves that the attestation key lives in it. Any replica answers; a state is good once. The certificate says “this key lives in this genuine TPM”, not “this host is ours”. It is renewed by a new enrolment.',
    request: { schema: activationRequest, required: 'required', examples: ENROLMENT_ACTIVATION_REQUESTS },
    answer: { status: 201, description: 'Certified', content: json(enrolmentActivationAnswer, ENROLMENT_ANSWERS.finished) },
    problems: [...COMMON, ...ACTIVATED],
  },
} as const
