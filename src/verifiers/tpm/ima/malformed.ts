import { AttestationError } from '../../problems.ts'

/** The error for a list that does not follow its format; `entry` counts from 1. */
export const malformedList = (entry: number, why: string): AttestationError =>
  new AttestationError('tpm-ima-malformed', `entry ${entry} of the IMA list: ${why}`, { at: 'ima_log' })

/** Whether an error is that one, and not what reading the list threw. */
export const isMalformedList = (error: unknown): error is AttestationError =>
  error instanceof AttestationError && error.code === 'tpm-ima-malformed'
