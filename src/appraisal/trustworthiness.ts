import type { ProblemCode } from '../verifiers/problems.ts'
import { problemOf } from '../verifiers/problems.ts'
import type { Check, Claims } from '../verifiers/verifier.ts'
import type { Trustworthiness } from './appraisal.ts'
import { DEBUG_TITLE, IDENTITY_TITLES } from './sgx/enclave.ts'
import { SECURE_BOOT_TITLE } from './tdx/event-log.ts'
import { FAMILY_TITLE, MACHINE_TITLES } from './tdx/platform.ts'
import { BOOT_TITLE } from './tpm/pcrs.ts'
import { INSTANCE_TITLE } from './tpm/trust.ts'
import { isUntrusted } from './tdx/attributes.ts'

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

/**
 * How one dimension reads, by the worst outcome of its checks (specification tokens.md C3). `titles` names single questions where one
 * number of the specification covers several dimensions.
 */
type Dimension = {
  readonly checks: readonly string[]
  readonly titles: readonly string[]
  readonly pass: number
  readonly warn: number
  readonly fail: number
}

/** 2: recognised; 97: unrecognised. Asked only where the policy lists machines. */
const IDENTITY: Dimension = { checks: ['SNP-70'], titles: [...MACHINE_TITLES, INSTANCE_TITLE], pass: 2, warn: 97, fail: 97 }

/** 2: approved; 32: unsafe; 96: unsupportable. */
const CONFIGURATION: Dimension = {
  checks: [
    'SNP-67',
    'SNP-68',
    'SNP-69',
    'SNP-77',
    'SNP-66',
    'TDX-67',
    'TDX-68',
    'TDX-69',
    'TDX-70',
    'TDX-71',
    'TDX-72',
    'TDX-73',
    'TDX-78',
    'TDX-82',
    'TPM-51',
    'TPM-52',
    'TPM-53',
    'TPM-57',
  ],
  titles: [DEBUG_TITLE, SECURE_BOOT_TITLE],
  pass: 2,
  warn: 32,
  fail: 96,
}

/** 3: approved at boot, because a launch measurement says nothing of what was loaded later; 33: unrecognised; 96: refused. */
const EXECUTABLES: Dimension = {
  checks: ['SNP-63', 'SNP-64', 'SNP-65', 'TDX-74', 'TDX-75', 'TDX-77', 'TPM-41', 'TPM-55', 'TPM-58', 'TPM-59', 'TPM-60'],
  titles: IDENTITY_TITLES,
  pass: 3,
  warn: 33,
  fail: 96,
}

/** 2: genuine; 32: genuine but unsafe; 96: refused. */
const HARDWARE: Dimension = {
  checks: [
    'SNP-02',
    'SNP-24',
    'SNP-36',
    'SNP-37',
    'SNP-45',
    'SNP-51',
    'SNP-52',
    'SNP-53',
    'SNP-54',
    'SNP-55',
    'SNP-56',
    'SNP-57',
    'TDX-61',
    'TDX-62',
    'TDX-63',
    'TDX-64',
    'TDX-65',
    'TDX-66',
    'TDX-76',
    'TDX-80',
    'TPM-18',
    'TPM-40',
  ],
  titles: [FAMILY_TITLE],
  pass: 2,
  warn: 32,
  fail: 96,
}

/** What ran since the boot, by IMA. 2: every file is listed; 32: unsafe; 96: refused. */
const FILE_SYSTEM: Dimension = { checks: ['TPM-65', 'TPM-66', 'TPM-67', 'TPM-68'], titles: [], pass: 2, warn: 32, fail: 96 }

/**
 * Evidence that is not genuine: 97 where no pinned root answers for it or the vendor knows no such platform, 96 where something was revoked,
 * 99 where cryptography failed.
 */
const NOT_GENUINE: Partial<Record<ProblemCode, number>> = {
  'snp-root-untrusted': 97,
  'snp-chain-invalid': 97,
  'snp-root-revoked': 96,
  'snp-intermediate-revoked': 96,
  'tdx-pck-chain-incomplete': 97,
  'tdx-root-ca-untrusted': 97,
  'tdx-intermediate-ca-invalid': 97,
  'tdx-pck-cert-invalid-signature': 97,
  'tdx-tdx-module-mismatch': 97,
  'tdx-tcb-not-supported': 97,
  'tdx-tdx-module-tcb-not-supported': 97,
  'tdx-qe-tcb-not-supported': 97,
  'tdx-intermediate-ca-revoked': 96,
  'tdx-pck-cert-revoked': 96,
  'tdx-tcb-signing-cert-revoked': 96,
  'tdx-tcb-revoked': 96,
  'tpm-ak-untrusted': 97,
  'tpm-ak-cert-chain-invalid': 97,
  'tpm-ak-not-enrolled': 97,
  'tpm-ak-cert-revoked': 96,
  'tpm-ak-revoked': 96,
}

