import { Reader } from '../reader.ts'

/** Bytes of an enclave report, of an application or of the quoting enclave (specification tdx.md section 1.6). */
export const ENCLAVE_REPORT_BYTES = 384

/** An enclave report (section 1.6), every field as received. Reserved bytes are signed, not judged. */
export type EnclaveReport = {
  readonly cpuSvn: Uint8Array
  /** 4 bytes. */
  readonly miscSelect: Uint8Array
  /** Flags (eight bytes), then XFRM (eight bytes). */
  readonly attributes: Uint8Array
  readonly mrEnclave: Uint8Array
  readonly mrSigner: Uint8Array
  readonly isvProdId: number
  readonly isvSvn: number
  readonly reportData: Uint8Array
  /** Key separation and sharing (KSS). */
  readonly isvExtProdId: Uint8Array
  readonly configId: Uint8Array
  readonly configSvn: number
  readonly isvFamilyId: Uint8Array
}

/** Bits of the flags in ATTRIBUTES (section 1.6), all in the first byte. */
export const ENCLAVE_FLAG = { debug: 0x02, mode64: 0x04, provisionKey: 0x10, einittokenKey: 0x20, kss: 0x80 } as const

/** Whether a flag of ATTRIBUTES is set. */
export const hasFlag = ({ attributes }: Pick<EnclaveReport, 'attributes'>, flag: keyof typeof ENCLAVE_FLAG): boolean =>
  ((attributes[0] ?? 0) & ENCLAVE_FLAG[flag]) !== 0

/** Reads 384 bytes. Throws AttestationError tdx-body-size-mismatch for another length. */
export const readEnclaveReport = (bytes: Uint8Array): EnclaveReport =>
  Reader.all(bytes, { what: 'enclave-report', code: 'tdx-body-size-mismatch' }, (r) => {
    const [cpuSvn, miscSelect] = [r.bytes('CPUSVN', 16), r.bytes('MISCSELECT', 4)]
    r.bytes('RESERVED', 12)
    const isvExtProdId = r.bytes('ISVEXTPRODID', 16)
    const [attributes, mrEnclave] = [r.bytes('ATTRIBUTES', 16), r.bytes('MRENCLAVE', 32)]
    r.bytes('RESERVED', 32)
    const mrSigner = r.bytes('MRSIGNER', 32)
    r.bytes('RESERVED', 32)
    const configId = r.bytes('CONFIGID', 64)
    const [isvProdId, isvSvn, configSvn] = [r.u16le('ISVPRODID'), r.u16le('ISVSVN'), r.u16le('CONFIGSVN')]
    r.bytes('RESERVED', 42)
    const [isvFamilyId, reportData] = [r.bytes('ISVFAMILYID', 16), r.bytes('REPORTDATA', 64)]
    return {
      cpuSvn,
      miscSelect,
      attributes,
      mrEnclave,
      mrSigner,
      isvProdId,
      isvSvn,
      reportData,
      isvExtProdId,
      configId,
      configSvn,
      isvFamilyId,
    }
  })
