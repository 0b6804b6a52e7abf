import type { Check } from '../../verifiers/verifier.ts'
import { judge, notAsked, oneOf } from '../check.ts'
import { asked, onList, type TpmRule } from './rule.ts'

const AUTHORITY = asked('TPM-19', 'The authority that vouches for the attestation key is on the policy’s list', [
  'tpm-ak-untrusted',
  'tpm.authorities',
])

/** The policy’s part of TPM-19. A key that no certificate vouches for is on no such list. */
export const authority: TpmRule = ({ claims: { ak_certificate: certificate }, policy: { authorities } }) => [
  onList(AUTHORITY, certificate?.authority ?? null, authorities),
]

const ALGORITHM = asked('TPM-12', 'The attestation key is of an algorithm on the policy’s list', ['tpm-ak-key-weak', 'tpm.algorithms'])
const SCHEME = asked('TPM-13', 'The quote is signed by a scheme on the policy’s list', ['tpm-signature-scheme-mismatch', 'tpm.schemes'])

/** The policy’s part of TPM-12 and TPM-13. */
export const algorithms: TpmRule = ({ claims: { ak }, policy }) => [
  onList(ALGORITHM, ak.algorithm, policy.algorithms),
  onList(SCHEME, ak.scheme, policy.schemes),
]

/** Title of the question about one machine. */
export const INSTANCE_TITLE = 'The instance is on the policy’s list'

const GCE = [
  ['project_ids', 'The project is on the policy’s list', 'project_id'],
  ['project_numbers', 'The number of the project is on the policy’s list', 'project_number'],
  ['zones', 'The zone is on the policy’s list', 'zone'],
  ['instance_ids', INSTANCE_TITLE, 'instance_id'],
] as const

/** The policy’s part of TPM-24. A host of another cloud is on no such list. */
export const gceIdentity: TpmRule = ({ claims: { gce }, policy }) =>
  GCE.map(([option, title, claim]) =>
    onList(asked('TPM-24', title, ['tpm-gce-identity-not-allowed', `tpm.gce.${option}`]), gce?.[claim] ?? null, policy.gce[option]),
  )

const FIRMWARE = asked('TPM-40', 'The TPM’s firmware is on the policy’s list', ['tpm-firmware-not-allowed', 'tpm.firmware_versions'])
const MINIMUM = asked('TPM-40', 'The TPM’s firmware is not older than the policy wants', [
  'tpm-firmware-not-allowed',
  'tpm.min_firmware_version',
])

/** TPM-40. Outside the endorsement hierarchy a TPM hides its version behind a secret, so what it tells is no version (section 5). */
export const tpmFirmware: TpmRule = ({ claims, policy }) => {
  const known = claims.firmware_version_reliable ? claims.firmware_version : null
  return [onList(FIRMWARE, known, policy.firmware_versions), minimum(known, policy.min_firmware_version)]
}

/** Equal lengths of hex compare as numbers do. */
const minimum = (known: string | null, least: string | undefined): Check =>
  least === undefined
    ? notAsked(MINIMUM, known ?? 'not known')
    : judge(MINIMUM, known !== null && known >= least, { actual: known ?? 'not known', expected: `at least ${least}` })

const SAFE = asked('TPM-39', 'The TPM vouches for its clock', ['tpm-clock-unsafe', 'tpm.clock.safe'])
const REBOOT = asked('TPM-39', 'The host was not rebooted since its last quote', ['tpm-reboot-not-allowed', 'tpm.clock.reboot'])

const REBOOTED = new Map([
  [true, 'rebooted'],
  [false, 'not rebooted'],
  [null, 'first quote of this key'],
])

/** The policy’s part of TPM-39. The first quote of a key follows no other. */
export const clock: TpmRule = ({ claims: { clock: found }, policy }) => {
  const [safe, rebooted] = [found.safe ? 'safe' : 'not safe', REBOOTED.get(found.rebooted) ?? 'not known']
  return [
    policy.clock.safe === 'any' ? notAsked(SAFE, safe) : judge(SAFE, found.safe, { actual: safe, expected: 'safe' }),
    policy.clock.reboot === 'allow'
      ? notAsked(REBOOT, rebooted)
      : judge(REBOOT, found.rebooted !== true, { actual: rebooted, expected: oneOf(['not rebooted', 'first quote of this key']) }),
  ]
}
