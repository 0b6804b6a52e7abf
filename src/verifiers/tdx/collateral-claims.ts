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

/** Supplemental data (specification tdx.md section 5.8), and when each thing ends that was relied on. */
export function collateralClaims(pck: PckChain, relied: Relied): Pick<CollateralVerdict, 'claims' | 'validUntil'> {
  const { root, pck: pckList, tcbInfo, qeIdentity } = relied
  const certificates = [...certificatesOf(pck), ...ofChain(tcbInfo.chain), ...ofChain(qeIdentity.chain)]
  const documents = [root, pckList, tcbInfo, qeIdentity]
  const dated: readonly Span[] = [...certificates, ...documents.map((document) => document.dated)]
  const issued = dated.map(({ from }) => from.getTime())
  const claims: CollateralClaims = {
    earliest_issue_date: timeOf(Math.min(...issued)),
    latest_issue_date: timeOf(Math.max(...issued)),
    earliest_expiration_date: timeOf(Math.min(...endsOf(dated).map((end) => end.getTime()))),
    pck_crl_num: String(pckList.list.number ?? 'none'),
    root_ca_crl_num: String(root.list.number ?? 'none'),
    root_key_id: tcbInfo.chain.rootKeyId,
    collateral_expired: documents.some(({ window }) => window.neededGrace),
  }
  const ends = documents.map(({ window }) => window.until).filter((until) => until !== undefined)
  return { claims, validUntil: [...endsOf(certificates), ...ends] }
}

const timeOf = (milliseconds: number): string => secondsOf(new Date(milliseconds))

type Span = Pick<Dated, 'from' | 'until'>

const endsOf = (dated: readonly Span[]): readonly Date[] => dated.flatMap(({ until }) => (until === undefined ? [] : [until]))

const datedOf = ({ notBefore, notAfter }: PckChain['leaf']): Span => ({ from: notBefore, until: notAfter })
const certificatesOf = ({ leaf, ca, root }: PckChain): readonly Span[] => [leaf, ca, root].map(datedOf)
const ofChain = ({ first, root }: ShortChain): readonly Span[] => [first, root].map(datedOf)
