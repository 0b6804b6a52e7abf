import { z } from 'zod'
import { enrolmentMembers, enrolmentOf, printEnrolment, type EnrolmentSettings } from './enrolment.ts'
import { printTrust, trustMembers, trustOf, type TpmTrust } from './tpm-trust.ts'

/** What the operator decides about TPMs. */
export type TpmSettings = {
  /** undefined: no TPM is enrolled. */
  readonly enrolment: EnrolmentSettings | undefined
  readonly trust: TpmTrust
}

/** `tpm` as it is written. */
export const tpmMembers = z.strictObject({ enrolment: enrolmentMembers.optional(), ...trustMembers })

/** The settings for TPMs. */
export const tpmOf = ({ enrolment, ...trust }: z.output<typeof tpmMembers>): TpmSettings => ({
  enrolment: enrolmentOf(enrolment),
  trust: trustOf(trust),
})

/** The same as it is written in a file. */
export const printTpm = ({ enrolment, trust }: TpmSettings): z.input<typeof tpmMembers> => ({
  ...(enrolment === undefined ? {} : { enrolment: printEnrolment(enrolment) }),
  ...printTrust(trust),
})
