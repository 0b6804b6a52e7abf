import type { EventLogClaims } from '../verifiers/event-log/claims.ts'
import { tpmFacts } from './verdict-facts-tpm.ts'
import type { SnpClaims } from '../verifiers/snp/claims.ts'
import type { CollateralClaims, PlatformClaims, SgxClaims, TcbClaims, TcbShortfall, TdxClaims } from '../verifiers/tdx/claims.ts'
import type { Claims } from '../verifiers/verifier.ts'

/** A name and a value, as a line for people. */
export type Fact = readonly [name: string, value: string]

/** What is worth knowing of evidence that is genuine, besides its checks. */
export function factsOf({ snp, tdx, sgx, tpm }: Claims): readonly Fact[] {
  if (snp !== undefined) return snpFacts(snp)
  if (tdx !== undefined) return tdxFacts(tdx)
  if (tpm !== undefined) return tpmFacts(tpm)
  return sgx === undefined ? [] : sgxFacts(sgx)
}

const snpFacts = (snp: SnpClaims): readonly Fact[] => [
  ['product', `${snp.product}, report version ${snp.version}, signed by a ${snp.signing_key.toUpperCase()}`],
  ['measurement', snp.measurement],
  ['report data', snp.report_data],
  ['reported TCB', told(Object.entries(snp.reported_tcb).map(([part, version]) => `${part} ${version}`))],
  ['VMPL', String(snp.vmpl)],
  ['revocation', snp.revocation],
]

const tdxFacts = (tdx: TdxClaims): readonly Fact[] => [
  ['product', `Intel TDX, quote version ${tdx.quote_version}, ${tdx.body_type}`],
  ['MRTD', tdx.mr_td],
  ['RTMR0', tdx.rtmr0],
  ['RTMR1', tdx.rtmr1],
  ['RTMR2', tdx.rtmr2],
  ['RTMR3', tdx.rtmr3],
  ['report data', tdx.report_data],
  ...platformFacts(tdx),
  ...(tdx.event_log === null ? [] : logFacts(tdx.event_log)),
]

const sgxFacts = (sgx: SgxClaims): readonly Fact[] => [
  ['product', `Intel SGX, quote version ${sgx.quote_version}`],
  ['MRENCLAVE', sgx.mr_enclave],
  ['MRSIGNER', sgx.mr_signer],
  ['ISVPRODID', String(sgx.isv_prod_id)],
  ['ISVSVN', String(sgx.isv_svn)],
  ['report data', sgx.report_data],
  ...platformFacts(sgx),
]

type Intel = { readonly tcb: TcbClaims; readonly platform: PlatformClaims; readonly collateral: CollateralClaims }

/** The verdict on the TCB with what mends it: what is short, since when, and what is coming. */
const platformFacts = ({ tcb, platform, collateral }: Intel): readonly Fact[] => [
  ['TCB status', `${tcb.status} (${parts(tcb)})`],
  ...(tcb.launch === null || tcb.current === null
    ? []
    : [['at launch, now', `${tcb.launch.status}, ${tcb.current.status}`] satisfies Fact]),
  ['TCB date', tcb.needed_tcb_date === null ? tcb.tcb_date : `${tcb.tcb_date}; the newest level is of ${tcb.needed_tcb_date}`],
  ...tcb.shortfall.map((short): Fact => ['short', shortText(short)]),
  ['advisories', told(tcb.advisory_ids)],
  ['early status', earlyText(tcb)],
  ['platform', `FMSPC ${platform.fmspc}, ${platform.sgx_type}, PCK of the ${platform.pck_ca} CA`],
  ['collateral', collateralText(collateral, tcb)],
]

const parts = ({ platform, module, qe }: TcbClaims): string =>
  [`platform ${platform}`, ...(module === null ? [] : [`TDX module ${module}`]), `quoting enclave ${qe}`].join(', ')

/** `sgx component 7: 3, needs 4 (SEAMLDR ACM)`. */
function shortText({ component, actual, needed, category, type }: TcbShortfall): string {
  const what = [category, type].filter((word) => word !== null).join(', ')
  return `${component}: ${actual}, needs ${needed}${what === '' ? '' : ` (${what})`}`
}

/** What Intel says to those who ask early, who see a TCB recovery before the others do. */
const earlyText = ({ early_status: status, early_code: code }: TcbClaims): string =>
  status ?? code ?? 'not known: no early documents at hand'

const collateralText = ({ earliest_expiration_date: until, collateral_expired: expired }: CollateralClaims, tcb: TcbClaims): string =>
  `evaluation ${tcb.tcb_evaluation_data_number}, until ${until}${expired ? ': expired, within the grace of the policy' : ''}`

const logFacts = ({ source, events, replayed, facts }: EventLogClaims): readonly Fact[] => [
  [
    'event log',
    `${source}, ${events} events, leads to ${replayed.length === 0 ? 'no register' : replayed.map((n) => `RTMR${n}`).join(', ')}`,
  ],
  ['secure boot', facts.secure_boot === null ? 'not known' : facts.secure_boot ? 'on' : 'off'],
  ['command line', facts.kernel_cmdline ?? 'not known'],
  ...(facts.container_images ?? []).map((image): Fact => ['container image', image]),
]

const told = (list: readonly string[]): string => (list.length === 0 ? 'none' : list.join(', '))
