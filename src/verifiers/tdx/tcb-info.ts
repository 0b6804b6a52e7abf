import { AttestationError } from '../problems.ts'
import type { IntelTee } from './address.ts'
import { readFields, type Fields } from './document-fields.ts'
import type { DocumentKind } from './signed-document.ts'
import { readPlatformLevels, readSvnLevels, type PlatformLevel, type SvnLevel } from './tcb-levels.ts'

/** Who signed a TDX module and what attributes it has: 48 and 8 bytes. */
export type SeamIdentity = { readonly mrSigner: Uint8Array; readonly attributes: Uint8Array }

/** A TDX module of one major version. */
export type ModuleIdentity = SeamIdentity & {
  /** In upper case: `TDX_01`. */
  readonly id: string
  /** Highest first. */
  readonly levels: readonly SvnLevel[]
}

/** TCB info (specification tdx.md section 4.1): validly signed, read, its dates not asked. */
export type TcbInfo = {
  readonly tee: IntelTee
  readonly issueDate: Date
  readonly nextUpdate: Date
  /** 6 bytes. */
  readonly fmspc: Uint8Array
  /** 2 bytes. */
  readonly pceid: Uint8Array
  readonly evaluationDataNumber: number
  /** The module of major version 0; undefined in documents for SGX. */
  readonly module: SeamIdentity | undefined
  /** Modules of other major versions; undefined where the document has no such list. */
  readonly moduleIdentities: readonly ModuleIdentity[] | undefined
  /** Highest first (section 5.2). */
  readonly levels: readonly PlatformLevel[]
}

const CODE = 'tdx-tcb-info-malformed'
/** Real documents have four at most (section 10.6). */
const MAX_IDENTITIES = 64
const MAX_NUMBER = 0xffff_ffff

/** TDX-38 and TDX-59: how TCB info is opened and read. */
export const TCB_INFO: DocumentKind<TcbInfo> = {
  fact: 'intel-tcb-info/1',
  member: 'tcbInfo',
  malformed: CODE,
  unsigned: 'tdx-tcb-info-invalid-signature',
  read: (value) => readFields(value, { path: 'tcbInfo', code: CODE }, readTcbInfo),
}

function readTcbInfo(fields: Fields): TcbInfo {
  const version = fields.integer('version', MAX_NUMBER)
  if (version !== 2 && version !== 3)
    throw new AttestationError('tdx-tcb-info-version-unsupported', `version ${version}`, { at: 'tcbInfo.version' })
  const tee = version === 2 ? 'sgx' : teeOf(fields)
  fields.integer('tcbType', 0)
  return {
    tee,
    issueDate: fields.time('issueDate'),
    nextUpdate: fields.time('nextUpdate'),
    fmspc: fields.hex('fmspc', 6),
    pceid: fields.hex('pceId', 2),
    evaluationDataNumber: fields.integer('tcbEvaluationDataNumber', MAX_NUMBER),
    ...readModules(fields, tee),
    levels: readPlatformLevels(fields, FORMS[tee][version]),
  }
}

/** Version 2 knows SGX alone, and says so nowhere. */
const FORMS = { tdx: { 2: 'numbered', 3: 'sgx-and-tdx' }, sgx: { 2: 'numbered', 3: 'sgx' } } as const

function teeOf(fields: Fields): IntelTee {
  const id = fields.name('id')
  if (id !== 'TDX' && id !== 'SGX') throw fields.malformed('id', 'is neither TDX nor SGX')
  return id === 'TDX' ? 'tdx' : 'sgx'
}

function readModules(fields: Fields, tee: IntelTee): Pick<TcbInfo, 'module' | 'moduleIdentities'> {
  if (tee === 'tdx') return { module: readSeam(fields.object('tdxModule')), moduleIdentities: readIdentities(fields) }
  if (fields.has('tdxModule') || fields.has('tdxModuleIdentities'))
    throw fields.malformed('tdxModule', 'has no place in a document for SGX')
  return { module: undefined, moduleIdentities: undefined }
}

function readIdentities(fields: Fields): readonly ModuleIdentity[] | undefined {
  if (!fields.has('tdxModuleIdentities')) return undefined
  const identities = fields.objects('tdxModuleIdentities', [1, MAX_IDENTITIES], (identity) => ({
    id: identity.name('id').toUpperCase(),
    ...readSeam(identity),
    levels: readSvnLevels(identity),
  }))
  if (new Set(identities.map(({ id }) => id)).size < identities.length) throw fields.malformed('tdxModuleIdentities', 'has a module twice')
  return identities
}

/** The mask is read and not used: all attributes must be zero (section 5.1). */
function readSeam(fields: Fields): SeamIdentity {
  fields.hex('attributesMask', 8)
  return { mrSigner: fields.hex('mrsigner', 48), attributes: fields.hex('attributes', 8) }
}
