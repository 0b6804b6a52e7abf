import { createHash } from 'node:crypto'
import type { TpmClaims } from '../../verifiers/tpm/claims.ts'
import type { Check } from '../../verifiers/verifier.ts'
import { judge, notAsked, oneOf } from '../check.ts'
import { isListed, type Listed } from '../listed.ts'
import type { TpmPolicy } from '../policy.ts'
import { covers } from '../rule-paths.ts'
import { asked, type TpmRule } from './rule.ts'

const PCRS = asked('TPM-41', 'PCRs have values on the policy’s lists', ['tpm-pcr-value-not-allowed', 'tpm.pcrs'])

/** A PCR that was not quoted counts as a mismatch (specification tpm.md section 15). */
const valueOf = (claims: TpmClaims, index: string): string | undefined =>
  Object.hasOwn(claims.pcrs, index) ? claims.pcrs[index] : undefined

const registersOf = ({ pcrs }: TpmPolicy, bank: TpmClaims['bank']): readonly (readonly [index: string, listed: Listed])[] =>
  bank === 'sha1' ? [] : Object.entries(pcrs?.[bank] ?? {})

/** TPM-41, each listed register of the bank that is relied on. */
export const pcrValues: TpmRule = ({ claims, policy }) => {
  if (policy.pcrs === undefined) return [notAsked(PCRS, `bank ${claims.bank}`)]
  const checks = registersOf(policy, claims.bank).map(([index, listed]) => {
    const path = `tpm.pcrs.${claims.bank}.${index}`
    const actual = valueOf(claims, index)
    const code = actual === undefined ? 'tpm-pcr-not-quoted' : 'tpm-pcr-value-not-allowed'
    return judge(asked('TPM-41', `PCR ${index} has a value on the policy’s list`, [code, path]), isIn(listed, actual), {
      actual: actual ?? 'not quoted',
      expected: oneOf(listed),
    })
  })
  return checks.length > 0 ? checks : [judge(PCRS, false, { actual: `bank ${claims.bank}`, expected: 'a bank that the policy lists' })]
}

const isIn = (listed: Listed, actual: string | undefined): boolean => actual !== undefined && isListed(listed, actual)

/** TPM-60: registers that nothing was measured into. */
export const zeroPcrs: TpmRule = ({ claims, policy: { zero_pcrs: indexes = [] } }) =>
  indexes.map((index) => {
    const actual = valueOf(claims, String(index))
    const code = actual === undefined ? 'tpm-pcr-not-quoted' : 'tpm-pcr-value-not-allowed'
    return judge(asked('TPM-60', `Nothing was measured into PCR ${index}`, [code, 'tpm.zero_pcrs']), isZero(actual), {
      actual: actual ?? 'not quoted',
      expected: 'zero',
    })
  })

const isZero = (value: string | undefined): boolean => value !== undefined && /^0+$/.test(value)

/** TPM-60: registers that one known digest, and nothing else, was measured into. */
export const extendedOnce: TpmRule = ({ claims, policy: { extended_once: registers = {} } }) =>
  Object.entries(registers).map(([index, digests]) => extendedOnceCheck(claims, index, digests))

function extendedOnceCheck(claims: TpmClaims, index: string, digests: readonly string[]): Check {
  const actual = valueOf(claims, index)
  const bytes = (actual?.length ?? 0) / 2
  const fitting = digests.filter((digest) => digest.length === actual?.length)
  const reached = fitting.map((digest) =>
    createHash(claims.bank).update(new Uint8Array(bytes)).update(Buffer.from(digest, 'hex')).digest('hex'),
  )
  const code = actual === undefined ? 'tpm-pcr-not-quoted' : 'tpm-pcr-value-not-allowed'
  const question = asked('TPM-60', `PCR ${index} was extended once, with a digest on the policy’s list`, [code, 'tpm.extended_once'])
  return judge(question, actual !== undefined && reached.includes(actual), {
    actual: actual ?? 'not quoted',
    expected: `extended with ${oneOf(digests)}`,
  })
}

/** Title of the question whether a policy says which software may boot. */
export const BOOT_TITLE = 'The policy says what may boot'

const BOOT = asked('TPM-41', BOOT_TITLE, ['tpm-boot-policy-missing', 'tpm.unnamed_boot'])

/**
 * Something must say which software may boot: the value of PCR 4 or 7, a list of boot applications, or of keys that let one boot. A genuine quote
 * of an unknown boot proves nothing, and every other register may be extended by whatever was booted.
 */
export const bootIsNamed: TpmRule = ({ policy }) => {
  const names = namesBoot(policy)
  if (policy.unnamed_boot === 'DANGEROUSLY_ALLOW') return [notAsked(BOOT, names.join(', '))]
  return [
    judge(BOOT, names.length > 0, {
      actual: names.length > 0 ? names.join(', ') : 'nothing',
      expected: 'values of PCR 4 or 7, boot_applications, or secure_boot.authorities',
    }),
  ]
}

/** Into these the firmware measures what it boots, and by whose key, before it hands over: no loader can make up for what it is. */
const BOOT_PCRS: ReadonlySet<string> = new Set(['4', '7'])

const says = (listed: Listed): boolean => listed.some((entry) => typeof entry === 'object' || !isZero(entry))

/** What of a policy says which software may boot, apart from rules that only warn (by their paths, or those of groups). */
export function namesBoot(
  { pcrs, boot_applications: applications, secure_boot: secureBoot }: TpmPolicy,
  warn: readonly string[] = [],
): readonly string[] {
  const present = [
    ...(registersName(pcrs, warn) ? ['pcrs'] : []),
    ...(applications === undefined ? [] : ['boot_applications']),
    ...(secureBoot.authorities === undefined ? [] : ['secure_boot.authorities']),
  ]
  return present.filter((name) => !isWarned(`tpm.${name}`, warn))
}

const isWarned = (path: string, warn: readonly string[]): boolean => warn.some((group) => covers(group, path))

/** In every bank that the policy lists: hosts choose which of them they quote. */
function registersName(pcrs: TpmPolicy['pcrs'], warn: readonly string[]): boolean {
  const banks = Object.entries(pcrs ?? {})
  return banks.length > 0 && banks.every(([bank, registers]) => bankNames(`tpm.pcrs.${bank}`, registers, warn))
}

const bankNames = (path: string, registers: Readonly<Record<string, Listed>> | undefined, warn: readonly string[]): boolean =>
  Object.entries(registers ?? {}).some(([index, listed]) => BOOT_PCRS.has(index) && says(listed) && !isWarned(`${path}.${index}`, warn))
