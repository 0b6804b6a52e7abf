import { createHash } from 'node:crypto'

/** The fields of a report of an SGX enclave (specification tdx.md section 1.6), which the quoting enclave's own is, too. */
export type EnclaveReportFields = {
  readonly cpuSvn: Uint8Array
  readonly miscSelect: number
  /** Flags (u64) and XFRM (u64) as they are stored. */
  readonly attributes: Uint8Array
  readonly mrEnclave: Uint8Array
  readonly mrSigner: Uint8Array
  readonly configId: Uint8Array
  readonly isvProdId: number
  readonly isvSvn: number
  readonly configSvn: number
  readonly isvExtProdId: Uint8Array
  readonly isvFamilyId: Uint8Array
  readonly reportData: Uint8Array
}

const REPORT_BYTES = 384

/** Flags of ATTRIBUTES; every production enclave has INIT and MODE64. */
export const SGX_FLAG = { init: 1, debug: 2, mode64: 4, provisionKey: 0x10, einittokenKey: 0x20, kss: 0x80 } as const

/** ATTRIBUTES with these flags and an XFRM as current hosts have it. */
export const sgxAttributes = (flags: number): Uint8Array =>
  new Uint8Array(Buffer.from([flags, 0, 0, 0, 0, 0, 0, 0, 0xe7, 0, 0, 0, 0, 0, 0, 0]))

const digest = (text: string): Uint8Array => new Uint8Array(createHash('sha256').update(text).digest())

/** The measurement and the signer of the simulator's application enclaves. */
export const SIM_ENCLAVE = { mrEnclave: digest('assay simulated enclave'), mrSigner: digest('assay simulated enclave signer') } as const

const DEFAULTS: EnclaveReportFields = {
  cpuSvn: new Uint8Array(16),
  miscSelect: 0,
  attributes: sgxAttributes(SGX_FLAG.init | SGX_FLAG.mode64),
  ...SIM_ENCLAVE,
  configId: new Uint8Array(64),
  isvProdId: 7,
  isvSvn: 3,
  configSvn: 0,
  isvExtProdId: new Uint8Array(16),
  isvFamilyId: new Uint8Array(16),
  reportData: new Uint8Array(64),
}

/** The 384 bytes of a report. */
export function enclaveReport(fields: Partial<EnclaveReportFields> = {}): Uint8Array {
  const f = { ...DEFAULTS, ...fields }
  const report = Buffer.alloc(REPORT_BYTES)
  const at: readonly (readonly [offset: number, bytes: Uint8Array])[] = [
    [0, f.cpuSvn],
    [32, f.isvExtProdId],
    [48, f.attributes],
    [64, f.mrEnclave],
    [128, f.mrSigner],
    [192, f.configId],
    [304, f.isvFamilyId],
    [320, f.reportData],
  ]
  for (const [offset, bytes] of at) report.set(bytes, offset)
  report.writeUInt32LE(f.miscSelect, 16)
  report.writeUInt16LE(f.isvProdId, 256)
  report.writeUInt16LE(f.isvSvn, 258)
  report.writeUInt16LE(f.configSvn, 260)
  return new Uint8Array(report)
}
