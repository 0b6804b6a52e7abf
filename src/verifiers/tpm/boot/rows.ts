/** The checks of event logs (specification tpm.md section 16), in the order in which they are made. */
export const PARSES = {
  id: 'TPM-43',
  title: 'The event log follows its format',
  expected: 'a log that is read to its end',
  code: 'tpm-eventlog-malformed',
} as const
/** TPM-44. */
export const BANK = {
  id: 'TPM-44',
  title: 'The event log has digests of the quoted bank',
  expected: 'the bank that is relied on',
  code: 'tpm-eventlog-bank-missing',
} as const
/** TPM-45. */
export const LOCALITY = {
  id: 'TPM-45',
  title: 'The startup locality is told once, before PCR 0 is extended',
  expected: '17 bytes with locality 0, 3 or 4, as EV_NO_ACTION of PCR 0, or no such record',
  code: 'tpm-eventlog-startup-locality-invalid',
} as const
/** TPM-46. */
export const REPLAYS = {
  id: 'TPM-46',
  title: 'The event log leads to the quoted PCRs',
  expected: 'the values of the quote, by one digest for each event',
  code: 'tpm-eventlog-replay-mismatch',
} as const
/** TPM-47. */
export const COMPLETE = {
  id: 'TPM-47',
  title: 'PCRs without events were not extended',
  expected: 'the value at start',
  code: 'tpm-eventlog-incomplete',
} as const
/** TPM-48. */
export const SEPARATORS_HOLD = {
  id: 'TPM-48',
  title: 'Each PCR of the firmware has one separator',
  expected: 'one EV_SEPARATOR of 4 bytes in each of PCR 0 to 7, by data and digest, and applications behind it',
  code: 'tpm-eventlog-separator-invalid',
} as const
/** TPM-49. */
export const DIGESTS = {
  id: 'TPM-49',
  title: 'Digests are those of the data, where the data determine them',
  expected: 'the digest of the data, in the bank that is replayed',
  code: 'tpm-eventlog-event-data-mismatch',
} as const
/** TPM-50. */
export const SECURE_BOOT = {
  id: 'TPM-50',
  title: 'PCR 7 holds what firmware measures of Secure Boot, in its order',
  expected: 'each variable once before the separator, authorities behind it, and actions that are known',
  code: 'tpm-secureboot-log-invalid',
} as const
/** TPM-56. */
export const GRUB = {
  id: 'TPM-56',
  title: 'GRUB’s texts are what was measured, and name one kernel command line',
  expected: 'digests of the texts, at most one of them a command line',
  code: 'tpm-grub-log-invalid',
} as const
