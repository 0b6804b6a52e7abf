import type { Check } from '../../verifiers/verifier.ts'
import { judge, notAsked, oneOf, type Question } from '../check.ts'
import { isListed, type Listed } from '../listed.ts'
import { asked } from '../tdx/rule.ts'
import type { SgxCase, SgxRule } from './rule.ts'

/** Title of the question about DEBUG. */
export const DEBUG_TITLE = 'The enclave cannot be debugged by its host'

const DEBUG = asked('TDX-89', DEBUG_TITLE, ['sgx-debug', 'sgx.debug'])

/** TDX-89. No check of Intel’s looks at this bit (section 5.5). */
export const debug: SgxRule = ({ claims, policy }) => {
  const actual = claims.debug ? 'set' : 'clear'
  return [policy.debug === 'deny' ? judge(DEBUG, !claims.debug, { actual, expected: 'clear' }) : notAsked(DEBUG, actual)]
}

/** Titles of the questions by which code is recognised. */
export const IDENTITY_TITLES = [
  'MRENCLAVE is on the policy’s list',
  'MRSIGNER is on the policy’s list',
  'ISVPRODID is on the policy’s list',
  'The policy says which enclaves may run',
] as const

const MRENCLAVE = asked('TDX-89', IDENTITY_TITLES[0], ['sgx-mrenclave-not-allowed', 'sgx.mr_enclave'])
const MRSIGNER = asked('TDX-89', IDENTITY_TITLES[1], ['sgx-mrsigner-not-allowed', 'sgx.mr_signer'])
const ISVPRODID = asked('TDX-89', IDENTITY_TITLES[2], ['sgx-isvprodid-not-allowed', 'sgx.isv_prod_id'])
const STATED = asked('TDX-89', IDENTITY_TITLES[3], ['sgx-identity-policy-missing', 'sgx.mr_enclave'])

/** TDX-89. A signer signs many enclaves, so MRSIGNER says which code runs only together with ISVPRODID (section 7). */
export const identity: SgxRule = (subject) => [
  ...stated(subject),
  mrEnclave(subject),
  listed(MRSIGNER, subject.claims.mr_signer, subject.policy.mr_signer),
  product(subject),
]

function stated({ claims, policy: { mr_enclave, mr_signer, isv_prod_id } }: SgxCase): readonly Check[] {
  if (mr_enclave !== undefined || (mr_signer !== undefined && isv_prod_id !== undefined)) return []
  return [judge(STATED, false, { actual: claims.mr_enclave, expected: 'mr_enclave, or mr_signer with isv_prod_id, in the policy' })]
}

function mrEnclave({ claims: { mr_enclave: actual }, policy: { mr_enclave: accepted } }: SgxCase): Check {
  return accepted === 'DANGEROUSLY_ACCEPT_ANY' ? notAsked(MRENCLAVE, actual) : listed(MRENCLAVE, actual, accepted)
}

const listed = (question: Question, actual: string, accepted: Listed | undefined): Check =>
  accepted === undefined ? notAsked(question, actual) : judge(question, isListed(accepted, actual), { actual, expected: oneOf(accepted) })

function product({ claims: { isv_prod_id: actual }, policy: { isv_prod_id: accepted } }: SgxCase): Check {
  if (accepted === undefined) return notAsked(ISVPRODID, `${actual}`)
  return judge(ISVPRODID, accepted.includes(actual), { actual: `${actual}`, expected: oneOf(accepted) })
}

const ISVSVN = asked('TDX-89', 'ISVSVN reaches the policy’s minimum', ['sgx-isvsvn-too-low', 'sgx.min_isv_svn'])

/** TDX-89, minIsvSvn of section 7. */
export const isvSvn: SgxRule = ({ claims: { isv_svn: actual }, policy: { min_isv_svn: least } }) =>
  least === undefined
    ? [notAsked(ISVSVN, `${actual}`)]
    : [judge(ISVSVN, actual >= least, { actual: `${actual}`, expected: `at least ${least}` })]
