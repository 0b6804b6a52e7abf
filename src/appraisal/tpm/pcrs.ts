import { createHash } from 'node:crypto'
import type { TpmClaims } from '../../verifiers/tpm/claims.ts'
import type { Check } from '../../verifiers/verifier.ts'
import { judge, notAsked, oneOf } from '../check.ts'
import { isListed, type Listed } from '../listed.ts'
import type { TpmPolicy } from '../policy.ts'
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

const BOOT = asked('TPM-41', 'The policy says what may boot', ['tpm-boot-policy-missing', 'tpm.unnamed_boot'])

/**
 * Something must say which software may boot: a register of boot or firmware with a value that is not zero, a list of boot applications, of
 * keys that let one boot, or a unified kernel image. A genuine quote of an unknown boot proves nothing.
 */
export const bootIsNamed: TpmRule = ({ policy }) => {
  const names = namesBoot(policy)
  if (policy.unnamed_boot === 'DANGEROUSLY_ALLOW') return [notAsked(BOOT, names.join(', '))]
  return [
    judge(BOOT, names.length > 0, {
      actual: names.length > 0 ? names.join(', ') : 'nothing',
      expected: 'values of PCR 0 to 14, boot_applications, secure_boot.authorities, or uki',
    }),
  ]
}

/** PCRs of firmware and boot: behind them come the application’s own, IMA’s, and what anybody may reset. */
const BOOT_PCRS: ReadonlySet<string> = new Set(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '11', '12', '13', '14'])

const says = (listed: Listed): boolean => listed.some((entry) => typeof entry === 'object' || !isZero(entry))

/** What of a policy says which software may boot. */
export function namesBoot({ pcrs, boot_applications: applications, secure_boot: secureBoot, uki }: TpmPolicy): readonly string[] {
  const registers = Object.values(pcrs ?? {}).flatMap((bank) => Object.entries(bank ?? {}))
  return [
    ...(registers.some(([index, listed]) => BOOT_PCRS.has(index) && says(listed)) ? ['pcrs'] : []),
    ...(applications === undefined ? [] : ['boot_applications']),
    ...(secureBoot.authorities === undefined ? [] : ['secure_boot.authorities']),
    ...(uki === undefined ? [] : ['uki']),
  ]
}
