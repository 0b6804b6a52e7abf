import type { RevocationList } from '../crl.ts'
import { attempt } from '../der-attempt.ts'
import { failed, passed, skipped } from '../checks.ts'
import { AttestationError, type ProblemCode } from '../problems.ts'
import type { Check, CollateralAddress } from '../verifier.ts'
import type { ParsedCertificate } from '../x509.ts'
import { pckCrlAddress, rootCaCrlAddress } from './address.ts'
import { checkRollback, checkWindow, datedOf, type WindowJudgement } from './collateral-dates.ts'
import { rigourOf, type CollateralInput } from './collateral-input.ts'
import { readVendorDocument } from './document.ts'
import { heldDigestOf, tdxFactKey, type ProvenList } from './facts.ts'
import { listCode, proveList, type ListKind } from './revocation-list.ts'

/** A list that its authority has signed, and what its window says. */
export type JudgedList = Pick<ProvenList, 'list' | 'dated'> & { readonly window: WindowJudgement }

/** Step 4 of section 5: both lists, each undefined where nothing proves it, and every check of them. */
export type ListsJudgement = {
  readonly checks: readonly Check[]
  readonly root: JudgedList | undefined
  readonly pck: JudgedList | undefined
}

const PROVEN = {
  root: { id: 'TDX-28', title: 'Revocation list of the root' },
  pck: { id: 'TDX-27', title: 'Revocation list of the PCK authority' },
} as const
const WINDOW = { id: 'TDX-31', early: 'tdx-crl-not-yet-valid', late: 'tdx-crl-expired' } as const
const REVOKED = { id: 'TDX-29', expected: 'a serial number that is not on the list' } as const

/** What is judged of one kind of list. */
type Subject = {
  readonly kind: ListKind
  readonly address: CollateralAddress
  readonly issuer: ParsedCertificate
  /** Who must not stand on it. */
  readonly title: string
  readonly code: ProblemCode
  readonly certificates: readonly ParsedCertificate[]
}

/** The root's list is about authorities, that of an authority about PCK certificates (specification tdx.md TDX-29). */
const subjectsOf = ({ pck }: CollateralInput): Readonly<Record<ListKind, Subject>> => ({
  root: {
    kind: 'root',
    address: rootCaCrlAddress,
    issuer: pck.root,
    title: 'The PCK authority is not revoked',
    code: 'tdx-intermediate-ca-revoked',
    certificates: [pck.root, pck.ca],
  },
  pck: {
    kind: 'pck',
    address: pckCrlAddress(pck.issuedBy),
    issuer: pck.ca,
    title: 'The PCK certificate is not revoked',
    code: 'tdx-pck-cert-revoked',
    certificates: [pck.leaf],
  },
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
export function checkRevoked(
  { title, code, certificates }: Pick<Subject, 'title' | 'code' | 'certificates'>,
  list: RevocationList | undefined,
): Check {
  const rule = { ...REVOKED, title, code }
  if (list === undefined) return skipped(rule, 'no list that can be relied on is at hand')
  const revoked = certificates.filter(({ serial }) => list.isRevoked(serial))
  return revoked.length > 0 ? failed(rule, `serial ${serials(revoked)} is revoked`) : passed(rule, `serial ${serials(certificates)}`)
}

const serials = (certificates: readonly ParsedCertificate[]): string => certificates.map(({ serial }) => serial.toString(16)).join(', ')

function judgeList(input: CollateralInput, subject: Subject): { readonly checks: readonly Check[]; readonly judged?: JudgedList } {
  const { context, collateral } = input
  const proven = provenList(input, subject)
  if (proven instanceof AttestationError)
    return { checks: [failed(ruleOf(subject, proven.code), proven.message), checkRevoked(subject, undefined)] }
  const { title } = PROVEN[subject.kind]
  const { list, dated } = proven
  const window = checkWindow({ ...WINDOW, title: `${title} is current` }, dated, { now: context.now, rigour: rigourOf(input) })
  const checks = [
    passed(ruleOf(subject, listCode(subject.kind, 'missing')), proven.about),
    window.check,
    checkRevoked(subject, list),
    checkRollback(title.toLowerCase(), dated, collateral.marks.get(subject.address)),
  ]
  return { checks, judged: { list, dated, window } }
}

const ruleOf = ({ kind }: Subject, code: ProblemCode) => ({
  ...PROVEN[kind],
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
