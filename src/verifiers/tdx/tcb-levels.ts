import type { Fields } from './document-fields.ts'
import type { PartStatus, PlatformStatus } from './tcb-converge.ts'

/** One component of a level: the SVN that it asks for, and what the document says that the component is. */
export type TcbComponent = { readonly svn: number; readonly category: string | null; readonly type: string | null }

/** What reaching a level means. */
type Level<S extends PlatformStatus> = {
  readonly status: S
  /** RFC 3339 in whole seconds of UTC, so that texts compare as times do. */
  readonly tcbDate: string
  readonly advisoryIds: readonly string[]
}

/** A level of something with one SVN: a TDX module or a quoting enclave. */
export type SvnLevel = Level<PartStatus> & { readonly isvsvn: number }

/** A level of the platform: 16 components each. */
export type PlatformLevel = Level<PlatformStatus> & {
  readonly sgx: readonly TcbComponent[]
  readonly pcesvn: number
  /** undefined in documents for SGX. */
  readonly tdx: readonly TcbComponent[] | undefined
}

/** Levels of one list. The fullest real document has 21 (specification tdx.md section 10.6). */
const LEVELS = [1, 64] as const
const MAX_ADVISORIES = 256
const COMPONENTS = 16
const MAX_SVN = 0xff
const MAX_ISVSVN = 0xffff

/** Statuses of modules and quoting enclaves (sections 4.1, 4.2). */
const SVN_STATUSES: readonly PartStatus[] = ['UpToDate', 'OutOfDate', 'Revoked']
const PLATFORM_STATUSES: readonly PlatformStatus[] = [
  ...SVN_STATUSES,
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDateConfigurationNeeded',
]

const readLevel = <S extends PlatformStatus>(fields: Fields, statuses: readonly S[]): Level<S | 'Revoked'> => ({
  status: fields.status('tcbStatus', statuses),
  tcbDate: dateText(fields),
  advisoryIds: fields.optionalNames('advisoryIDs', MAX_ADVISORIES),
})

function dateText(fields: Fields): string {
  fields.time('tcbDate')
  return fields.name('tcbDate')
}

/** Levels by one SVN, highest first. Two of the same SVN are an error. */
export function readSvnLevels(fields: Fields): readonly SvnLevel[] {
  const levels = fields.objects('tcbLevels', LEVELS, (level) => ({
    ...readLevel(level, SVN_STATUSES),
    isvsvn: level.object('tcb').integer('isvsvn', MAX_ISVSVN),
  }))
  return sorted(levels, fields, (a, b) => b.isvsvn - a.isvsvn)
}

/** Which SVNs a level lists, and how. `numbered`: version 2, sgxtcbcomp01svn to sgxtcbcomp16svn. */
export type ComponentForm = 'numbered' | 'sgx' | 'sgx-and-tdx'

/** Levels of the platform, highest first (section 5.2). Two of the same components and PCESVN are an error. */
export function readPlatformLevels(fields: Fields, form: ComponentForm): readonly PlatformLevel[] {
  const levels = fields.objects('tcbLevels', LEVELS, (level) => {
    const tcb = level.object('tcb')
    return {
      ...readLevel(level, PLATFORM_STATUSES),
      sgx: form === 'numbered' ? readNumbered(tcb) : readComponents(tcb, 'sgxtcbcomponents'),
      pcesvn: tcb.integer('pcesvn', MAX_ISVSVN),
      tdx: form === 'sgx-and-tdx' ? readComponents(tcb, 'tdxtcbcomponents') : undefined,
    }
  })
  return sorted(levels, fields, byHeight)
}

const readComponents = (tcb: Fields, name: string): readonly TcbComponent[] =>
  tcb.objects(name, [COMPONENTS, COMPONENTS], (component) => ({
    svn: component.integer('svn', MAX_SVN),
    category: component.optionalName('category'),
    type: component.optionalName('type'),
  }))

const readNumbered = (tcb: Fields): readonly TcbComponent[] =>
  Array.from({ length: COMPONENTS }, (_, index) => ({
    svn: tcb.integer(`sgxtcbcomp${String(index + 1).padStart(2, '0')}svn`, MAX_SVN),
    category: null,
    type: null,
  }))

/** Highest first: SGX components, then PCESVN, then TDX components, each in their order. 0: the same level. */
function byHeight(a: PlatformLevel, b: PlatformLevel): number {
  return compare(b.sgx, a.sgx) || b.pcesvn - a.pcesvn || compare(b.tdx ?? [], a.tdx ?? [])
}

function compare(a: readonly TcbComponent[], b: readonly TcbComponent[]): number {
  const differing = a.findIndex(({ svn }, index) => svn !== b[index]?.svn)
  return (a[differing]?.svn ?? 0) - (b[differing]?.svn ?? 0)
}

function sorted<T>(levels: readonly T[], fields: Fields, order: (a: T, b: T) => number): readonly T[] {
  const highestFirst = levels.toSorted(order)
  const isTwice = highestFirst.some((level, index) => index > 0 && order(highestFirst[index - 1] ?? level, level) === 0)
  if (isTwice) throw fields.malformed('tcbLevels', 'has a level twice')
  return highestFirst
}
