import type { ProblemCode } from '../verifiers/problems.ts'
import { problemOf } from '../verifiers/problems.ts'
import type { Check, Claims } from '../verifiers/verifier.ts'
import type { Trustworthiness } from './appraisal.ts'

/** AR4SI: no claim is made. */
const NO_CLAIM: Trustworthiness = {
  'instance-identity': 0,
  configuration: 0,
  executables: 0,
  'file-system': 0,
  hardware: 0,
  'runtime-opaque': 0,
  'storage-opaque': 0,
  'sourced-data': 0,
}

/** How one dimension reads, by the worst outcome of its checks (specification tokens.md C3). */
type Dimension = { readonly checks: readonly string[]; readonly pass: number; readonly warn: number; readonly fail: number }

/** 2: recognised; 97: unrecognised. Asked only where the policy lists chips. */
const IDENTITY: Dimension = { checks: ['SNP-70'], pass: 2, warn: 97, fail: 97 }

/** 2: approved; 32: unsafe; 96: unsupportable. */
const CONFIGURATION: Dimension = { checks: ['SNP-67', 'SNP-68', 'SNP-69', 'SNP-77', 'SNP-66'], pass: 2, warn: 32, fail: 96 }

/** 3: approved at boot, because a launch measurement says nothing of what was loaded later; 33: unrecognised; 96: refused. */
const EXECUTABLES: Dimension = { checks: ['SNP-63', 'SNP-64', 'SNP-65'], pass: 3, warn: 33, fail: 96 }

/** 2: genuine; 32: genuine but unsafe; 96: refused. */
const HARDWARE: Dimension = {
  checks: ['SNP-02', 'SNP-24', 'SNP-36', 'SNP-37', 'SNP-45', 'SNP-51', 'SNP-52', 'SNP-53', 'SNP-54', 'SNP-55', 'SNP-56', 'SNP-57'],
  pass: 2,
  warn: 32,
  fail: 96,
}

/** Evidence that is not genuine: 97 where no pinned root answers for it, 96 where something was revoked, 99 where cryptography failed. */
const NOT_GENUINE: Partial<Record<ProblemCode, number>> = {
  'snp-root-untrusted': 97,
  'snp-chain-invalid': 97,
  'snp-root-revoked': 96,
  'snp-intermediate-revoked': 96,
}

/** The vector of evidence of which nothing could be decided, or nothing was asked. */
export const noClaim: Trustworthiness = NO_CLAIM

/** The vector of evidence whose verification ended in this code. What was not decided claims nothing. */
export const refusedVector = (code: ProblemCode): Trustworthiness =>
  problemOf(code).kind === 'undecided' ? NO_CLAIM : { ...NO_CLAIM, hardware: NOT_GENUINE[code] ?? 99 }

/** The vector of genuine evidence, from the answers of verifier and policy. */
export const vectorOf = (checks: readonly Check[], claims: Claims): Trustworthiness => ({
  ...NO_CLAIM,
  'instance-identity': read(IDENTITY, checks),
  configuration: read(CONFIGURATION, checks),
  executables: wasMeasured(checks) ? read(EXECUTABLES, checks) : 0,
  hardware: read(HARDWARE, checks),
  // Memory that the host may read through debugging is not opaque, even where the policy accepts such guests.
  'runtime-opaque': claims.snp?.policy.debug_allowed === false ? 2 : 0,
})

/** Whether MEASUREMENT was compared at all; matching other fields alone approves no program. */
const wasMeasured = (checks: readonly Check[]): boolean => checks.some((check) => check.id === 'SNP-63' && check.outcome !== 'skip')

function read(dimension: Dimension, checks: readonly Check[]): number {
  const outcomes = new Set(checks.filter((check) => dimension.checks.includes(check.id)).map((check) => check.outcome))
  const worst = (['fail', 'warn', 'pass'] as const).find((outcome) => outcomes.has(outcome))
  return worst === undefined ? 0 : dimension[worst]
}