/** The vector of evidence of which nothing could be decided, or nothing was asked. */
export const noClaim: Trustworthiness = NO_CLAIM

/** The vector of evidence whose verification ended in this code. What was not decided claims nothing. */
export const refusedVector = (code: ProblemCode): Trustworthiness =>
  problemOf(code).kind === 'undecided' ? NO_CLAIM : { ...NO_CLAIM, hardware: NOT_GENUINE[code] ?? 99 }

/** The vector of genuine evidence, from the answers of verifier and policy. */
export function vectorOf(checks: readonly Check[], claims: Claims): Trustworthiness {
  const worst = worstOutcomes(checks)
  return {
    ...NO_CLAIM,
    'instance-identity': read(IDENTITY, worst) || (isEnrolled(claims) ? IDENTITY.pass : 0),
    configuration: read(CONFIGURATION, worst),
    executables: wasMeasured(checks) ? read(EXECUTABLES, worst) : 0,
    'file-system': read(FILE_SYSTEM, worst),
    hardware: Math.max(read(HARDWARE, worst), lacksUpdate(claims) ? HARDWARE.warn : 0),
    'runtime-opaque': isOpaque(claims) ? 2 : 0,
  }
}

/** Checks in which the launch itself was compared with a list; matching other fields alone approves no program. */
const LAUNCH_TITLES: ReadonlySet<string> = new Set([...IDENTITY_TITLES, BOOT_TITLE])
const LAUNCH_CHECKS: ReadonlySet<string> = new Set(['SNP-63', 'TDX-74'])

const wasMeasured = (checks: readonly Check[]): boolean => checks.some(isOfLaunch)

const isOfLaunch = ({ id, title, outcome }: Check): boolean => outcome !== 'skip' && (LAUNCH_CHECKS.has(id) || LAUNCH_TITLES.has(title))

/** Hardware of which the vendor says that it needs an update is genuine but unsafe, also where the policy accepts it (tokens.md C3). */
const lacksUpdate = ({ tdx, sgx }: Claims): boolean => [tdx, sgx].some((quote) => quote !== undefined && quote.tcb.status !== 'UpToDate')

/** A key that the operator listed, or that was enrolled with a TPM that he or an enroller knows. */
const isEnrolled = ({ tpm }: Claims): boolean => tpm?.ak_trust === 'enrolled-ak' || ['listed', 'enroller'].includes(tpm?.ek?.basis ?? 'any')

/** Memory that the host may read through debugging is not opaque, even where the policy accepts such guests. */
const isOpaque = ({ snp, tdx, sgx }: Claims): boolean =>
  snp?.policy.debug_allowed === false || (tdx !== undefined && !isUntrusted(tdx)) || sgx?.debug === false

type Answered = Exclude<Check['outcome'], 'skip'>
type Worst = Map<Dimension, Answered>

const WORSE: readonly Answered[] = ['pass', 'warn', 'fail']
const DIMENSIONS = [IDENTITY, CONFIGURATION, EXECUTABLES, FILE_SYSTEM, HARDWARE]
const BY_CHECK = indexed('checks')
const BY_TITLE = indexed('titles')

/** Dimensions by what they list. A check counts in one dimension by its number and in one by its title. */
function indexed(by: 'checks' | 'titles'): ReadonlyMap<string, Dimension> {
  const found = new Map<string, Dimension>()
  for (const [name, dimension] of DIMENSIONS.flatMap((each) => each[by].map((listed) => [listed, each] as const))) {
    if (found.has(name)) throw new Error(`${name} is in two dimensions`)
    found.set(name, dimension)
  }
  return found
}

/** The worst outcome of each dimension, in one go over the checks. A dimension of which nothing was asked has none. */
function worstOutcomes(checks: readonly Check[]): Worst {
  const worst: Worst = new Map()
  for (const { id, title, outcome } of checks) {
    if (outcome === 'skip') continue
    note(worst, BY_CHECK.get(id), outcome)
    note(worst, BY_TITLE.get(title), outcome)
  }
  return worst
}

function note(worst: Worst, dimension: Dimension | undefined, outcome: Answered): void {
  if (dimension === undefined) return
  const before = worst.get(dimension)
  // Most checks pass, and then there is nothing to compare.
  if (before === undefined || (outcome !== 'pass' && WORSE.indexOf(outcome) > WORSE.indexOf(before))) worst.set(dimension, outcome)
}

function read(dimension: Dimension, worst: Worst): number {
  const outcome = worst.get(dimension)
  return outcome === undefined ? 0 : dimension[outcome]
}
