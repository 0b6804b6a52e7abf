import type { BootClaims } from '../../verifiers/tpm/boot/claims.ts'
import { judge, notAsked, oneOf } from '../check.ts'
import type { TpmPolicy } from '../policy.ts'
import { asked, eachOnList, onList, told, type TpmRule } from './rule.ts'

const REQUIRED = asked('TPM-42', 'An event log of the boot came with the quote', ['tpm-eventlog-missing', 'tpm.event_log.required'])

/** TPM-42. Rules about what only a log can tell ask for it by themselves: without it their values are not known. */
export const logRequired: TpmRule = ({ claims: { boot }, policy }) => {
  const actual = boot === null ? 'no log' : `${boot.events} events`
  return [
    policy.event_log.required === 'any' ? notAsked(REQUIRED, actual) : judge(REQUIRED, boot !== null, { actual, expected: 'an event log' }),
  ]
}

const HANDOVER = asked('TPM-54', 'The log shows where the firmware handed over', [
  'tpm-exit-boot-services-missing',
  'tpm.boot_applications',
])
const APPLICATIONS = asked('TPM-55', 'What was booted is on the policy’s list', ['tpm-boot-app-not-allowed', 'tpm.boot_applications'])

const HANDED_OVER = 'Exit Boot Services Invocation'

/** TPM-54 and TPM-55. Behind an end that nobody sees, the operating system could have extended PCR 4 itself. */
export const bootApplications: TpmRule = ({ claims: { boot }, policy: { boot_applications: policy } }) => {
  const found = boot?.boot_applications ?? null
  const isSeen = boot?.exit_boot_services === true
  const [seen, actual] = [isSeen ? HANDED_OVER : 'no such event', found === null ? 'not known' : told(found)]
  if (policy === undefined) return [notAsked(HANDOVER, seen), notAsked(APPLICATIONS, actual)]
  const { match, allowed } = policy
  return [
    judge(HANDOVER, isSeen, { actual: seen, expected: `${HANDED_OVER} in PCR 5` }),
    judge(APPLICATIONS, found !== null && MATCHES[match](found, allowed), { actual, expected: EXPECTED[match](allowed) }),
  ]
}

const EXPECTED: Readonly<Record<Match, (allowed: readonly string[]) => string>> = {
  each: (allowed) => `each ${oneOf(allowed)}`,
  exact: (allowed) => `exactly ${told(allowed)}`,
  first: (allowed) => `first ${oneOf(allowed)}`,
}

type Match = NonNullable<TpmPolicy['boot_applications']>['match']

const MATCHES: Readonly<Record<Match, (found: readonly string[], allowed: readonly string[]) => boolean>> = {
  each: (found, allowed) => found.length > 0 && found.every((digest) => allowed.includes(digest)),
  exact: (found, allowed) => found.length === allowed.length && found.every((digest, at) => digest === allowed[at]),
  first: ([first], allowed) => first !== undefined && allowed.includes(first),
}

const SCRTM = asked('TPM-58', 'The version of the firmware is on the policy’s list', [
  'tpm-firmware-version-not-allowed',
  'tpm.scrtm_versions',
])
const BLOBS = asked('TPM-58', 'Every part of the firmware is on the policy’s list', [
  'tpm-firmware-version-not-allowed',
  'tpm.firmware_blobs',
])
const TECHNOLOGY = asked('TPM-58', 'The instance’s confidential technology is on the policy’s list', [
  'tpm-gce-technology-not-allowed',
  'tpm.gce.technologies',
])

/** GCE’s numbers of technologies (section 10.5); their order is no order of strength, so they are listed by name. */
const TECHNOLOGIES = ['none', 'sev', 'sev-es', 'tdx', 'sev-snp'] as const

const technologyOf = (boot: BootClaims | null): string | null => TECHNOLOGIES[boot?.gce_technology ?? -1] ?? null

/** TPM-58. */
export const firmware: TpmRule = ({ claims: { boot }, policy }) => [
  onList(SCRTM, boot?.scrtm_version ?? null, policy.scrtm_versions),
  eachOnList(BLOBS, boot?.firmware_blobs ?? null, policy.firmware_blobs),
  onList(TECHNOLOGY, technologyOf(boot), policy.gce.technologies),
]

const GRUB_FILES = asked('TPM-41', 'Every file that GRUB read is on the policy’s list', ['tpm-boot-app-not-allowed', 'tpm.grub_files'])
const INITRDS = asked('TPM-41', 'Every initrd is on the policy’s list', ['tpm-boot-app-not-allowed', 'tpm.initrds'])

/** Files behind the boot loader (sections 10.4 and 11). */
export const bootFiles: TpmRule = ({ claims: { boot }, policy }) => [
  eachOnList(GRUB_FILES, boot?.grub_files ?? null, policy.grub_files),
  eachOnList(INITRDS, boot?.initrds ?? null, policy.initrds),
]

const MOK_NAMES = ['MokList', 'MokListX', 'MokListTrusted'] as const

/** Keys that a machine’s owner gave to shim (PCR 14). */
export const machineOwnerKeys: TpmRule = ({ claims: { boot }, policy: { mok = {} } }) =>
  MOK_NAMES.flatMap((name) => {
    const listed = mok[name]
    if (listed === undefined) return []
    const question = asked('TPM-53', `${name} is on the policy’s list`, ['tpm-secureboot-keys-not-allowed', `tpm.mok.${name}`])
    return [onList(question, boot?.mok?.[name] ?? null, listed)]
  })
