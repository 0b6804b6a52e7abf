import type { ProblemCode } from '../../verifiers/problems.ts'
import type { Check } from '../../verifiers/verifier.ts'
import type { Question } from '../check.ts'
import { answers, judge, notAsked, oneOf } from '../check.ts'
import type { SnpCase, SnpRule } from './rule.ts'

const question = (option: string, title: string, code: ProblemCode): Question => ({
  id: 'SNP-67',
  title,
  code,
  origin: 'policy',
  rule: `snp.${option}`,
})

type Forbiddable = { readonly option: 'smt' | 'migrate_ma' | 'debug' | 'cxl'; readonly question: Question }

/** What a guest may not allow its host (section 1.1): members of `guest_policy` whose word is `deny`. */
const FORBIDDABLE: readonly Forbiddable[] = [
  { option: 'smt', question: question('guest_policy.smt', 'The guest does not allow SMT', 'snp-policy-smt-allowed') },
  {
    option: 'migrate_ma',
    question: question('guest_policy.migrate_ma', 'The guest does not allow a migration agent', 'snp-policy-migrate-ma-allowed'),
  },
  {
    option: 'debug',
    question: question('guest_policy.debug', 'The guest does not allow debugging by its host', 'snp-policy-debug-allowed'),
  },
  { option: 'cxl', question: question('guest_policy.cxl', 'The guest does not allow CXL memory', 'snp-policy-cxl-allowed') },
]

type Insisted = 'single_socket' | 'mem_aes_256_xts' | 'rapl_dis' | 'ciphertext_hiding' | 'page_swap_disable'

type Requirable = { readonly option: Insisted; readonly question: Question }

/** What a guest must insist on: members of `guest_policy` whose word is `require`. */
const REQUIRABLE: readonly Requirable[] = [
  {
    option: 'single_socket',
    question: question('guest_policy.single_socket', 'The guest insists on a single socket', 'snp-policy-single-socket-missing'),
  },
  {
    option: 'mem_aes_256_xts',
    question: question('guest_policy.mem_aes_256_xts', 'The guest insists on AES-256-XTS', 'snp-policy-aes256-xts-missing'),
  },
  {
    option: 'rapl_dis',
    question: question('guest_policy.rapl_dis', 'The guest insists that RAPL is disabled', 'snp-policy-rapl-dis-missing'),
  },
  {
    option: 'ciphertext_hiding',
    question: question('guest_policy.ciphertext_hiding', 'The guest insists on ciphertext hiding', 'snp-policy-ciphertext-hiding-missing'),
  },
  {
    option: 'page_swap_disable',
    question: question(
      'guest_policy.page_swap_disable',
      'The guest insists that page swapping is disabled',
      'snp-policy-page-swap-disable-missing',
    ),
  },
]

/** SNP-67: the bits of POLICY. */
export const guestPolicyBits: SnpRule = (subject) => [
  ...answers(FORBIDDABLE, subject, forbidden),
  ...answers(REQUIRABLE, subject, required),
]

function forbidden({ question: asked, option }: Forbiddable, { claims, policy }: SnpCase): Check {
  const isAllowed = claims.policy[`${option}_allowed`]
  const actual = isAllowed ? 'allowed' : 'not allowed'
  if (policy.guest_policy[option] !== 'deny') return notAsked(asked, actual)
  return judge(asked, !isAllowed, { actual, expected: 'not allowed' })
}

function required({ question: asked, option }: Requirable, { claims, policy }: SnpCase): Check {
  const isRequired = claims.policy[option]
  const actual = isRequired ? 'required' : 'not required'
  if (policy.guest_policy[option] !== 'require') return notAsked(asked, actual)
  return judge(asked, isRequired, { actual, expected: 'required' })
}

const ABI = question('guest_policy.min_abi', 'The guest’s minimum ABI version reaches the policy’s', 'snp-policy-abi-too-low')
const VALUE = question('policy_values', 'POLICY is one of the values that the policy lists', 'snp-policy-value-mismatch')

/** SNP-67: the ABI version that the guest insists on, and POLICY as a whole. */
export const guestPolicyValues: SnpRule = (subject) => [abi(subject), exactValue(subject)]

function abi({ claims: { policy: guest }, policy }: SnpCase): Check {
  const [actual, least] = [`${guest.abi_major}.${guest.abi_minor}`, policy.guest_policy.min_abi]
  if (least === undefined) return notAsked(ABI, actual)
  const [major = 0, minor = 0] = least.split('.').map(Number)
  const reached = guest.abi_major > major || (guest.abi_major === major && guest.abi_minor >= minor)
  return judge(ABI, reached, { actual, expected: `at least ${least}` })
}

function exactValue({ claims, policy }: SnpCase): Check {
  const [actual, listed] = [claims.policy.value, policy.policy_values]
  if (listed === undefined) return notAsked(VALUE, actual)
  const known = listed.some((value) => BigInt(value) === BigInt(actual))
  return judge(VALUE, known, { actual, expected: oneOf(listed) })
}
