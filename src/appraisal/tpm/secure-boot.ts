import type { BootClaims, SecureBootClaims, SignatureDatabase } from '../../verifiers/tpm/boot/claims.ts'
import { judge, notAsked, oneOf, type Question } from '../check.ts'
import type { TpmPolicy } from '../policy.ts'
import { asked, eachOnList, told, type TpmRule } from './rule.ts'

const ENABLED = asked('TPM-52', 'Secure Boot was in effect', ['tpm-secureboot-disabled', 'tpm.secure_boot.enabled'])

const stateOf = (found: SecureBootClaims | null): string => (found === null ? 'not proven' : found.enabled ? 'on' : 'off')

/** TPM-52. */
export const enabled: TpmRule = ({ claims: { boot }, policy: { secure_boot: policy } }) => {
  const found = boot?.secure_boot ?? null
  const actual = stateOf(found)
  return [policy.enabled === 'any' ? notAsked(ENABLED, actual) : judge(ENABLED, found?.enabled === true, { actual, expected: 'on' })]
}

const DEBUG = asked('TPM-51', 'The firmware was in debug mode', ['tpm-uefi-debug-mode', 'tpm.secure_boot.debug_mode'])
const DMA = asked('TPM-51', 'The firmware left memory open to devices', [
  'tpm-dma-protection-disabled',
  'tpm.secure_boot.dma_protection_disabled',
])

type Mode = {
  readonly question: Question
  /** Whether the policy asks. */
  readonly isAsked: (policy: TpmPolicy['secure_boot'], boot: BootClaims | null) => boolean
  readonly isOn: (found: SecureBootClaims) => boolean
}

const MODES: readonly Mode[] = [
  {
    question: DEBUG,
    // Denied unless the policy allows it by name, so asked where there is a log: policies without one have not chosen this.
    isAsked: ({ debug_mode: word }, boot) => word === 'deny' && boot !== null,
    isOn: ({ debug_mode: isOn }) => isOn,
  },
  {
    question: DMA,
    isAsked: ({ dma_protection_disabled: word }) => word === 'deny',
    isOn: ({ dma_protection_disabled: isOn }) => isOn,
  },
]

/** TPM-51. What a log does not prove of PCR 7 is not denied by it: whoever quotes could leave the register out. */
export const firmwareModes: TpmRule = ({ claims: { boot }, policy: { secure_boot: policy } }) => {
  const found = boot?.secure_boot ?? null
  return MODES.map(({ question, isAsked, isOn }) => {
    const [actual, holds] = found === null ? ['not known', false] : isOn(found) ? ['yes', false] : ['no', true]
    return isAsked(policy, boot) ? judge(question, holds, { actual, expected: 'no' }) : notAsked(question, actual)
  })
}

const DATABASES = ['pk', 'kek', 'db'] as const

/** Entries that are no certificate are on no list of certificates: a digest in db lets a program boot, too. */
const entriesOf = ({ certificates, sha256, unhandled }: SignatureDatabase): readonly string[] => [
  ...certificates,
  ...sha256,
  ...(unhandled > 0 ? [`${unhandled} of another kind`] : []),
]

/** TPM-53: the keys of Secure Boot. */
export const keys: TpmRule = ({ claims: { boot }, policy: { secure_boot: policy } }) =>
  DATABASES.map((name) => {
    const question = asked('TPM-53', `Every entry of ${name.toUpperCase()} is on the policy’s list`, [
      'tpm-secureboot-keys-not-allowed',
      `tpm.secure_boot.${name}`,
    ])
    const database = boot?.secure_boot?.[name]
    return eachOnList(question, database === undefined ? null : entriesOf(database), policy[name])
  })

const DBX = asked('TPM-53', 'dbx holds what the policy wants to be forbidden', ['tpm-secureboot-dbx-outdated', 'tpm.secure_boot.dbx'])

/** TPM-53: the superset test of dbx. */
export const forbidden: TpmRule = ({ claims: { boot }, policy: { secure_boot: policy } }) => {
  const dbx = boot?.secure_boot?.dbx
  const held = new Set(dbx === undefined ? [] : [...dbx.sha256, ...dbx.certificates])
  if (policy.dbx === undefined) return [notAsked(DBX, `${held.size} entries`)]
  const missing = policy.dbx.filter((entry) => !held.has(entry))
  const actual = dbx === undefined ? 'not known' : `${held.size} entries, of which ${missing.length} wanted ones are missing`
  return [judge(DBX, dbx !== undefined && missing.length === 0, { actual, expected: oneOf(policy.dbx), lacks: `lacks ${told(missing)}` })]
}

const AUTHORITIES = asked('TPM-53', 'Every certificate that let something boot is on the policy’s list', [
  'tpm-secureboot-authority-not-allowed',
  'tpm.secure_boot.authorities',
])

/** Without Secure Boot the firmware boots whatever it finds, and that may extend PCR 7 with the authorities and levels that it likes. */
const inEffect = (boot: BootClaims | null): SecureBootClaims | undefined =>
  boot?.secure_boot?.enabled === true ? boot.secure_boot : undefined

/** TPM-53: which keys were used. */
export const authorities: TpmRule = ({ claims: { boot }, policy: { secure_boot: policy } }) => {
  const found = inEffect(boot)
  return [eachOnList(AUTHORITIES, found?.authorities.map(({ sha256 }) => sha256) ?? null, policy.authorities)]
}

const SBAT = asked('TPM-53', 'The SbatLevel is not older than the policy wants', [
  'tpm-secureboot-dbx-outdated',
  'tpm.secure_boot.min_sbat_level',
])

/** First line `sbat,<generation>,<date>`. */
const LEVEL = /^sbat,[0-9]+,(?<date>20[0-9]{8})\n/

const dateOf = (found: SecureBootClaims | undefined): string | undefined => LEVEL.exec(found?.sbat_level ?? '')?.groups?.['date']

/** TPM-53: shim’s list of revoked generations, by its date. */
export const sbat: TpmRule = ({ claims: { boot }, policy: { secure_boot: policy } }) => {
  const date = dateOf(inEffect(boot))
  const [actual, least] = [date ?? 'not known', policy.min_sbat_level]
  if (least === undefined) return [notAsked(SBAT, actual)]
  return [judge(SBAT, date !== undefined && date >= least, { actual, expected: `at least ${least}` })]
}
