import { sign, type KeyObject } from 'node:crypto'
import type { IntelTee, IntelUpdate } from '../verifiers/tdx/address.ts'
import type { VendorDocument } from '../verifiers/tdx/document.ts'
import { pem } from './envelopes.ts'
import { ISV_LEVELS, MODULES, platformLevels, QE, type IsvLevel, type ModuleIdentity, type PlatformLevel } from './intel-levels.ts'

/** What may differ from a signed document as Intel would have made it, in the order in which it is made. */
type DocumentRequest = {
  /** Default: an hour before `now` of the fake Intel. */
  readonly issueDate?: Date
  /** Default: 30 days after the issue date. */
  readonly nextUpdate?: Date
  readonly update?: IntelUpdate
  readonly evaluationNumber?: number
  /** Changes the object before it becomes text. */
  readonly change?: (document: Readonly<Record<string, unknown>>) => unknown
  /** Changes the text that is signed. */
  readonly text?: (json: string) => string
  readonly signWith?: KeyObject
  /** The whole answer from the signed text and its signature (hex). */
  readonly wrap?: (text: string, signature: string) => string
  /** The chain beside it, DER, signer first; default: TCB signer and root. */
  readonly chain?: readonly Uint8Array[]
}

/** A TCB info to be made. */
export type TcbInfoRequest = DocumentRequest & {
  readonly tee?: IntelTee
  /** 2 exists for SGX only. */
  readonly version?: 2 | 3
  /** Written as it is given. */
  readonly fmspc?: string
  readonly pceId?: string
  readonly levels?: readonly PlatformLevel[]
  readonly modules?: readonly ModuleIdentity[] | 'absent'
}

/** The identity of a quoting enclave to be made. */
export type QeIdentityRequest = DocumentRequest & {
  readonly tee?: IntelTee
  readonly levels?: readonly IsvLevel[]
}

/** Who signs, and when it is. */
export type Signer = { readonly now: Date; readonly privateKey: KeyObject; readonly chain: readonly Uint8Array[] }

/** The FMSPC of the simulator's TDX hosts (a Sapphire Rapids). */
export const SIM_FMSPC = '00806f050000'

/** A signed TCB info (specification tdx.md section 4.1). */
export function mintTcbInfo(signer: Signer, request: TcbInfoRequest): VendorDocument {
  const { tee, version, fmspc, pceId, modules, ...all } = { ...TCB_INFO_DEFAULTS, ...request }
  const { levels = platformLevels(request.update ?? 'standard') } = all
  const info = {
    ...VERSIONS[version].id(tee),
    version,
    ...dates(signer, request),
    fmspc,
    pceId,
    tcbType: 0,
    tcbEvaluationDataNumber: evaluationNumber(request),
    ...(tee === 'tdx' ? modulesJson(modules) : {}),
    tcbLevels: levels.map((level) => ({ tcb: VERSIONS[version].tcb(level, tee), ...verdictJson(level) })),
  }
  return signed('tcbInfo', info, { signer, request })
}

const TCB_INFO_DEFAULTS = { tee: 'tdx', version: 3, fmspc: SIM_FMSPC, pceId: '0000', modules: MODULES } as const

/** A signed identity of a quoting enclave (specification tdx.md section 4.2). */
export function mintQeIdentity(signer: Signer, request: QeIdentityRequest): VendorDocument {
  const { tee = 'tdx', levels = ISV_LEVELS } = request
  const { id, mrSigner, isvProdId } = QE[tee]
  const identity = {
    id,
    version: 2,
    ...dates(signer, request),
    tcbEvaluationDataNumber: evaluationNumber(request),
    miscselect: '00000000',
    miscselectMask: 'FFFFFFFF',
    attributes: '11000000000000000000000000000000',
    attributesMask: 'FBFFFFFFFFFFFFFF0000000000000000',
    mrsigner: mrSigner.toUpperCase(),
    isvprodid: isvProdId,
    tcbLevels: levels.map(isvLevelJson),
  }
  return signed('enclaveIdentity', identity, { signer, request })
}

/** The signed list of evaluation numbers that are on offer. */
export function mintEvaluationNumbers(signer: Signer, tee: IntelTee): VendorDocument {
  const numbers = {
    id: tee.toUpperCase(),
    version: 1,
    ...dates(signer, {}),
    tcbEvalNumbers: [EVALUATION.early, EVALUATION.standard].map((tcbEvaluationDataNumber) => ({
      tcbEvaluationDataNumber,
      tcbRecoveryEventDate: '2025-08-12T00:00:00Z',
      tcbDate: '2025-08-13T00:00:00Z',
    })),
  }
  return signed('tcbEvaluationDataNumbers', numbers, { signer, request: {} })
}

