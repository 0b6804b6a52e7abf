import { z } from 'zod'
import type { TpmClaims } from '../../verifiers/tpm/claims.ts'
import { bootClaims } from './boot-claims.ts'
import { hex, time } from './fields.ts'
import { imaClaims } from './ima-claims.ts'

const bank = z.enum(['sha1', 'sha256', 'sha384', 'sha512'])
const digits = z.string().regex(/^[0-9]{1,20}$/)
const anyHex = z.string().regex(/^[0-9a-f]+$/)

const ak = z
  .strictObject({
    name: anyHex.nullable(),
    spki_sha256: hex(32),
    algorithm: z.string(),
    scheme: z.enum(['rsassa', 'rsapss', 'ecdsa']),
    hash: bank,
    attributes_verified: z.boolean(),
    st_clear: z.boolean().nullable(),
    qualified_signer: anyHex,
    qualified_signer_verified: z.boolean().nullable(),
  })
  .meta({ id: 'AttestationKey', description: 'The attestation key; `name` is nameAlg and digest of its public area' })

const certificate = z.strictObject({
  sha256: hex(32),
  issuer: z.string(),
  serial: anyHex,
  not_after: time,
  anchor_sha256: hex(32),
  authority: z.string().meta({ description: '`google`, `azure`, `assay`, or the operator’s name of the authority' }),
})

const gce = z.strictObject({
  zone: z.string(),
  project_number: digits,
  project_id: z.string(),
  instance_id: digits,
  instance_name: z.string(),
  security_version: digits.nullable(),
})

/** Everything that a verified TPM quote says, as answers show it. */
export const tpmClaims = z
  .strictObject({
    ak,
    ak_trust: z.enum(['ak-cert', 'ek-activation', 'enrolled-ak']),
    ak_certificate: certificate.nullable(),
    ek: z
      .strictObject({
        public_key_sha256: hex(32),
        basis: z.enum(['listed', 'enroller', 'any']),
        listed_by: hex(32).nullable(),
      })
      .nullable(),
    gce: gce.nullable(),
    revocation: z.enum(['checked', 'not-checked', 'not-configured']),
    clock: z.strictObject({
      clock: digits.meta({ description: 'Milliseconds' }),
      reset_count: z.int(),
      restart_count: z.int(),
      safe: z.boolean(),
      rebooted: z.boolean().nullable(),
    }),
    firmware_version: hex(8),
    firmware_version_reliable: z.boolean().meta({ description: 'false: the TPM may have hidden the version behind a secret of the key' }),
    bank,
    pcrs: z.record(z.string().regex(/^[0-9]{1,2}$/), anyHex),
    quoted_banks: z.array(bank),
    boot: bootClaims.nullable(),
    ima: imaClaims.nullable(),
  })
  .meta({
    id: 'TpmClaims',
    description: 'Everything that a verified TPM quote and the logs beside it say; null where nothing was sent or known',
  }) satisfies z.ZodType<TpmClaims>
