import type { ProblemCode } from '../../verifiers/problems.ts'
import type { SnpClaims } from '../../verifiers/snp/claims.ts'
import type { Check } from '../../verifiers/verifier.ts'
import type { Question } from '../check.ts'
import { answers, judge, notAsked } from '../check.ts'
import type { SnpPolicy } from '../policy.ts'
import type { SnpCase, SnpRule } from './rule.ts'

type Option = Exclude<keyof SnpPolicy['platform_info'], 'unknown_bits'>
type Bit = {
  readonly option: Option
  readonly field: Exclude<keyof SnpClaims['platform_info'], 'value' | 'unknown_bits'>
  readonly title: string
  readonly missing: ProblemCode
  readonly forbidden: ProblemCode
}

/** PLATFORM_INFO in the order of its bits (section 1.2). */
const BITS: readonly Bit[] = [
  {
    option: 'smt',
    field: 'smt_enabled',
    title: 'PLATFORM_INFO: SMT',
    missing: 'snp-platform-smt-missing',
    forbidden: 'snp-platform-smt-forbidden',
  },
  {
    option: 'tsme',
    field: 'tsme_enabled',
    title: 'PLATFORM_INFO: TSME',
    missing: 'snp-platform-tsme-missing',
    forbidden: 'snp-platform-tsme-forbidden',
  },
  {
    option: 'ecc',
    field: 'ecc_enabled',
    title: 'PLATFORM_INFO: ECC',
    missing: 'snp-platform-ecc-missing',
    forbidden: 'snp-platform-ecc-forbidden',
  },
  {
    option: 'rapl_disabled',
    field: 'rapl_disabled',
    title: 'PLATFORM_INFO: RAPL disabled',
    missing: 'snp-platform-rapl-missing',
    forbidden: 'snp-platform-rapl-forbidden',
  },
  {
    option: 'ciphertext_hiding',
    field: 'ciphertext_hiding_enabled',
    title: 'PLATFORM_INFO: ciphertext hiding',
    missing: 'snp-platform-ciphertext-hiding-missing',
    forbidden: 'snp-platform-ciphertext-hiding-forbidden',
  },
  {
    option: 'alias_check',
    field: 'alias_check_complete',
    title: 'PLATFORM_INFO: alias check complete',
    missing: 'snp-platform-alias-check-missing',
    forbidden: 'snp-platform-alias-check-forbidden',
  },
  {
    option: 'tio',
    field: 'tio_enabled',
    title: 'PLATFORM_INFO: SEV-TIO',
    missing: 'snp-platform-tio-missing',
    forbidden: 'snp-platform-tio-forbidden',
  },
]

const UNKNOWN: Question = {
  id: 'SNP-68',
  title: 'PLATFORM_INFO has no undocumented bit set',
  code: 'snp-platform-unknown-bits',
  origin: 'policy',
  rule: 'snp.platform_info.unknown_bits',
}

/** SNP-68. */
export const platformBits: SnpRule = (subject) => [...answers(BITS, subject, tristate), unknownBits(subject)]

function unknownBits({ claims, policy }: SnpCase): Check {
  const actual = claims.platform_info.unknown_bits
  if (policy.platform_info.unknown_bits === 'allow') return notAsked(UNKNOWN, actual)
  return judge(UNKNOWN, BigInt(actual) === 0n, { actual, expected: '0x0' })
}

function tristate(bit: Bit, { claims, policy }: SnpCase): Check {
  const [word, isSet] = [policy.platform_info[bit.option], claims.platform_info[bit.field]]
  const code = word === 'forbid' ? bit.forbidden : bit.missing
  const asked: Question = { id: 'SNP-68', title: bit.title, code, origin: 'policy', rule: `snp.platform_info.${bit.option}` }
  const actual = isSet ? 'set' : 'clear'
  if (word === 'any') return notAsked(asked, actual)
  return judge(asked, isSet === (word === 'require'), { actual, expected: word === 'require' ? 'set' : 'clear' })
}
