import { z } from 'zod'
import { base64Bytes, certificateChain } from './wire.ts'

/** Upper limits only, for the same reason as those of other evidence: exact lengths are the verifier's. */
const BYTES = {
  /** A structure that a TPM signs has a few hundred bytes. */
  structure: 8 * 1024,
  /** No service can be configured to take more; what one does take is for the route to ask. */
  eventLog: 4 * 1024 * 1024,
  imaLog: 16 * 1024 * 1024,
  imaState: 32 * 1024,
}
/** Specification tpm.md section 4: one quote for each bank. */
const MAX_QUOTES = 4

/** Digits of the longest digest; which length is right is for the verifier to say. */
const pcrValue = z
  .string()
  .regex(/^(?:[0-9a-f]{2}){1,64}$/, 'expected 1 to 64 bytes in lower-case hex')
  .transform((hex) => new Uint8Array(Buffer.from(hex, 'hex')))
const pcrIndex = z.string().regex(/^(?:0|[1-9][0-9]?)$/, 'expected a PCR by its number')

const pcrs = z
  .partialRecord(z.enum(['sha1', 'sha256', 'sha384', 'sha512']), z.record(pcrIndex, pcrValue))
  .meta({ description: 'PCR values by bank and number, in lower-case hex. Only those that the signed selection names may be there.' })

const quote = z
  .strictObject({
    quote: base64Bytes(BYTES.structure, 'TPMS_ATTEST, bare or as TPM2B_ATTEST'),
    signature: base64Bytes(BYTES.structure, 'TPMT_SIGNATURE'),
    pcrs,
  })
  .meta({ id: 'TpmQuote' })

/** TPM evidence as it travels. */
export const tpmItem = z
  .strictObject({
    type: z.literal('tpm'),
    quotes: z.array(quote).min(1, 'needs a quote').max(MAX_QUOTES, `has more than ${MAX_QUOTES} quotes`),
    ak_public: base64Bytes(BYTES.structure, 'TPMT_PUBLIC of the attestation key, bare or as TPM2B_PUBLIC').optional(),
    ak_certificates: certificateChain
      .meta({ description: 'The certificate of the attestation key and those that lead to a root, leaf first' })
      .optional(),
    event_log: base64Bytes(
      BYTES.eventLog,
      'The firmware’s TCG2 log (/sys/kernel/security/tpm0/binary_bios_measurements); 1 MiB unless the operator takes more',
    ).optional(),
    ima_log: base64Bytes(
      BYTES.imaLog,
      'The kernel’s list of measured files, ASCII or binary; long ones by POST /v1/appraisals/streamed',
    ).optional(),
    ima_state: base64Bytes(BYTES.imaState, 'What the last answer gave as `ima_state`: the list then holds only what follows').optional(),
  })
  .meta({ id: 'TpmEvidence', description: 'Quotes of a TPM 2.0 with what travelled beside them' })
