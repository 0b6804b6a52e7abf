import { readFields, type Fields } from './document-fields.ts'
import type { DocumentKind } from './signed-document.ts'
import { readSvnLevels, type SvnLevel } from './tcb-levels.ts'

/** Identity of an enclave of Intel's (specification tdx.md section 4.2): validly signed, read, its dates not asked. */
export type QeIdentity = {
  readonly id: EnclaveId
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

/** Enclaves that Intel publishes an identity of; the first two sign quotes. */
const ENCLAVES = ['TD_QE', 'QE', 'QVE', 'QAE'] as const
type EnclaveId = (typeof ENCLAVES)[number]

const CODE = 'tdx-qe-identity-malformed'
const MAX_NUMBER = 0xffff_ffff

/** TDX-39 and TDX-59: how the identity of a quoting enclave is opened and read. */
export const QE_IDENTITY: DocumentKind<QeIdentity> = {
  fact: 'intel-qe-identity/1',
  member: 'enclaveIdentity',
  malformed: CODE,
  unsigned: 'tdx-qe-identity-invalid-signature',
  read: (value) => readFields(value, { path: 'enclaveIdentity', code: CODE }, readQeIdentity),
}

function readQeIdentity(fields: Fields): QeIdentity {
  const version = fields.integer('version', MAX_NUMBER)
  if (version !== 2) throw fields.malformed('version', `is ${version}, not 2`)
  const name = fields.name('id')
  const id = ENCLAVES.find((one) => one === name)
  if (id === undefined) throw fields.malformed('id', 'is none of Intel’s enclaves')
  return {
    id,
    issueDate: fields.time('issueDate'),
    nextUpdate: fields.time('nextUpdate'),
    evaluationDataNumber: fields.integer('tcbEvaluationDataNumber', MAX_NUMBER),
    miscSelect: fields.hex('miscselect', 4),
    miscSelectMask: fields.hex('miscselectMask', 4),
    attributes: fields.hex('attributes', 16),
    attributesMask: fields.hex('attributesMask', 16),
    mrSigner: fields.hex('mrsigner', 32),
    isvProdId: fields.integer('isvprodid', 0xffff),
    levels: readSvnLevels(fields),
  }
}
