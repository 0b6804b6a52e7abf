import type { Claims } from '../verifiers/verifier.ts'
import { REFERENCE_PLACES, type ReferencePlace } from './reference-lists.ts'

/** When a value stops being accepted: only values of sets that end, by list. Milliseconds since 1970. */
export type ReferenceEnds = ReadonlyMap<ReferencePlace, ReadonlyMap<string, number>>

/** What evidence measured, by the list that it is looked up in. */
const MEASURED: Readonly<Record<(typeof REFERENCE_PLACES)[number], (claims: Claims) => string | undefined>> = {
  'snp.measurements': ({ snp }) => snp?.measurement,
  'tdx.mr_td': ({ tdx }) => tdx?.mr_td,
  'tdx.rtmr0': ({ tdx }) => tdx?.rtmr0,
  'tdx.rtmr1': ({ tdx }) => tdx?.rtmr1,
  'tdx.rtmr2': ({ tdx }) => tdx?.rtmr2,
  'tdx.rtmr3': ({ tdx }) => tdx?.rtmr3,
  'tdx.mr_seam': ({ tdx }) => tdx?.mr_seam,
  'sgx.mr_enclave': ({ sgx }) => sgx?.mr_enclave,
  'sgx.mr_signer': ({ sgx }) => sgx?.mr_signer,
}

/** A register of a bank that was not relied on was not accepted by any value. */
function measuredAt(place: ReferencePlace, claims: Claims): string | undefined {
  const fixed = REFERENCE_PLACES.find((other) => other === place)
  if (fixed !== undefined) return MEASURED[fixed](claims)
  const [, , bank, index = ''] = place.split('.')
  return bank === claims.tpm?.bank ? claims.tpm?.pcrs[index] : undefined
}

/** When the first of the values that evidence was accepted by ends; Infinity: none does. No verdict is valid any longer. */
export function referencesEnd(ends: ReferenceEnds, claims: Claims): number {
  const found = [...ends].map(([place, values]) => values.get(measuredAt(place, claims) ?? '') ?? Infinity)
  return Math.min(Infinity, ...found)
}
