import { createHash, sign, type KeyObject } from 'node:crypto'
import type { IntelTee } from '../verifiers/tdx/address.ts'
import { enclaveReport, SGX_FLAG, sgxAttributes, type EnclaveReportFields } from './enclave-report.ts'
import { p256Keys } from './intel-authorities.ts'
import { isvSvnAt, QE } from './intel-levels.ts'
import type { FakePck } from './pck.ts'

/** A quoting enclave with its attestation key, for which a platform's PCK has vouched. Quotes of one platform share it. */
export type FakeQe = {
  readonly keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
  /** X ‖ Y of the attestation key, as quotes hold it. */
  readonly point: Uint8Array
  /** The 384 bytes of its report, and the PCK's signature over them. */
  readonly report: Uint8Array
  readonly reportSignature: Uint8Array
  readonly authData: Uint8Array
}

/** What may differ from Intel's quoting enclave. */
export type QeOptions = {
  readonly tee?: IntelTee
  readonly keys?: FakeQe['keys']
  /** Fields of its report; REPORTDATA is what it must be unless given. */
  readonly report?: Partial<EnclaveReportFields>
  /** Default: 00 01 … 1f, as Intel's. */
  readonly authData?: Uint8Array
  /** Instead of the PCK's key. */
  readonly signWith?: KeyObject
}

const AUTH_DATA = Uint8Array.from({ length: 32 }, (_, index) => index)

/** r ‖ s, as quotes hold signatures. */
export const rawSignature = (key: KeyObject, bytes: Uint8Array): Uint8Array =>
  new Uint8Array(sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }))

/** X ‖ Y of a key. */
export const pointOf = (key: KeyObject): Uint8Array => new Uint8Array(key.export({ type: 'spki', format: 'der' }).subarray(-64))

/** A quoting enclave on the platform of a PCK. */
export function fakeQe(pck: FakePck, options: QeOptions = {}): FakeQe {
  const { tee = 'tdx', keys = p256Keys(), authData = AUTH_DATA, signWith = pck.privateKey } = options
  const { mrSigner, isvProdId } = QE[tee]
  const point = pointOf(keys.publicKey)
  const binding = createHash('sha256').update(point).update(authData).digest()
  const report = enclaveReport({
    cpuSvn: pck.fields.cpusvn,
    attributes: sgxAttributes(SGX_FLAG.init | SGX_FLAG.mode64 | SGX_FLAG.provisionKey),
    mrEnclave: new Uint8Array(createHash('sha256').update('assay simulated quoting enclave').digest()),
    mrSigner: new Uint8Array(Buffer.from(mrSigner, 'hex')),
    isvProdId,
    isvSvn: isvSvnAt.UpToDate,
    reportData: new Uint8Array(Buffer.concat([binding, Buffer.alloc(32)])),
    ...options.report,
  })
  return { keys, point, report, reportSignature: rawSignature(signWith, report), authData }
}
