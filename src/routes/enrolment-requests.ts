import { z } from 'zod'
import { MAX_STATE_BYTES } from '../enrolment/state.ts'
import { base64Bytes, certificate, certificateChain } from './wire.ts'

/** RSA of 4096 bits with the longest policy is under 700 bytes; a longer one is named by whoever reads it. */
const PUBLIC_AREA_BYTES = 4096
/** A secret has 32 bytes; another length is another secret. */
const SECRET_BYTES = 64

/** The body of POST /v1/tpm/enrolments. */
export const enrolmentRequest = z
  .strictObject({
    ek_certificate: certificate.meta({ description: 'The certificate of the endorsement key as the TPM keeps it' }).optional(),
    ek_chain: certificateChain.meta({ description: 'Intermediates behind it, nearest first' }).default([]),
    ek_public: base64Bytes(PUBLIC_AREA_BYTES, 'TPMT_PUBLIC or TPM2B_PUBLIC of the endorsement key').optional(),
    ak_public: base64Bytes(PUBLIC_AREA_BYTES, 'TPMT_PUBLIC or TPM2B_PUBLIC of the attestation key'),
  })
  .refine((body) => body.ek_certificate !== undefined || body.ek_public !== undefined, 'needs ek_certificate, ek_public or both')
  .meta({ id: 'EnrolmentRequest' })

/** The same with decoded bytes. */
export type EnrolmentBody = z.output<typeof enrolmentRequest>

/** The body of POST /v1/tpm/enrolments/activations. */
export const activationRequest = z
  .strictObject({
    state: base64Bytes(MAX_STATE_BYTES, 'What the enrolment answered'),
    secret: base64Bytes(SECRET_BYTES, 'What TPM2_ActivateCredential gave'),
  })
  .meta({ id: 'EnrolmentActivationRequest' })
