import { judge, judgeLeniently, notAsked, type Question } from '../check.ts'
import { asked, type TdxRule } from './rule.ts'

/**
 * Whether a TEE_TCB_SVN (16 bytes in hex) reaches another: the module’s major version (byte 1) and its SVN (byte 0) as one pair, major
 * first, because the SVN starts anew in each major; all other bytes one by one (sections 5.4 and 7).
 */
function reaches(actual: string, least: string): boolean {
  const [has, needs] = [Buffer.from(actual, 'hex'), Buffer.from(least, 'hex')]
  const others = needs.subarray(2).every((svn, at) => (has[at + 2] ?? -1) >= svn)
  return others && has.readUInt16LE(0) >= needs.readUInt16LE(0)
}

const KEPT: Question = {
  ...asked('TDX-63', 'The current TEE_TCB_SVN is not below the one at launch', [
    'tdx-tee-tcb-svn2-regression',
    'tdx.tee_tcb_svn2_regression',
  ]),
  origin: 'specification',
}

/** TDX-63. Honest hardware never goes back. */
export const svnRegression: TdxRule = ({ claims: { tee_tcb_svn: launch, tee_tcb_svn2: current }, policy }) => {
  if (current === null) return [notAsked(KEPT, 'no TEE_TCB_SVN_2 in this report')]
  const put = policy.tee_tcb_svn2_regression === 'warn' ? judgeLeniently : judge
  return [put(KEPT, reaches(current, launch), { actual: current, expected: `at least ${launch}` })]
}

const LEAST = asked('TDX-80', 'TEE_TCB_SVN at launch reaches the policy’s minimum', ['tdx-tee-tcb-svn-too-low', 'tdx.min_tee_tcb_svn'])

/** TDX-80. */
export const svnMinimum: TdxRule = ({ claims: { tee_tcb_svn: actual }, policy: { min_tee_tcb_svn: least } }) =>
  least === undefined ? [notAsked(LEAST, actual)] : [judge(LEAST, reaches(actual, least), { actual, expected: `at least ${least}` })]
