import type { RevocationList } from '../../crl.ts'
import { failed, passed, skipped, warned, type Rule } from '../../checks.ts'
import { attempt } from '../../der-attempt.ts'
import { AttestationError } from '../../problems.ts'
import type { Check, CollateralAddress, RollbackMark } from '../../verifier.ts'
import { formatName } from '../../x509-name.ts'
import type { ParsedCertificate } from '../../x509.ts'
import type { TpmAnchors } from '../anchors.ts'
import type { TpmClaims } from '../claims.ts'
import { factKey } from './facts.ts'
import { spkiDigest } from './address.ts'
import type { ProvenChain } from './chain.ts'
import { certificatesOf } from './dates.ts'
import { proveTpmList } from './revocation-list.ts'
import { skewMs, type Grounds } from './scope.ts'

/** How the check of a chain's lists is called, and its code for a certificate that is revoked. */
export type RevocationRule = Pick<Rule<never>, 'id' | 'title' | 'code'>

/** What the lists say. `until`: when the first of those that were relied on ends, grace included. */
export type Revocation = {
  readonly checks: readonly Check[]
  readonly state: TpmClaims['revocation']
  readonly until: readonly Date[]
}

const EXPECTED = 'on no list of the authorities for which the operator configured one'
const UNAVAILABLE = 'tpm-crl-unavailable'

/** A certificate, who issued it, and where the list is had on which it would stand. */
type Link = { readonly certificate: ParsedCertificate; readonly issuer: ParsedCertificate; readonly address: CollateralAddress }

/** The links of a chain for which the operator configured a list. An anchor is nobody's to revoke but the operator's. */
function linksOf(chain: ProvenChain, { crlSources }: TpmAnchors): readonly Link[] {
  const certificates = certificatesOf(chain)
  return certificates.flatMap((certificate, index) => {
    const issuer = certificates[index + 1]
    if (issuer === undefined || crlSources.length === 0) return []
    const digest = spkiDigest(issuer.spki)
    return crlSources.filter((source) => source.issuerSpkiSha256 === digest).map(({ address }) => ({ certificate, issuer, address }))
  })
}

/** The addresses of all lists that a chain is judged by, each once. */
export const listsOf = (chain: ProvenChain, anchors: TpmAnchors): readonly CollateralAddress[] => [
  ...new Set(linksOf(chain, anchors).map(({ address }) => address)),
]

type Verdict =
  | { readonly outcome: 'clear'; readonly text: string; readonly until: Date }
  | { readonly outcome: 'revoked' | 'unavailable' | 'absent'; readonly text: string }

/**
 * TPM-23 and the revocation of TPM-26. A revocation that is found counts whatever else is wrong with its list; a list that is absent, stale, rolled
 * back or not its authority's leaves the question open. An authority without a configured list is not asked about. A policy that turns revocation
 * off does without lists, but not without what one at hand says.
 */
export function checkRevocation(chain: ProvenChain, rule: RevocationRule, grounds: Grounds): Revocation {
  const verdicts = linksOf(chain, grounds.anchors.tpm).map((link) => judgeLink(link, grounds))
  const revoked = textOf(verdicts, 'revoked')
  if (revoked !== '') return { checks: [failed({ ...rule, expected: EXPECTED }, revoked)], state: 'checked', until: [] }
  if (grounds.rigour.revocation === 'DANGEROUSLY_OFF')
    return { checks: [skipped(rule, 'not asked: the policy turns revocation off')], state: 'not-checked', until: [] }
  if (verdicts.length === 0)
    return { checks: [skipped(rule, 'no list is configured for the authorities of this chain')], state: 'not-configured', until: [] }
  return answerOf(verdicts, rule)
}

const textOf = (verdicts: readonly Verdict[], outcome: Verdict['outcome']): string =>
  verdicts.flatMap((one) => (one.outcome === outcome ? [one.text] : [])).join('; ')

