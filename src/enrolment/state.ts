import { z } from 'zod'
import type { Seal } from '../access/sealed.ts'

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`))

/** What an enrolment that has begun leaves with the host, sealed: no replica keeps anything. */
const state = z.strictObject({
  /** Raised with every change of what follows. */
  version: z.literal(1),
  mode: z.enum(['production', 'demo', 'test']),
  /** The challenge that makes the state one that is spent once. */
  challenge: z.base64(),
  ekSpkiSha256: hex(32),
  akName: z.string().regex(/^(?:[0-9a-f]{2}){34,66}$/),
  /** DER SubjectPublicKeyInfo of the attestation key. */
  akSpki: z.base64(),
  secretSha256: hex(32),
  /** RFC 3339. */
  expiresAt: z.iso.datetime(),
  basis: z.enum(['listed', 'enroller', 'any']),
  listedBy: hex(32).nullable(),
  /** RFC 3339; when the first of what the EK's trust relies on ends; null: nothing does. */
  ekValidUntil: z.iso.datetime().nullable(),
})

/** An enrolment on its way. */
export type EnrolmentState = z.output<typeof state>

/** Bytes of the longest state: RSA-4096 and a name of SHA-512 take under 2 KiB. */
export const MAX_STATE_BYTES = 4096

/** The state as it is handed out. */
export const sealState = (seal: Seal, value: EnrolmentState): Uint8Array => seal.seal(new TextEncoder().encode(JSON.stringify(value)))

/** The state that was handed out; undefined for all else, also for one of another version of Assay. */
export function openState(seal: Seal, sealed: Uint8Array): EnrolmentState | undefined {
  const opened = seal.open(sealed)
  return opened === undefined ? undefined : state.safeParse(JSON.parse(Buffer.from(opened).toString('utf8'))).data
}
