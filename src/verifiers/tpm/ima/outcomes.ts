import type { BootAggregate, ImaAccepted, ImaFaults } from './claims.ts'

/** What the evaluation of a list has found so far: plain data, so that a state can carry it to the next appraisal. */
export type ImaOutcomes = {
  readonly bootAggregate: BootAggregate
  readonly accepted: ImaAccepted
  readonly faults: ImaFaults
  readonly legacyPadding: boolean
  /** Certificates and keys that the list measured into the keyring for files and the policy lists: DER, base64. */
  readonly keys: readonly string[]
}
