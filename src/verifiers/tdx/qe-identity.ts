import type { SvnLevel } from './tcb-info.ts'

/** Identity of an enclave of Intel's (specification tdx.md section 4.2): validly signed, read, its dates not asked. */
export type QeIdentity = {
  /** `TD_QE`, `QE`, or another enclave that signs no quotes. */
  readonly id: string
  readonly issueDate: Date
  readonly nextUpdate: Date
  readonly evaluationDataNumber: number
  /** 4 bytes, little-endian, as the report has them. */
  readonly miscSelect: Uint8Array
  readonly miscSelectMask: Uint8Array
  /** 16 bytes. */
  readonly attributes: Uint8Array
  readonly attributesMask: Uint8Array
  /** 32 bytes. */
  readonly mrSigner: Uint8Array
  readonly isvProdId: number
  /** Highest first. */
  readonly levels: readonly SvnLevel[]
}