/** What lists come to on none of which a certificate of the chain stands. */
function answerOf(verdicts: readonly Verdict[], rule: RevocationRule): Revocation {
  const unknown = { ...rule, expected: EXPECTED, code: UNAVAILABLE } as const
  const [unavailable, absent] = [textOf(verdicts, 'unavailable'), textOf(verdicts, 'absent')]
  if (unavailable !== '') return { checks: [failed(unknown, unavailable)], state: 'not-checked', until: [] }
  if (absent !== '') return { checks: [warned(unknown, absent)], state: 'not-checked', until: [] }
  const until = verdicts.flatMap((one) => (one.outcome === 'clear' ? [one.until] : []))
  return { checks: [passed({ ...rule, expected: EXPECTED }, textOf(verdicts, 'clear'))], state: 'checked', until }
}

function judgeLink(link: Link, grounds: Grounds): Verdict {
  const { documents, marks } = grounds.collateral
  const bytes = documents.get(link.address)
  if (bytes === undefined) return absentList(link, grounds)
  const list = attempt(() => readList(bytes, link, grounds))
  if (list instanceof AttestationError) return { outcome: 'unavailable', text: list.message }
  if (list.isRevoked(link.certificate.serial)) return { outcome: 'revoked', text: `${revokedName(link.certificate)}, is on ${list.text}` }
  const fault = faultOf(list, marks.get(link.address), grounds)
  return fault === undefined ? { outcome: 'clear', text: list.text, until: endOf(list, grounds) } : { outcome: 'unavailable', text: fault }
}

/** Endorsement certificates, and Google's, may have no subject: the serial number then tells. */
const revokedName = ({ subject, serial }: ParsedCertificate): string =>
  [...(subject.length === 0 ? [] : [formatName(subject)]), `serial ${serial.toString(16)}`].join(', ')

/** Absence is tolerated only in mode `prefer`, and only until a list was once seen. */
function absentList({ address, issuer }: Link, { collateral, rigour }: Grounds): Verdict {
  const isTolerated = rigour.revocation === 'prefer' && !collateral.marks.has(address)
  return { outcome: isTolerated ? 'absent' : 'unavailable', text: `the list of ${formatName(issuer.subject)} is not at hand` }
}

/** A list whose signature is proven, from memory if these bytes were proven before for this authority. */
function readList(bytes: Uint8Array, { issuer }: Link, { anchors, mode, memo }: Grounds): RevocationList {
  const key = factKey({ fact: 'tpm-crl/1', mode, anchors: anchors.digest, role: 'crl' }, [issuer.der, bytes])
  const remembered = memo.crl.get(key)
  if (remembered !== undefined) return remembered
  const list = proveTpmList(bytes, issuer)
  memo.crl.set(key, list)
  return list
}

function faultOf(list: RevocationList, mark: RollbackMark | undefined, grounds: Grounds): string | undefined {
  const now = grounds.now.getTime()
  if (mark !== undefined && isRollback(list, mark)) return `a newer list than ${list.text} was seen before`
  // Asked so that a time that is no number fails.
  if (!(list.thisUpdate.getTime() <= now + skewMs(grounds.rigour))) return `the list is not valid yet: ${list.text}`
  return now < endOf(list, grounds).getTime() ? undefined : `the list has ended: ${list.text}`
}

/** Older than the newest ever accepted, by number or by date; a mark that could not be read is newer than anything. */
const isRollback = ({ number, thisUpdate }: RevocationList, mark: RollbackMark): boolean =>
  mark === 'strictest' || (number ?? 0n) < mark.number || !(mark.thisUpdate <= thisUpdate)

/** When a list counts as ended: nextUpdate and the policy's grace; at once where it does not say. */
const endOf = ({ nextUpdate }: RevocationList, { rigour }: Grounds): Date =>
  new Date(nextUpdate === undefined ? 0 : nextUpdate.getTime() + Math.max(rigour.crlGraceSeconds, 0) * 1000)
