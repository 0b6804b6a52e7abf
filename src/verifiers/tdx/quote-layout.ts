import { Reader } from '../reader.ts'

/** TEE types of the header (specification tdx.md section 1.1). */
export const TEE_TYPE = { sgx: 0, tdx: 0x81 } as const

/** Bytes of the header in every version (section 1.1). */
export const HEADER_BYTES = 48

/** The header (section 1.1), before any rule has looked at it. */
export type QuoteHeader = {
  readonly version: number
  readonly attestationKeyType: number
  readonly teeType: number
  /** Bytes 8 to 11: QE SVN and PCE SVN in version 3, reserved after. Never used for the TCB. */
  readonly reserved: Uint8Array
  readonly qeVendorId: Uint8Array
  /** 20 bytes: QE ID, then four that are zero. */
  readonly userData: Uint8Array
}

/** Reads 48 bytes. Throws AttestationError tdx-quote-too-short for another length. */
export const readHeader = (bytes: Uint8Array): QuoteHeader =>
  Reader.all(bytes, { what: 'quote.header', code: 'tdx-quote-too-short' }, (r) => ({
    version: r.u16le('VERSION'),
    attestationKeyType: r.u16le('ATTESTATION_KEY_TYPE'),
    teeType: r.u32le('TEE_TYPE'),
    reserved: r.bytes('RESERVED', 4),
    qeVendorId: r.bytes('QE_VENDOR_ID', 16),
    userData: r.bytes('USER_DATA', 20),
  }))

/** The kinds of bodies by their type in a version 5 descriptor: name, bytes, and the TEE they belong to (section 1.3). */
export const BODIES = {
  1: { type: 1, name: 'enclave-report', bytes: 384, tee: 'sgx' },
  2: { type: 2, name: 'td-report-1.0', bytes: 584, tee: 'tdx' },
  3: { type: 3, name: 'td-report-1.5', bytes: 648, tee: 'tdx' },
  4: { type: 4, name: 'td-report-1.5-ex', bytes: 885, tee: 'tdx' },
} as const

/** One kind of body. */
export type BodyKind = (typeof BODIES)[keyof typeof BODIES]
/** The kinds that are reports of a TD. */
export type TdReportName = Extract<BodyKind, { tee: 'tdx' }>['name']

/** The kind of body with this type; undefined for a type that is not known. */
export const bodyKind = (type: number): BodyKind | undefined => Object.values(BODIES).find((body) => body.type === type)

/** A report of a TD (section 1.5), every field as received. */
export type TdReport = {
  readonly name: TdReportName
  readonly teeTcbSvn: Uint8Array
  readonly mrSeam: Uint8Array
  readonly mrSignerSeam: Uint8Array
  readonly seamAttributes: Uint8Array
  readonly tdAttributes: Uint8Array
  readonly xfam: Uint8Array
  readonly mrTd: Uint8Array
  readonly mrConfigId: Uint8Array
  readonly mrOwner: Uint8Array
  readonly mrOwnerConfig: Uint8Array
  readonly rtmrs: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  readonly reportData: Uint8Array
  /** From TD report 1.5 on. */
  readonly update: { readonly teeTcbSvn2: Uint8Array; readonly mrServiceTd: Uint8Array } | undefined
  /** In TD report 1.5-Ex. */
  readonly extended: ExtendedReport | undefined
}

/** What TD report 1.5-Ex adds (section 1.5, from offset 648). */
export type ExtendedReport = {
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

const readExtended = (r: Reader): ExtendedReport => ({
  vmid: r.u8('VMID'),
  tdId: r.bytes('TD_ID', 32),
  devinfo: r.bytes('DEVINFO', 48),
  initServtdHash: r.bytes('INIT_SERVTD_HASH', 48),
  initServtdAttr: r.bytes('INIT_SERVTD_ATTR', 8),
  initCpusvn: r.bytes('INIT_CPUSVN', 16),
  initTeeTcbSvn: r.bytes('INIT_TEE_TCB_SVN', 16),
  initTeeFmspc: r.bytes('INIT_TEE_FMSPC', 12),
  curServtdHash: r.bytes('CUR_SERVTD_HASH', 48),
  curServtdAttr: r.bytes('CUR_SERVTD_ATTR', 8),
})

/** Reads the body of a TD quote. Throws AttestationError tdx-body-size-mismatch unless it has exactly the bytes of its kind. */
export const readTdReport = (name: TdReportName, bytes: Uint8Array): TdReport =>
  Reader.all(bytes, { what: 'quote.body', code: 'tdx-body-size-mismatch' }, (r) => ({
    name,
    teeTcbSvn: r.bytes('TEE_TCB_SVN', 16),
    mrSeam: r.bytes('MRSEAM', 48),
    mrSignerSeam: r.bytes('MRSIGNERSEAM', 48),
    seamAttributes: r.bytes('SEAMATTRIBUTES', 8),
    tdAttributes: r.bytes('TDATTRIBUTES', 8),
    xfam: r.bytes('XFAM', 8),
    mrTd: r.bytes('MRTD', 48),
    mrConfigId: r.bytes('MRCONFIGID', 48),
    mrOwner: r.bytes('MROWNER', 48),
    mrOwnerConfig: r.bytes('MROWNERCONFIG', 48),
    rtmrs: [r.bytes('RTMR0', 48), r.bytes('RTMR1', 48), r.bytes('RTMR2', 48), r.bytes('RTMR3', 48)],
    reportData: r.bytes('REPORTDATA', 64),
    update: name === 'td-report-1.0' ? undefined : { teeTcbSvn2: r.bytes('TEE_TCB_SVN_2', 16), mrServiceTd: r.bytes('MRSERVICETD', 48) },
    extended: name === 'td-report-1.5-ex' ? readExtended(r) : undefined,
  }))
