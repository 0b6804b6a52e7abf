import { createHash } from 'node:crypto'
import type { TdxClaims } from '../verifiers/tdx/claims.ts'

/** The three forms of a TD report. */
export type TdBody = TdxClaims['body_type']

/** The fields of a TD report (specification tdx.md section 1.5); all have defaults that the built-in policy accepts. */
export type TdReportFields = {
  readonly teeTcbSvn: Uint8Array
  readonly mrSeam: Uint8Array
  readonly mrSignerSeam: Uint8Array
  readonly seamAttributes: Uint8Array
  readonly tdAttributes: bigint
  readonly xfam: bigint
  readonly mrTd: Uint8Array
  readonly mrConfigId: Uint8Array
  readonly mrOwner: Uint8Array
  readonly mrOwnerConfig: Uint8Array
  readonly rtmrs: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  readonly reportData: Uint8Array
  /** From here on in TD 1.5 only. */
  readonly teeTcbSvn2: Uint8Array
  readonly mrServiceTd: Uint8Array
  /** From here on in TD 1.5-Ex only. */
  readonly vmid: number
  readonly tdId: Uint8Array
  readonly devinfo: Uint8Array
  readonly initServtdHash: Uint8Array
  readonly initServtdAttr: Uint8Array
  readonly initCpusvn: Uint8Array
  readonly initTeeTcbSvn: Uint8Array
  readonly initTeeFmspc: Uint8Array
  readonly curServtdHash: Uint8Array
  readonly curServtdAttr: Uint8Array
}

/** Body type in a quote of version 5 and size in bytes (section 1.3). */
export const TD_BODIES: Record<TdBody, { readonly type: number; readonly bytes: number }> = {
  'td-report-1.0': { type: 2, bytes: 584 },
  'td-report-1.5': { type: 3, bytes: 648 },
  'td-report-1.5-ex': { type: 4, bytes: 885 },
}

const digest = (text: string): Uint8Array => new Uint8Array(createHash('sha384').update(text).digest())

/** The measurement of the simulator's TDs. */
export const SIM_MRTD: Uint8Array = digest('assay simulated TD')
const SIM_RTMRS = [digest('assay RTMR0'), digest('assay RTMR1'), digest('assay RTMR2'), new Uint8Array(48)] as const

/** A TEE_TCB_SVN: the module's minor and major SVN, and that of the late microcode. */
export const teeTcbSvn = (minor: number, major = 1, microcode = 7): Uint8Array => {
  const svn = new Uint8Array(16)
  svn.set([minor, major, microcode])
  return svn
}

/** SEPT_VE_DISABLE. */
const TD_ATTRIBUTES = 0x1000_0000n
/** Seen on current hosts. */
const XFAM = 0x6_02e7n
const FMSPC_FIELD_BYTES = 12

const zeros = (bytes: number): Uint8Array => new Uint8Array(bytes)

const DEFAULTS: TdReportFields = {
  teeTcbSvn: teeTcbSvn(5),
  mrSeam: digest('assay simulated TDX module'),
  mrSignerSeam: zeros(48),
  seamAttributes: zeros(8),
  tdAttributes: TD_ATTRIBUTES,
  xfam: XFAM,
  mrTd: SIM_MRTD,
  mrConfigId: zeros(48),
  mrOwner: zeros(48),
  mrOwnerConfig: zeros(48),
  rtmrs: SIM_RTMRS,
  reportData: zeros(64),
  teeTcbSvn2: teeTcbSvn(5),
  mrServiceTd: zeros(48),
  vmid: 0,
  tdId: digest('assay TD instance').slice(0, 32),
  devinfo: zeros(48),
  initServtdHash: zeros(48),
  initServtdAttr: zeros(8),
  initCpusvn: zeros(16),
  initTeeTcbSvn: teeTcbSvn(5),
  initTeeFmspc: zeros(FMSPC_FIELD_BYTES),
  curServtdHash: zeros(48),
  curServtdAttr: zeros(8),
}

/** The bytes of a TD report. A TD that was not updated runs on what it was launched with, unless the fields say otherwise. */
export function tdReport(body: TdBody, fields: Partial<TdReportFields> = {}): Uint8Array {
  const launch = fields.teeTcbSvn ?? DEFAULTS.teeTcbSvn
  const f = { ...DEFAULTS, teeTcbSvn2: launch, initTeeTcbSvn: launch, ...fields }
  const launched = [f.teeTcbSvn, f.mrSeam, f.mrSignerSeam, f.seamAttributes, u64(f.tdAttributes), u64(f.xfam), f.mrTd, f.mrConfigId]
  const owned = [f.mrOwner, f.mrOwnerConfig, ...f.rtmrs, f.reportData, f.teeTcbSvn2, f.mrServiceTd, Uint8Array.of(f.vmid), f.tdId]
  const serviced = [f.devinfo, f.initServtdHash, f.initServtdAttr, f.initCpusvn, f.initTeeTcbSvn, f.initTeeFmspc, f.curServtdHash]
  const parts = [...launched, ...owned, ...serviced, f.curServtdAttr]
  return new Uint8Array(Buffer.concat(parts)).slice(0, TD_BODIES[body].bytes)
}

function u64(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes
}
