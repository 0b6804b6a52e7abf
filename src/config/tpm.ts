import { z } from 'zod'
import { enrolmentMembers, enrolmentOf, printEnrolment, type EnrolmentSettings } from './enrolment.ts'

/** What the operator decides about TPMs. */
export type TpmSettings = {
  /** undefined: no TPM is enrolled. */
  readonly enrolment: EnrolmentSettings | undefined
}

/** `tpm` as it is written. */
export const tpmMembers = z.strictObject({ enrolment: enrolmentMembers.optional() })

/** The settings for TPMs. */
export const tpmOf = (row: z.output<typeof tpmMembers>): TpmSettings => ({ enrolment: enrolmentOf(row.enrolment) })

/** The same as it is written in a file. */
export const printTpm = ({ enrolment }: TpmSettings): z.input<typeof tpmMembers> =>
  enrolment === undefined ? {} : { enrolment: printEnrolment(enrolment) }
