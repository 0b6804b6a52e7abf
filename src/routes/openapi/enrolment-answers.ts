import { z } from 'zod'
import { time } from './fields.ts'

const base64 = (description: string) => z.base64().meta({ description, contentEncoding: 'base64' })
const pem = (description: string) => z.string().meta({ description })

const about = {
  ek_public_key_sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .meta({ description: 'SHA-256 of the endorsement key’s SubjectPublicKeyInfo: what `tpm.enrolment.ek` and policies name it by' }),
  ak_name: z
    .string()
    .regex(/^[0-9a-f]+$/)
    .meta({ description: 'Name of the attestation key: nameAlg ‖ digest of its public area, hex' }),
  basis: z.enum(['listed', 'enroller', 'any']).meta({ description: 'Why the TPM may be enrolled' }),
}

/** The answer of POST /v1/tpm/enrolments. */
export const enrolmentAnswer = z
  .strictObject({
    credential_blob: base64('TPM2B_ID_OBJECT, for TPM2_ActivateCredential'),
    encrypted_secret: base64('TPM2B_ENCRYPTED_SECRET'),
    tpm2_tools_credential: base64('Both as the file that tpm2_activatecredential reads'),
    state: base64('To be sent back with the secret; sealed'),
    expires_at: time,
    ...about,
  })
  .meta({ id: 'EnrolmentAnswer' })

/** The answer of POST /v1/tpm/enrolments/activations. */
export const enrolmentActivationAnswer = z
  .strictObject({
    ak_certificate: pem('The certificate of the attestation key, PEM: the first of `ak_certificates` in evidence'),
    chain: z.array(pem('PEM')).meta({ description: 'The authority that signed it' }),
    expires_at: time,
    ...about,
  })
  .meta({ id: 'EnrolmentActivationAnswer' })
