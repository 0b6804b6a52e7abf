import type { PlatformClaims } from '../../verifiers/tdx/claims.ts'
import type { Check } from '../../verifiers/verifier.ts'
import { judge, notAsked, oneOf, type Question } from '../check.ts'
import { askedOfBoth, type IntelCase, type IntelQuestion, type IntelRule } from './rule.ts'

/** Titles of questions about the machine itself, and about the kind of machine (TDX-81 has both). */
export const MACHINE_TITLES: readonly string[] = ['The PPID is on the policy’s list', 'The platform instance is on the policy’s list']
/** See {@link MACHINE_TITLES}. */
export const FAMILY_TITLE = 'The family of platforms is on the policy’s list'

type Identity = {
  readonly list: 'fmspcs' | 'ppids' | 'platform_instance_ids'
  readonly field: 'fmspc' | 'ppid' | 'platform_instance_id'
  readonly question: IntelQuestion
}

const listedPlatform = (list: Identity['list'], title = ''): IntelQuestion =>
  askedOfBoth('TDX-81', title, ['tdx-platform-not-allowed', `platform.${list}`])

const IDENTITIES: readonly Identity[] = [
  { list: 'fmspcs', field: 'fmspc', question: listedPlatform('fmspcs', FAMILY_TITLE) },
  { list: 'ppids', field: 'ppid', question: listedPlatform('ppids', MACHINE_TITLES[0]) },
  { list: 'platform_instance_ids', field: 'platform_instance_id', question: listedPlatform('platform_instance_ids', MACHINE_TITLES[1]) },
]

/** TDX-81. A certificate that does not name the instance is none of the listed ones. */
export const platformLists: IntelRule = ({ of, claims: { platform }, policy }) =>
  IDENTITIES.map(({ list, field, question: { [of]: question } }) => {
    const [actual, listed] = [platform[field], policy.platform[list]]
    if (listed === undefined) return notAsked(question, actual ?? 'none')
    return judge(question, actual !== null && listed.includes(actual), { actual: actual ?? 'none', expected: oneOf(listed) })
  })

const configured = (option: string, title: string): IntelQuestion =>
  askedOfBoth('TDX-82', title, ['tdx-platform-configuration-not-allowed', `platform.${option}`])

/** From the weakest: memory may be replayed or changed from outside, or encrypted only, or protected against changes, too. */
const SGX_TYPES: readonly PlatformClaims['sgx_type'][] = ['Standard', 'Scalable', 'ScalableWithIntegrity']
const MEMORY = configured('min_sgx_type', 'The platform protects its memory as the policy asks')

type Flag = { readonly option: 'smt' | 'dynamic_platform' | 'cached_keys'; readonly field: FlagField; readonly question: IntelQuestion }
type FlagField = 'smt_enabled' | 'dynamic_platform' | 'cached_keys'

const FLAGS: readonly Flag[] = [
  { option: 'smt', field: 'smt_enabled', question: configured('smt', 'SMT is as the policy asks') },
  {
    option: 'dynamic_platform',
    field: 'dynamic_platform',
    question: configured('dynamic_platform', 'Dynamic platform is as the policy asks'),
  },
  { option: 'cached_keys', field: 'cached_keys', question: configured('cached_keys', 'Cached keys are as the policy asks') },
]

/** TDX-82. */
export const platformConfiguration: IntelRule = (subject) => [memory(subject), ...FLAGS.map((flag) => configuration(flag, subject))]

function memory({ of, claims: { platform }, policy }: IntelCase): Check {
  const [actual, least] = [platform.sgx_type, policy.platform.min_sgx_type]
  if (least === 'Standard') return notAsked(MEMORY[of], actual)
  return judge(MEMORY[of], SGX_TYPES.indexOf(actual) >= SGX_TYPES.indexOf(least), { actual, expected: `at least ${least}` })
}

const STATES = new Map([
  [true, 'on'],
  [false, 'off'],
  [null, 'not told'],
])

/** What the certificate does not tell is neither on nor off (section 3.3). */
function configuration({ option, field, question: asking }: Flag, { of, claims: { platform }, policy }: IntelCase): Check {
  const question = asking[of]
  const [state, word] = [platform[field], policy.platform[option]]
  const actual = STATES.get(state) ?? 'not told'
  if (word === 'any') return notAsked(question, actual)
  return judge(question, state === (word === 'require'), { actual, expected: word === 'require' ? 'on' : 'off' })
}

const PCESVN = askedOfBoth('TDX-80', 'PCESVN reaches the policy’s minimum', ['tdx-pcesvn-too-low', 'platform.min_pcesvn'])
const QE_SVN = askedOfBoth('TDX-80', 'ISVSVN of the quoting enclave reaches the policy’s minimum', [
  'tdx-qe-isvsvn-too-low',
  'platform.min_qe_isvsvn',
])

/** minPceSvn and minQeSvn of section 7, from where they are signed: the PCK certificate and the QE report. */
export const quotingMinima: IntelRule = ({ of, claims: { platform, qe }, policy: { platform: policy } }) => [
  atLeast(PCESVN[of], platform.pcesvn, policy.min_pcesvn),
  atLeast(QE_SVN[of], qe.isv_svn, policy.min_qe_isvsvn),
]

const atLeast = (question: Question, actual: number, least: number | undefined): Check =>
  least === undefined
    ? notAsked(question, `${actual}`)
    : judge(question, actual >= least, { actual: `${actual}`, expected: `at least ${least}` })
