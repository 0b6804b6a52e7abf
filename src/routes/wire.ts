import { z } from 'zod'
import { base64Length, decodeBase64 } from '../base64.ts'

/** Upper limit only (design section 3, Limits); what is no certificate is named by the verifier. */
const CERTIFICATE_BYTES = 64 * 1024
/** A chain has three certificates or four; some hosts send each twice. */
const MAX_CERTIFICATES = 16

const BASE64 = 'standard base64 with padding, or URL-safe without, in canonical form'

/** Bytes as they travel in JSON; the text of a limit names decoded bytes. */
export const base64Bytes = (max: number, description: string, other?: NonNullable<Parameters<typeof z.string>[0]>) =>
  z
    .string(other)
    .max(base64Length(max), `longer than ${max} bytes`)
    .transform((text, ctx) => decodeBase64(text) ?? issue(ctx, `not ${BASE64}`))
    .meta({ description: `${description} (${BASE64})`, contentEncoding: 'base64' })

function issue(ctx: z.core.$RefinementCtx, message: string): never {
  ctx.addIssue(message)
  return z.NEVER
}

const utf8 = new TextEncoder()

/** One certificate. A PEM block is passed on as its text, so that the verifier judges its form; anything else must be base64 of DER. */
export const certificate = z
  .string()
  .max(base64Length(CERTIFICATE_BYTES), `longer than ${CERTIFICATE_BYTES} bytes`)
  .transform((text, ctx) => (text.includes('-----') ? utf8.encode(text) : (decodeBase64(text) ?? issue(ctx, `neither PEM nor ${BASE64}`))))
  .meta({ description: `One certificate: a PEM block, or its DER in ${BASE64}` })

/** Certificates of a chain. */
export const certificateChain = z.array(certificate).max(MAX_CERTIFICATES)
