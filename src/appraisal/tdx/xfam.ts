import type { Check } from '../../verifiers/verifier.ts'
import { judge, notAsked, oneOf, type Question } from '../check.ts'
import { hex64, littleEndian } from './bits.ts'
import { asked, type TdxCase, type TdxRule } from './rule.ts'

const architecture = (title: string): Question => ({ id: 'TDX-72', title, code: 'tdx-xfam-not-allowed', origin: 'specification' })

const X87_SSE = architecture('XFAM has x87 and SSE')
/** Features of which a part makes no sense (section 6.2). */
const TOGETHER: readonly { readonly mask: bigint; readonly question: Question }[] = [
  { mask: 0xe0n, question: architecture('XFAM has all of AVX-512 or none') },
  { mask: 0x1800n, question: architecture('XFAM has both parts of CET or none') },
  { mask: 0x60000n, question: architecture('XFAM has both parts of AMX or none') },
]

const ALLOWED = asked('TDX-72', 'XFAM has no feature that the policy does not allow', ['tdx-xfam-not-allowed', 'tdx.xfam.allowed'])
const REQUIRED = asked('TDX-72', 'XFAM has every feature that the policy requires', ['tdx-xfam-not-allowed', 'tdx.xfam.required'])
const VALUE = asked('TDX-72', 'XFAM is one of the values that the policy lists', ['tdx-xfam-not-allowed', 'tdx.xfam.values'])

/** TDX-72. */
export const extendedFeatures: TdxRule = ({ claims, policy: { xfam: policy } }) => {
  const word = littleEndian(claims.xfam.value)
  const actual = hex64(word)
  const hasAll = (mask: bigint): boolean => (word & mask) === mask
  return [
    judge(X87_SSE, hasAll(0x3n), { actual, expected: 'all bits of 0x3' }),
    ...TOGETHER.map(({ mask, question }) =>
      judge(question, (word & mask) === 0n || hasAll(mask), { actual, expected: `all bits of ${hex64(mask)} or none` }),
    ),
    judge(ALLOWED, (word & ~BigInt(policy.allowed)) === 0n, { actual, expected: `no bit outside ${hex64(BigInt(policy.allowed))}` }),
    policy.required === undefined
      ? notAsked(REQUIRED, actual)
      : judge(REQUIRED, hasAll(BigInt(policy.required)), { actual, expected: `all bits of ${hex64(BigInt(policy.required))}` }),
    listedValue(word, policy),
  ]
}

function listedValue(word: bigint, { values, ignored = '0x0' }: TdxCase['policy']['xfam']): Check {
  const actual = hex64(word)
  if (values === undefined) return notAsked(VALUE, actual)
  const compared = BigInt.asUintN(64, ~BigInt(ignored))
  const known = values.some((value) => (BigInt(value) & compared) === (word & compared))
  return judge(VALUE, known, { actual, expected: `${oneOf(values)} in the bits of ${hex64(compared)}` })
}
