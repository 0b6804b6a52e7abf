import type { ProblemCode } from '../../verifiers/problems.ts'
import type { Check } from '../../verifiers/verifier.ts'
import { judge, notAsked, oneOf, type Question } from '../check.ts'
import { hex64, isZero, littleEndian } from './bits.ts'
import { asked, type TdxCase, type TdxRule } from './rule.ts'

/** Bits 7:0: a TD with any of them is an untrusted one (section 6.1). */
const TUD = 0xffn
const DEBUG = 0x1n
/** Every bit that has a name in section 6.1, and the rest of the TUD group. */
const KNOWN = 0xc0000000f8030071n | TUD

/** Bits that must be clear, as a mask of the whole word, unless the policy dangerously allows them. */
type Group = {
  readonly option: 'debug' | 'other_tud_bits' | 'reserved_bits'
  readonly mask: bigint
  readonly question: Question
}

const GROUPS: readonly Group[] = [
  {
    option: 'debug',
    mask: DEBUG,
    question: asked('TDX-67', 'The TD cannot be debugged by its host', ['tdx-td-debug', 'tdx.td_attributes.debug']),
  },
  {
    option: 'other_tud_bits',
    mask: TUD & ~DEBUG,
    question: asked('TDX-67', 'The TD runs under no profiling or other TUD attribute', [
      'tdx-td-tud-bits-set',
      'tdx.td_attributes.other_tud_bits',
    ]),
  },
  {
    option: 'reserved_bits',
    mask: BigInt.asUintN(64, ~KNOWN),
    question: asked('TDX-68', 'No reserved bit of TDATTRIBUTES is set', ['tdx-td-attributes-reserved', 'tdx.td_attributes.reserved_bits']),
  },
]

/** TDX-67 and TDX-68. */
export const untrustedBits: TdxRule = ({ claims, policy }) => {
  const word = littleEndian(claims.td_attributes.value)
  return GROUPS.map(({ option, mask, question }) => {
    const actual = hex64(word & mask)
    return policy.td_attributes[option] === 'deny'
      ? judge(question, (word & mask) === 0n, { actual, expected: '0x0' })
      : notAsked(question, actual)
  })
}

/** Whether any bit makes the TD an untrusted one, which its host may look into. */
export const isUntrusted = ({ td_attributes }: TdxCase['claims']): boolean => (littleEndian(td_attributes.value) & TUD) !== 0n

const SEPT = asked('TDX-69', 'SEPT_VE_DISABLE is set, or the policy accepts that it is not', [
  'tdx-sept-ve-disable-required',
  'tdx.td_attributes.sept_ve_disable',
])

/** TDX-69. */
export const septVeDisable: TdxRule = ({ claims, policy }) => {
  const isSet = claims.td_attributes.sept_ve_disable
  const actual = isSet ? 'set' : 'clear'
  if (policy.td_attributes.sept_ve_disable === 'any') return [notAsked(SEPT, actual)]
  const paravisor = policy.td_attributes.sept_ve_disable === 'azure-paravisor'
  const expected = paravisor ? 'set, or clear with all RTMRs zero' : 'set'
  return [judge(SEPT, isSet || (paravisor && hasZeroRtmrs(claims)), { actual, expected })]
}

/** Whether nothing was ever extended: a paravisor that measures into a vTPM leaves the registers so (section 8.4). */
export const hasZeroRtmrs = ({ rtmr0, rtmr1, rtmr2, rtmr3 }: TdxCase['claims']): boolean => [rtmr0, rtmr1, rtmr2, rtmr3].every(isZero)

type Deniable = 'migratable' | 'icssd' | 'servtd_ext' | 'lass' | 'pks' | 'kl' | 'tpa' | 'perfmon'

const without = (id: string, option: Deniable, code: ProblemCode = 'tdx-td-attributes-not-allowed') => ({
  option,
  question: asked(id, `The TD runs without ${option.toUpperCase()}`, [code, `tdx.td_attributes.${option}`]),
})

/** TDX-70 and TDX-71: bits whose word is `allow` or `deny`. */
const DENIABLE: readonly { readonly option: Deniable; readonly question: Question }[] = [
  without('TDX-70', 'migratable', 'tdx-td-migratable-not-allowed'),
  without('TDX-71', 'icssd'),
  without('TDX-71', 'servtd_ext'),
  without('TDX-71', 'lass'),
  without('TDX-71', 'pks'),
  without('TDX-71', 'kl'),
  without('TDX-71', 'tpa'),
  without('TDX-71', 'perfmon'),
]

const VALUE = asked('TDX-71', 'TDATTRIBUTES is one of the values that the policy lists', [
  'tdx-td-attributes-not-allowed',
  'tdx.td_attributes.values',
])

/** TDX-70, TDX-71. */
export const deniableBits: TdxRule = (subject) => [
  ...DENIABLE.map(({ option, question }) => clear(question, option, subject)),
  attributesValue(subject),
]

function clear(question: Question, option: Deniable, { claims, policy }: TdxCase): Check {
  const isSet = claims.td_attributes[option]
  const actual = isSet ? 'set' : 'clear'
  return policy.td_attributes[option] === 'deny' ? judge(question, !isSet, { actual, expected: 'clear' }) : notAsked(question, actual)
}

function attributesValue({ claims, policy: { td_attributes: policy } }: TdxCase): Check {
  const word = littleEndian(claims.td_attributes.value)
  if (policy.values === undefined) return notAsked(VALUE, hex64(word))
  return judge(
    VALUE,
    policy.values.some((value) => BigInt(value) === word),
    { actual: hex64(word), expected: oneOf(policy.values) },
  )
}
