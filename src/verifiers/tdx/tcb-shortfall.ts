import type { TcbShortfall } from './claims.ts'
import { firstTdxComponent, majorOf, moduleIdentityOf, type TcbDocuments, type TcbSubject } from './tcb-match.ts'
import type { PlatformLevel, SvnLevel, TcbComponent } from './tcb-levels.ts'

/** What a TCB lacks of the newest levels, and the date of the latest of the levels that it lacks something of. */
export type Shortfalls = { readonly shortfall: readonly TcbShortfall[]; readonly neededTcbDate: string | null }

/** What one part lacks of its newest level. */
type Gap = { readonly level: { readonly tcbDate: string }; readonly lacks: readonly TcbShortfall[] }

/**
 * Every component that is lower than the newest level asks for (specification tdx.md section 5.8). With both TCBs of a TD 1.5 a
 * component is named once, as the first of them has it.
 */
export function shortfallsOf(subjects: readonly TcbSubject[], documents: TcbDocuments): Shortfalls {
  const gaps = subjects.flatMap((subject) => gapsOf(subject, documents)).filter(({ lacks }) => lacks.length > 0)
  const byComponent = new Map(gaps.flatMap(({ lacks }) => lacks.map((one) => [one.component, one] as const)).toReversed())
  const dates = gaps.map(({ level }) => level.tcbDate)
  return { shortfall: [...byComponent.values()].toReversed(), neededTcbDate: dates.toSorted().at(-1) ?? null }
}

function gapsOf(subject: TcbSubject, { tcbInfo, qeIdentity }: TcbDocuments): readonly Gap[] {
  const [platform] = tcbInfo.levels
  const [module] = moduleIdentityOf(tcbInfo, majorOf(subject))?.levels ?? []
  const [qe] = qeIdentity.levels
  return [
    ...(platform === undefined ? [] : [{ level: platform, lacks: platformLacks(subject, platform) }]),
    ...svnGap(module, { component: 'tdx module', actual: subject.svn?.[0] ?? 0 }),
    ...svnGap(qe, { component: 'qe', actual: subject.qeIsvSvn }),
  ]
}

function platformLacks(subject: TcbSubject, { sgx, pcesvn, tdx = [] }: PlatformLevel): readonly TcbShortfall[] {
  const start = firstTdxComponent(subject)
  return [
    ...componentLacks('sgx', sgx, subject.components),
    ...(subject.pcesvn < pcesvn ? [{ component: 'pcesvn', actual: subject.pcesvn, needed: pcesvn, category: null, type: null }] : []),
    ...componentLacks('tdx', tdx, subject.svn ?? []),
  ].filter(({ component }) => start === 0 || !OWN_OF_MODULE.includes(component))
}

/** A module with levels of its own answers for these (section 5.2). */
const OWN_OF_MODULE: readonly string[] = ['tdx component 0', 'tdx component 1']

const componentLacks = (kind: 'sgx' | 'tdx', needed: readonly TcbComponent[], actual: ArrayLike<number>): readonly TcbShortfall[] =>
  needed.flatMap(({ svn, category, type }, index) => {
    const own = actual[index] ?? 0
    return own < svn ? [{ component: `${kind} component ${index}`, actual: own, needed: svn, category, type }] : []
  })

const svnGap = (level: SvnLevel | undefined, { component, actual }: Pick<TcbShortfall, 'component' | 'actual'>): readonly Gap[] =>
  level === undefined || actual >= level.isvsvn
    ? []
    : [{ level, lacks: [{ component, actual, needed: level.isvsvn, category: null, type: null }] }]
