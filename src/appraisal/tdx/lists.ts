import type { ProblemCode } from '../../verifiers/problems.ts'
import type { Check } from '../../verifiers/verifier.ts'
import { judge, notAsked, oneOf, type Question } from '../check.ts'
import { hasZeroRtmrs } from './attributes.ts'
import { isListed, type Listed } from '../listed.ts'
import { isZero } from './bits.ts'
import { asked, type TdxCase, type TdxRule } from './rule.ts'
import { told } from './words.ts'

const SERVICE = asked('TDX-73', 'No service TD is bound that the policy does not list', [
  'tdx-mrservicetd-not-allowed',
  'tdx.mr_service_td',
])

/**
 * TDX-73. A field of zeros, or one that this kind of report does not have, names no service TD; but where one may act on the TD (MIGRATABLE,
 * SERVTD_EXT), MRSERVICETD must say which, and be listed. The hashes that TD 1.5-Ex adds are held to the same list.
 */
export const serviceTds: TdxRule = ({ claims, policy: { mr_service_td: listed = [] } }) => {
  const { migratable, servtd_ext } = claims.td_attributes
  const hashes = [claims.mr_service_td, claims.init_servtd_hash, claims.cur_servtd_hash]
  const bound = hashes.filter((hash) => hash !== null).filter((hash) => !isZero(hash))
  const named = !(migratable || servtd_ext) || !isZero(claims.mr_service_td)
  const known = bound.every((hash) => listed.includes(hash))
  const expected = listed.length === 0 ? 'none' : `none but ${oneOf(listed)}`
  return [judge(SERVICE, named && known, { actual: told(bound), expected })]
}

const MRTD_TITLE = 'MRTD is on the policy’s list'

const MRTD = asked('TDX-74', MRTD_TITLE, ['tdx-mrtd-not-allowed', 'tdx.mr_td'])
const NO_MRTD = asked('TDX-74', MRTD_TITLE, ['tdx-mrtd-policy-missing', 'tdx.mr_td'])

/** TDX-74. Without a list nothing is accepted: a genuine quote of an unknown TD proves nothing. */
export const mrTd: TdxRule = ({ claims: { mr_td: actual }, policy: { mr_td: listed } }) => {
  if (listed === 'DANGEROUSLY_ACCEPT_ANY') return [notAsked(MRTD, actual)]
  if (listed === undefined) return [judge(NO_MRTD, false, { actual, expected: 'a list of MRTD values in the policy' })]
  return [judge(MRTD, isListed(listed, actual), { actual, expected: oneOf(listed) })]
}

const RTMRS = (['rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'] as const).map((register) => ({
  register,
  question: asked('TDX-75', `${register.toUpperCase()} is on the policy’s list`, ['tdx-rtmr-mismatch', `tdx.${register}`]),
}))

/** TDX-75. Where nothing was ever extended the registers say nothing, whatever a list holds (section 8.4). */
export const rtmrs: TdxRule = ({ claims, policy }) =>
  RTMRS.map(({ register, question }) => {
    const [actual, listed] = [claims[register], policy[register]]
    if (listed === undefined) return notAsked(question, actual)
    return judge(question, !hasZeroRtmrs(claims) && isListed(listed, actual), { actual, expected: oneOf(listed) })
  })

type ListedField = 'mr_seam' | 'mr_config_id' | 'mr_owner' | 'mr_owner_config'

const fieldRule = (field: ListedField, id: string, code: ProblemCode): TdxRule => {
  const question = asked(id, `${field.replaceAll('_', '').toUpperCase()} is on the policy’s list`, [code, `tdx.${field}`])
  return ({ claims, policy }) => [onList(question, claims[field], policy[field])]
}

const onList = (question: Question, actual: string, listed: Listed | undefined): Check =>
  listed === undefined ? notAsked(question, actual) : judge(question, isListed(listed, actual), { actual, expected: oneOf(listed) })

/** TDX-76, by measurement. */
export const mrSeam = fieldRule('mr_seam', 'TDX-76', 'tdx-mrseam-not-allowed')
/** TDX-77, the policy’s part. */
export const mrConfigId = fieldRule('mr_config_id', 'TDX-77', 'tdx-mrconfigid-mismatch')
/** TDX-78. */
export const mrOwner = fieldRule('mr_owner', 'TDX-78', 'tdx-mrowner-mismatch')
/** TDX-78. */
export const mrOwnerConfig = fieldRule('mr_owner_config', 'TDX-78', 'tdx-mrownerconfig-mismatch')

const MAJOR = asked('TDX-76', 'The major version of the TDX module is on the policy’s list', [
  'tdx-mrseam-not-allowed',
  'tdx.module_majors',
])

/** TDX-76, by version: that of the launch, and where the report tells it that of the present. */
export const moduleMajors: TdxRule = ({ claims: { tee_tcb_svn, tee_tcb_svn2 }, policy: { module_majors: listed } }) => {
  const majors = [tee_tcb_svn, tee_tcb_svn2].filter((svn) => svn !== null).map((svn) => Number.parseInt(svn.slice(2, 4), 16))
  const actual = [...new Set(majors)].join(', now ')
  if (listed === undefined) return [notAsked(MAJOR, actual)]
  return [
    judge(
      MAJOR,
      majors.every((major) => listed.includes(major)),
      { actual, expected: oneOf(listed) },
    ),
  ]
}

const INITDATA = asked('TDX-77', 'MRCONFIGID binds the initdata document', ['tdx-mrconfigid-mismatch', 'tdx.initdata'])

/** TDX-77, the document’s part (section 7.2). A document that nothing binds is anybody’s. */
export const initdata: TdxRule = ({ claims: { initdata: sent }, policy: { initdata: word } }: TdxCase) => {
  const actual = sent === null ? 'no document' : `binding ${sent.binding}`
  if (word === 'any' || (word === 'bound-if-sent' && sent === null)) return [notAsked(INITDATA, actual)]
  return [judge(INITDATA, sent !== null && sent.binding !== 'none', { actual, expected: 'a document that MRCONFIGID binds' })]
}
