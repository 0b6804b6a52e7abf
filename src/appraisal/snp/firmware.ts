import type { ProblemCode } from '../../verifiers/problems.ts'
import type { SnpClaims } from '../../verifiers/snp/claims.ts'
import { formatTcb } from '../../verifiers/snp/tcb.ts'
import type { Check } from '../../verifiers/verifier.ts'
import type { Question } from '../check.ts'
import { judge, notAsked } from '../check.ts'
import type { SnpCase, SnpRule } from './rule.ts'
import { reaches, sameTcb } from './tcb.ts'

const order = (id: string, title: string, code: ProblemCode): Question => ({ id, title, code, origin: 'specification' })

const REPORTED_CURRENT = order('SNP-51', 'REPORTED_TCB is not above CURRENT_TCB', 'snp-tcb-reported-above-current')
const COMMITTED_CURRENT = order('SNP-51', 'COMMITTED_TCB is not above CURRENT_TCB', 'snp-tcb-committed-above-current')
const REPORTED_COMMITTED: Question = {
  ...order('SNP-52', 'REPORTED_TCB is not above COMMITTED_TCB', 'snp-tcb-reported-above-committed'),
  rule: 'snp.require_reported_not_above_committed',
}

/**
 * SNP-51 and SNP-52: the order that hardware keeps (section 2.1). A reported level above the committed one can be rolled back after the
 * report. LAUNCH_TCB is not compared: a migrated guest brings it along from another machine.
 */
export const tcbOrder: SnpRule = ({ claims, policy }) => [
  notAbove(REPORTED_CURRENT, claims, ['reported_tcb', 'current_tcb']),
  notAbove(COMMITTED_CURRENT, claims, ['committed_tcb', 'current_tcb']),
  policy.require_reported_not_above_committed
    ? notAbove(REPORTED_COMMITTED, claims, ['reported_tcb', 'committed_tcb'])
    : notAsked(REPORTED_COMMITTED, formatTcb(claims.reported_tcb)),
]

type TcbField = 'reported_tcb' | 'committed_tcb' | 'current_tcb'

const notAbove = (question: Question, claims: SnpClaims, [lower, upper]: readonly [TcbField, TcbField]): Check =>
  judge(question, reaches(claims[upper], claims[lower]), {
    actual: formatTcb(claims[lower]),
    expected: `at most ${formatTcb(claims[upper])}`,
  })

const PROVISIONAL: Question = {
  id: 'SNP-54',
  title: 'The running firmware is the committed one',
  code: 'snp-firmware-provisional',
  origin: 'policy',
  rule: 'snp.permit_provisional_firmware',
}

/** SNP-54: while CURRENT differs from COMMITTED, the host can go back to COMMITTED at any time (section 2.1). */
export const provisionalFirmware: SnpRule = ({ claims, policy }) => {
  const actual = `${claims.current_version} (${formatTcb(claims.current_tcb)})`
  if (policy.permit_provisional_firmware) return [notAsked(PROVISIONAL, actual)]
  const committed = sameTcb(claims.current_tcb, claims.committed_tcb) && claims.current_version === claims.committed_version
  return [judge(PROVISIONAL, committed, { actual, expected: `${claims.committed_version} (${formatTcb(claims.committed_tcb)})` })]
}

const VERSION: Question = {
  id: 'SNP-55',
  title: 'The firmware’s API version reaches the policy’s minimum',
  code: 'snp-firmware-version-too-low',
  origin: 'policy',
  rule: 'snp.min_api_version',
}

/** SNP-55: CURRENT_MAJOR and _MINOR; the build only within exactly the minimum version, because builds start anew in each (section 2.1). */
export const firmwareVersion: SnpRule = ({ claims, policy: { min_api_version: least, min_build: leastBuild = 0 } }) => {
  const actual = claims.current_version
  if (least === undefined) return [notAsked(VERSION, actual)]
  const [major = 0, minor = 0, build = 0] = actual.split('.').map(Number)
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map(Number)
  const reached = rank([major, minor, build]) >= rank([leastMajor, leastMinor, leastBuild])
  return [judge(VERSION, reached, { actual, expected: `at least ${least}.${leastBuild}` })]
}

/** One byte each (section 1, 1E8h), so that versions of one report compare as one number. */
const rank = ([major, minor, build]: readonly [number, number, number]): number => (major << 16) | (minor << 8) | build

const mitigation = (option: string, title: string, code: ProblemCode): Question => ({
  id: 'SNP-57',
  title,
  code,
  origin: 'policy',
  rule: `snp.${option}`,
})

const LAUNCH = mitigation(
  'min_launch_mit_vector',
  'LAUNCH_MIT_VECTOR has every bit that the policy requires',
  'snp-mitigation-launch-missing',
)
const CURRENT = mitigation(
  'min_current_mit_vector',
  'CURRENT_MIT_VECTOR has every bit that the policy requires',
  'snp-mitigation-current-missing',
)
const LOST = mitigation('require_current_mit_superset_of_launch', 'Every mitigation of the launch is still in force', 'snp-mitigation-lost')

/** SNP-57. */
export const mitigations: SnpRule = (subject) => {
  const [launch, current] = [authoritative(subject.claims, 'launch_mit_vector'), authoritative(subject.claims, 'current_mit_vector')]
  return [
    hasBits(LAUNCH, launch, subject.policy.min_launch_mit_vector),
    hasBits(CURRENT, current, subject.policy.min_current_mit_vector),
    kept(subject, current, launch),
  ]
}

/** Before version 5 the vectors are absent or their place is disputed: policies read zeros there, so a configured minimum fails (section 1). */
const authoritative = (claims: SnpClaims, field: 'launch_mit_vector' | 'current_mit_vector'): bigint =>
  claims.version >= 5 ? BigInt(claims[field] ?? '0x0') : 0n

const hex64 = (bits: bigint): string => `0x${bits.toString(16)}`

function hasBits(question: Question, actual: bigint, least: string | undefined): Check {
  if (least === undefined) return notAsked(question, hex64(actual))
  const bits = BigInt(least)
  return judge(question, (actual & bits) === bits, { actual: hex64(actual), expected: `all bits of ${hex64(bits)}` })
}

function kept({ policy }: SnpCase, current: bigint, launch: bigint): Check {
  if (!policy.require_current_mit_superset_of_launch) return notAsked(LOST, hex64(current))
  return judge(LOST, (current & launch) === launch, { actual: hex64(current), expected: `all bits of ${hex64(launch)}` })
}
