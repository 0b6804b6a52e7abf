import { isCryptoAgile } from '../event-log/tcg2.ts'
import { looksLikeAttest, parseAttest } from './attest.ts'
import { attestView } from './inspect-attest.ts'
import { inspectPublicArea } from './inspect-key.ts'
import { inspectEventLog } from './inspect-logs.ts'
import type { TpmInspection } from './inspect.ts'
import { looksLikePublicArea } from './public.ts'

type Structure = {
  readonly isOne: (bytes: Uint8Array) => boolean
  readonly inspect: (bytes: Uint8Array) => Partial<TpmInspection>
}

/** What tools write into files by itself. */
const STRUCTURES: readonly Structure[] = [
  {
    isOne: looksLikeAttest,
    inspect: (bytes) => ({
      quotes: [{ ...attestView(parseAttest(bytes, 'quote'), bytes), signature: null, pcr_values: [], pcrs_missing: [] }],
    }),
  },
  { isOne: looksLikePublicArea, inspect: (bytes) => ({ ak_public: inspectPublicArea(bytes) }) },
  { isOne: isCryptoAgile, inspect: (bytes) => ({ event_log: inspectEventLog(bytes) }) },
]

const NOTHING_ELSE: TpmInspection = {
  verified: false,
  quotes: [],
  ak_public: null,
  certificates: [],
  event_log: null,
  ima_log: null,
  checks: [],
}

/**
 * Takes one structure apart that came by itself: an attestation, a public area, or an event log, as its first bytes tell; undefined for anything
 * else. Throws AttestationError where it is not one to its last byte.
 */
export function inspectTpmStructure(bytes: Uint8Array): TpmInspection | undefined {
  const structure = STRUCTURES.find(({ isOne }) => isOne(bytes))
  return structure === undefined ? undefined : { ...NOTHING_ELSE, ...structure.inspect(bytes) }
}
