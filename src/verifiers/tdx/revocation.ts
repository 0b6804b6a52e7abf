import type { RevocationList } from '../crl.ts'
import { attempt } from '../der-attempt.ts'
import { failed, passed, skipped } from '../checks.ts'
import { AttestationError, type ProblemCode } from '../problems.ts'
import type { Check, CollateralAddress } from '../verifier.ts'
import type { ParsedCertificate } from '../x509.ts'
import { pckCrlAddress, rootCaCrlAddress } from './address.ts'
import {
  checkRollback,
  checkWindow,
  datedOf,
  rollbackRule,
  type RollbackRule,
  type WindowJudgement,
  type WindowRule,
} from './collateral-dates.ts'
import { rigourOf, type CollateralInput } from './collateral-input.ts'
import { readVendorDocument } from './document.ts'
import { heldDigestOf } from '../digests.ts'
import { tdxFactKey, type ProvenList } from './facts.ts'
import { listCode, proveList, type ListKind } from './revocation-list.ts'

/** A list that its authority has signed, and what its window says. */
export type JudgedList = Pick<ProvenList, 'list' | 'dated'> & { readonly window: WindowJudgement }

/** Step 4 of section 5: both lists, each undefined where nothing proves it, and every check of them. */
export type ListsJudgement = {
  readonly checks: readonly Check[]
  readonly root: JudgedList | undefined
  readonly pck: JudgedList | undefined
}

/** TDX-29 of certificates of one kind. */
export type RevokedRule = { readonly id: 'TDX-29'; readonly title: string; readonly expected: string; readonly code: ProblemCode }

/** The rule with these words and this code. */
export const revokedRule = (title: string, code: ProblemCode): RevokedRule => ({
  id: 'TDX-29',
  title,
  expected: 'a serial number that is not on the list',
  code,
})

/** What is asked of one kind of list, and of those who must not stand on it. */
type ListRules = {
  readonly proven: { readonly id: string; readonly title: string }
  readonly current: WindowRule
  readonly rollback: RollbackRule
  readonly revoked: RevokedRule
}

const WINDOW = { id: 'TDX-31', early: 'tdx-crl-not-yet-valid', late: 'tdx-crl-expired' } as const

const listRules = (proven: ListRules['proven'], revoked: RevokedRule): ListRules => ({
  proven,
  current: { ...WINDOW, title: `${proven.title} is current` },
  rollback: rollbackRule(proven.title.toLowerCase()),
  revoked,
})

const RULES: Readonly<Record<ListKind, ListRules>> = {
  root: listRules(
    { id: 'TDX-28', title: 'Revocation list of the root' },
    revokedRule('The PCK authority is not revoked', 'tdx-intermediate-ca-revoked'),
  ),
  pck: listRules(
    { id: 'TDX-27', title: 'Revocation list of the PCK authority' },
    revokedRule('The PCK certificate is not revoked', 'tdx-pck-cert-revoked'),
  ),
}

/** One list, and the certificates that are looked up in it. */
type Subject = {
  readonly kind: ListKind
  readonly address: CollateralAddress
  readonly issuer: ParsedCertificate
  readonly certificates: readonly ParsedCertificate[]
}

/** The root's list is about authorities, that of an authority about PCK certificates (specification tdx.md TDX-29). */
const subjectsOf = ({ pck }: CollateralInput): Readonly<Record<ListKind, Subject>> => ({
  root: { kind: 'root', address: rootCaCrlAddress, issuer: pck.root, certificates: [pck.root, pck.ca] },
  pck: { kind: 'pck', address: pckCrlAddress(pck.issuedBy), issuer: pck.ca, certificates: [pck.leaf] },
})

/**
 * Judges both lists (TDX-27 to 29, 31, 34). They are never optional. What stands on a list that its authority has signed counts
 * whatever its dates are.
 */
export function judgeLists(input: CollateralInput): ListsJudgement {
  const subjects = subjectsOf(input)
  const [root, pck] = [judgeList(input, subjects.root), judgeList(input, subjects.pck)]
  return { checks: [...root.checks, ...pck.checks], root: root.judged, pck: pck.judged }
}

/** TDX-29 for any certificate; skipped where nothing proves the list. */
export function checkRevoked(rule: RevokedRule, certificates: readonly ParsedCertificate[], list: RevocationList | undefined): Check {
  if (list === undefined) return skipped(rule, 'no list that can be relied on is at hand')
  const revoked = certificates.filter(({ serial }) => list.isRevoked(serial))
  return revoked.length > 0 ? failed(rule, `serial ${serials(revoked)} is revoked`) : passed(rule, `serial ${serials(certificates)}`)
}

const serials = (certificates: readonly ParsedCertificate[]): string => certificates.map(({ serial }) => serial.toString(16)).join(', ')

function judgeList(input: CollateralInput, subject: Subject): { readonly checks: readonly Check[]; readonly judged?: JudgedList } {
  const { context, collateral } = input
  const { current, revoked, rollback } = RULES[subject.kind]
  const proven = provenList(input, subject)
  if (proven instanceof AttestationError) {
    const checks = [failed(ruleOf(subject, proven.code), proven.message), checkRevoked(revoked, subject.certificates, undefined)]
    return { checks }
  }
  const { list, dated } = proven
  const window = checkWindow(current, dated, { now: context.now, rigour: rigourOf(input) })
  const checks = [
    passed(ruleOf(subject, listCode(subject.kind, 'missing')), proven.about),
    window.check,
    checkRevoked(revoked, subject.certificates, list),
    checkRollback(rollback, dated, collateral.marks.get(subject.address)),
  ]
  return { checks, judged: { list, dated, window } }
}

const ruleOf = ({ kind }: Subject, code: ProblemCode) => ({
  ...RULES[kind].proven,
  code,
  expected: 'a list in DER, issued and signed by that authority, with cRLNumber and authorityKeyIdentifier',
})

/** A list whose signature is proven, from memory if these bytes were proven before for this authority. */
function provenList({ anchors, collateral, context }: CollateralInput, subject: Subject): ProvenList | AttestationError {
  const { kind, address, issuer } = subject
  const bytes = collateral.documents.get(address)
  if (bytes === undefined) return new AttestationError(listCode(kind, 'missing'), `${address} is not at hand`)
  const { subjectDer, spki } = issuer
  const scope = { fact: 'intel-crl/1', mode: context.mode, anchors: anchors.digest } as const
  const key = tdxFactKey(scope, [subjectDer, spki, bytes].map(heldDigestOf))
  const known = context.memo.tdx.crl.get(key)
  if (known !== undefined) return known
  const proven = attempt(() => withDates(proveList(bodyOf(bytes, kind), kind, issuer)))
  if (!(proven instanceof AttestationError)) context.memo.tdx.crl.set(key, proven)
  return proven
}

const withDates = (list: RevocationList): ProvenList => ({
  list,
  dated: datedOf(list.thisUpdate, list.nextUpdate),
  about: `${list.text}, ${list.size} revoked`,
})

/** The DER inside what is kept; bytes that were never a document of ours are a malformed list. */
function bodyOf(bytes: Uint8Array, kind: ListKind): Uint8Array {
  const document = attempt(() => readVendorDocument(bytes))
  if (document instanceof AttestationError) throw new AttestationError(listCode(kind, 'malformed'), document.message)
  return document.body
}
