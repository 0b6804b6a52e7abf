import type { IntelTee } from './address.ts'
import type { TcbStatus } from './claims.ts'

/** One component of a level: the SVN that it asks for, and what the document says that the component is. */
export type TcbComponent = { readonly svn: number; readonly category: string | null; readonly type: string | null }

/** What reaching a level means. */
export type Level = {
  readonly status: TcbStatus
  /** RFC 3339 in whole seconds of UTC, so that texts compare as times do. */
  readonly tcbDate: string
  readonly advisoryIds: readonly string[]
}

/** A level of the platform: 16 components each. */
export type PlatformLevel = Level & {
  readonly sgx: readonly TcbComponent[]
  readonly pcesvn: number
  /** undefined in documents for SGX. */
  readonly tdx: readonly TcbComponent[] | undefined
}

/** A level of something with one SVN: a TDX module or a quoting enclave. */
export type SvnLevel = Level & { readonly isvsvn: number }

/** Who signed a TDX module and what attributes it has: 48 and 8 bytes. */
export type SeamIdentity = { readonly mrSigner: Uint8Array; readonly attributes: Uint8Array }

/** A TDX module of one major version. */
export type ModuleIdentity = SeamIdentity & {
  /** As written in the document, in upper case: `TDX_01`. */
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
