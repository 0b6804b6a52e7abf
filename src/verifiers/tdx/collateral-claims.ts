import type { CollateralClaims } from './claims.ts'
import type { JudgedDocument } from './collateral-documents.ts'
import type { Dated } from './collateral-dates.ts'
import type { CollateralVerdict, PckChain } from './collateral-input.ts'
import { secondsOf } from './document-fields.ts'
import type { QeIdentity } from './qe-identity.ts'
import type { JudgedList } from './revocation.ts'
import type { ShortChain } from './signing-chain.ts'
import type { TcbInfo } from './tcb-info.ts'

/** All collateral of one verdict; every check of it passed, or was tolerated. */
export type Relied = {
  readonly root: JudgedList
  readonly pck: JudgedList
  readonly tcbInfo: JudgedDocument<TcbInfo>
  readonly qeIdentity: JudgedDocument<QeIdentity>
}

/** What the same collateral says of itself, whenever it is asked: of a platform it is the same until a document is replaced. */
type Lasting = {
  /** Of which lists and documents it was made: each has a window of its own. */
  readonly dated: readonly Dated[]
  readonly claims: Omit<CollateralClaims, 'collateral_expired'>
  /** When each certificate ends. */
  readonly ends: readonly Date[]
}

/** By the chain of the platform. */
const kept = new WeakMap<PckChain, Lasting>()

/** Supplemental data (specification tdx.md section 5.8), and when each thing ends that was relied on. */
export function collateralClaims(pck: PckChain, relied: Relied): Pick<CollateralVerdict, 'claims' | 'validUntil'> {
  const documents = [relied.root, relied.pck, relied.tcbInfo, relied.qeIdentity]
  const { claims, ends } = lastingOf(pck, relied, documents)
  const validUntil = [...ends]
  for (const { window } of documents) if (window.until !== undefined) validUntil.push(window.until)
  return { claims: { ...claims, collateral_expired: documents.some(({ window }) => window.neededGrace) }, validUntil }
}

type Document = { readonly dated: Dated; readonly window: JudgedList['window'] }

function lastingOf(pck: PckChain, relied: Relied, documents: readonly Document[]): Lasting {
  const known = kept.get(pck)
  if (known !== undefined && documents.every(({ dated }, i) => dated === known.dated[i])) return known
  const lasting = putTogether(pck, relied, documents)
  kept.set(pck, lasting)
  return lasting
}

function putTogether(pck: PckChain, { root, pck: pckList, tcbInfo, qeIdentity }: Relied, documents: readonly Document[]): Lasting {
  const certificates = [...certificatesOf(pck), ...ofChain(tcbInfo.chain), ...ofChain(qeIdentity.chain)]
  const dated = documents.map((document) => document.dated)
  const all: readonly Span[] = [...certificates, ...dated]
  const issued = all.map(({ from }) => from.getTime())
  const claims = {
    earliest_issue_date: timeOf(Math.min(...issued)),
    latest_issue_date: timeOf(Math.max(...issued)),
    earliest_expiration_date: timeOf(Math.min(...endsOf(all).map((end) => end.getTime()))),
    pck_crl_num: String(pckList.list.number ?? 'none'),
    root_ca_crl_num: String(root.list.number ?? 'none'),
    root_key_id: tcbInfo.chain.rootKeyId,
  }
  return { dated, claims, ends: endsOf(certificates) }
}

const timeOf = (milliseconds: number): string => secondsOf(new Date(milliseconds))

type Span = Pick<Dated, 'from' | 'until'>

const endsOf = (dated: readonly Span[]): readonly Date[] => dated.flatMap(({ until }) => (until === undefined ? [] : [until]))

const datedOf = ({ notBefore, notAfter }: PckChain['leaf']): Span => ({ from: notBefore, until: notAfter })
const certificatesOf = ({ leaf, ca, root }: PckChain): readonly Span[] => [leaf, ca, root].map(datedOf)
const ofChain = ({ first, root }: ShortChain): readonly Span[] => [first, root].map(datedOf)
