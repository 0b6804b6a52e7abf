import type { QeIdentity } from './qe-identity.ts'
import type { ModuleIdentity, TcbInfo } from './tcb-info.ts'
import type { PlatformLevel, SvnLevel } from './tcb-levels.ts'

/** The documents that a TCB is held against: validly signed, current, of this platform. */
export type TcbDocuments = { readonly tcbInfo: TcbInfo; readonly qeIdentity: QeIdentity }

/** The TCB that is held against them. */
export type TcbSubject = {
  /** The 16 SGX component SVNs. */
  readonly components: readonly number[]
  readonly pcesvn: number
  readonly qeIsvSvn: number
  /** TEE_TCB_SVN or TEE_TCB_SVN_2; undefined for SGX. */
  readonly svn: Uint8Array | undefined
}

/** The levels that a TCB reaches, each undefined where it reaches none. */
export type MatchedLevels = {
  readonly platform: PlatformLevel | undefined
  /** Major version of the TDX module; 0: it has no levels of its own, as nothing for SGX has. */
  readonly major: number
  readonly module: SvnLevel | undefined
  readonly qe: SvnLevel | undefined
}

/** Major version of the TDX module (specification tdx.md section 1.5); 0 for SGX. */
export const majorOf = ({ svn }: Pick<TcbSubject, 'svn'>): number => svn?.[1] ?? 0

/** The identity of the module of a major version above 0 (section 5.1). */
export function moduleIdentityOf({ moduleIdentities }: TcbInfo, major: number): ModuleIdentity | undefined {
  const id = `TDX_${major.toString(16).toUpperCase().padStart(2, '0')}`
  return moduleIdentities?.find((identity) => identity.id === id)
}

/** The first of its components that a TDX module of its own levels answers for itself (section 5.2): 0 and 1 are then not the platform's. */
export const firstTdxComponent = (subject: Pick<TcbSubject, 'svn'>): 0 | 2 => (majorOf(subject) > 0 ? 2 : 0)

/** Section 5.2 up to the levels: for each part the highest level that it reaches. */
export function matchLevels(subject: TcbSubject, { tcbInfo, qeIdentity }: TcbDocuments): MatchedLevels {
  const major = majorOf(subject)
  const modules = major > 0 ? (moduleIdentityOf(tcbInfo, major)?.levels ?? []) : []
  return {
    platform: tcbInfo.levels.find((level) => reaches(subject, level)),
    major,
    module: reached(modules, subject.svn?.[0]),
    qe: reached(qeIdentity.levels, subject.qeIsvSvn),
  }
}

const reached = (levels: readonly SvnLevel[], svn: number | undefined): SvnLevel | undefined =>
  levels.find(({ isvsvn }) => svn !== undefined && svn >= isvsvn)

function reaches(subject: TcbSubject, { sgx, pcesvn, tdx }: PlatformLevel): boolean {
  const { components, svn } = subject
  if (!sgx.every((needed, index) => isAtLeast(components[index], needed.svn)) || !(subject.pcesvn >= pcesvn)) return false
  if (svn === undefined) return tdx === undefined
  const start = firstTdxComponent(subject)
  return tdx !== undefined && tdx.every((needed, index) => index < start || isAtLeast(svn[index], needed.svn))
}

/** A component that is not there reaches nothing. */
const isAtLeast = (actual: number | undefined, needed: number): boolean => actual !== undefined && actual >= needed