const HOUR = 3_600_000
const EVALUATION: Record<IntelUpdate, number> = { standard: 20, early: 21 }

const evaluationNumber = ({ update = 'standard', evaluationNumber: chosen }: DocumentRequest): number => chosen ?? EVALUATION[update]

function dates({ now }: Signer, request: DocumentRequest) {
  const issueDate = request.issueDate ?? new Date(now.getTime() - HOUR)
  const nextUpdate = request.nextUpdate ?? new Date(issueDate.getTime() + 30 * 24 * HOUR)
  return { issueDate: dateText(issueDate), nextUpdate: dateText(nextUpdate) }
}

const dateText = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, 'Z')

const verdictJson = ({ status, date, advisories }: Pick<IsvLevel, 'status' | 'date' | 'advisories'>) => ({
  tcbDate: date,
  tcbStatus: status,
  ...(advisories === undefined ? {} : { advisoryIDs: advisories }),
})

const isvLevelJson = (level: IsvLevel) => ({ tcb: { isvsvn: level.isvsvn }, ...verdictJson(level) })

const NOTHING = { mrsigner: '00'.repeat(48), attributes: '00'.repeat(8), attributesMask: 'FF'.repeat(8) } as const

function modulesJson(modules: readonly ModuleIdentity[] | 'absent') {
  if (modules === 'absent') return { tdxModule: NOTHING }
  return {
    tdxModule: NOTHING,
    tdxModuleIdentities: modules.map(({ id, levels, ...identity }) => ({
      id,
      ...NOTHING,
      ...identity,
      tcbLevels: levels.map(isvLevelJson),
    })),
  }
}

/** What components are, where Intel says it. */
const SGX_WORDS = [
  { category: 'BIOS', type: 'Early Microcode Update' },
  { category: 'OS/VMM', type: 'SGX Late Microcode Update' },
  { category: 'OS/VMM', type: 'TXT SINIT' },
  { category: 'BIOS' },
  { category: 'BIOS' },
  { category: 'BIOS' },
  {},
  { category: 'OS/VMM', type: 'SEAMLDR ACM' },
] as const
const MODULE_WORDS = { category: 'OS/VMM', type: 'TDX Module' } as const
const TDX_WORDS = [MODULE_WORDS, MODULE_WORDS, { category: 'OS/VMM', type: 'TDX Late Microcode Update' }] as const

const described = (svns: readonly number[], words: readonly object[]) => svns.map((svn, index) => ({ svn, ...words[index] }))

const tcbV3 = ({ sgx, pcesvn, tdx }: PlatformLevel, tee: IntelTee) => ({
  sgxtcbcomponents: described(sgx, SGX_WORDS),
  pcesvn,
  ...(tee === 'tdx' ? { tdxtcbcomponents: described(tdx, TDX_WORDS) } : {}),
})

const tcbV2 = ({ sgx, pcesvn }: PlatformLevel) => ({
  ...Object.fromEntries(sgx.map((svn, index) => [`sgxtcbcomp${String(index + 1).padStart(2, '0')}svn`, svn])),
  pcesvn,
})

/** What differs between the versions of a TCB info. */
const VERSIONS = {
  2: { id: () => ({}), tcb: tcbV2 },
  3: { id: (tee: IntelTee) => ({ id: tee.toUpperCase() }), tcb: tcbV3 },
} as const

type Signing = { readonly signer: Signer; readonly request: DocumentRequest }

/** Signs the text of the object, as Intel does (section 2, S7). */
function signed(name: string, object: Readonly<Record<string, unknown>>, { signer, request }: Signing): VendorDocument {
  const { change = (same) => same, text = (same) => same, signWith = signer.privateKey, chain = signer.chain } = request
  const { wrap = (value, signature) => `{"${name}":${value},"signature":"${signature}"}` } = request
  const value = text(JSON.stringify(change(object)))
  const signature = sign('sha256', Buffer.from(value), { key: signWith, dsaEncoding: 'ieee-p1363' }).toString('hex')
  return { body: bytesOf(wrap(value, signature)), issuerChain: bytesOf(chain.map((der) => pem(der)).join('')) }
}

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
