import type { RevocationList } from '../crl.ts'
import { failed, passed, skipped } from '../checks.ts'
import { equalBytes, hexOf } from '../der-values.ts'
import type { AttestationError, ProblemCode } from '../problems.ts'
import type { Check, CollateralAddress, FactTable } from '../verifier.ts'
import { qeIdentityAddress, tcbInfoAddress, type IntelUpdate } from './address.ts'
import { checkDates } from './certificate-dates.ts'
import { checkRollback, checkWindow, type Dated, type WindowJudgement } from './collateral-dates.ts'
import { rigourOf, type CollateralInput } from './collateral-input.ts'
import { QE_IDENTITY, type QeIdentity } from './qe-identity.ts'
import { checkRevoked } from './revocation.ts'
import { proveDocument, type DocumentKind, type Issued, type Proof, type SignedDocument } from './signed-document.ts'
import type { ShortChain } from './signing-chain.ts'
import { TCB_INFO, type TcbInfo } from './tcb-info.ts'

/** A document that may be relied on. */
export type JudgedDocument<T> = {
  readonly document: T
  /** SHA-256 of its bytes, with its chain. */
  readonly digest: string
  readonly chain: ShortChain
  readonly dated: Dated
  readonly window: WindowJudgement
}

/** Step 5 of section 5 for TCB info and QE identity of one `update`. Each is there unless one of its checks failed. */
export type DocumentsJudgement = {
  readonly checks: readonly Check[]
  readonly tcbInfo: JudgedDocument<TcbInfo> | undefined
  readonly qeIdentity: JudgedDocument<QeIdentity> | undefined
  /** Addresses that are not at hand. */
  readonly absent: readonly CollateralAddress[]
}

/** How one kind of document is called in checks. */
type Names = {
  readonly name: string
  readonly signature: Rule
  readonly schema: Rule
  readonly dates: { readonly id: string; readonly early: ProblemCode; readonly late: ProblemCode }
}
type Rule = { readonly id: string; readonly title: string; readonly expected: string }

const CHAIN = {
  id: 'TDX-35',
  code: 'tdx-tcb-signing-chain-invalid',
  expected: 'the TCB signing key and the root of the PCK chain',
} as const
const STATUS = {
  id: 'TDX-59',
  code: 'tdx-tcb-status-unrecognized',
  expected: 'statuses of specification tdx.md sections 4.1 and 4.2',
} as const

const SIGNED = 'a signature over the exact bytes by the TCB signing key'
const NAMES: { readonly [name in 'tcbInfo' | 'qeIdentity']: Names } = {
  tcbInfo: {
    name: 'TCB info',
    signature: { id: 'TDX-36', title: 'The TCB info is signed by Intel', expected: SIGNED },
    schema: { id: 'TDX-38', title: 'The TCB info follows its specification', expected: 'version 3, or 2 for SGX' },
    dates: { id: 'TDX-32', early: 'tdx-tcb-info-not-yet-valid', late: 'tdx-tcb-info-expired' },
  },
  qeIdentity: {
    name: 'QE identity',
    signature: { id: 'TDX-37', title: 'The QE identity is signed by Intel', expected: SIGNED },
    schema: { id: 'TDX-39', title: 'The QE identity follows its specification', expected: 'version 2' },
    dates: { id: 'TDX-33', early: 'tdx-qe-identity-not-yet-valid', late: 'tdx-qe-identity-expired' },
  },
}

/** Judges TCB info and QE identity of one `update`: chain, revocation of the signer, signature, schema, dates, rollback. */
export function judgeDocuments(input: CollateralInput, update: IntelUpdate, rootList: RevocationList | undefined): DocumentsJudgement {
  const { tdx } = input.context.memo
  const tee = input.td === undefined ? 'sgx' : 'tdx'
  const addresses = { tcbInfo: tcbInfoAddress(tee, hexOf(input.platform.fmspc), update), qeIdentity: qeIdentityAddress(tee, update) }
  const prove = <T extends Issued>(address: CollateralAddress, kind: DocumentKind<T>, table: FactTable<SignedDocument<T>>) => {
    const bytes = input.collateral.documents.get(address)
    return bytes === undefined ? undefined : proveDocument(bytes, kind, { anchors: input.anchors, mode: input.context.mode, table })
  }
  const scope = { input, rootList }
  const tcbInfo = judge(
    prove(addresses.tcbInfo, TCB_INFO, tdx.tcbInfo),
    { ...NAMES.tcbInfo, kind: 'tcbInfo', address: addresses.tcbInfo },
    scope,
  )
  const qeIdentity = judge(
    prove(addresses.qeIdentity, QE_IDENTITY, tdx.qeIdentity),
    { ...NAMES.qeIdentity, kind: 'qeIdentity', address: addresses.qeIdentity },
    scope,
  )
  return {
    checks: [...tcbInfo.checks, ...qeIdentity.checks],
    tcbInfo: tcbInfo.judged,
    qeIdentity: qeIdentity.judged,
    absent: Object.values(addresses).filter((address) => !input.collateral.documents.has(address)),
  }
}

type Scope = { readonly input: CollateralInput; readonly rootList: RevocationList | undefined }
type Addressed = Names & { readonly kind: keyof typeof NAMES; readonly address: CollateralAddress }
type Judgement<T> = { readonly checks: readonly Check[]; readonly judged?: JudgedDocument<T> }

function judge<T>(proof: Proof<T> | undefined, names: Addressed, scope: Scope): Judgement<T> {
  if (proof === undefined) return { checks: [] }
  const chainRule = { ...CHAIN, title: `The ${names.name} comes with the chain of Intel’s TCB signing key` }
  if ('untrusted' in proof) return { checks: [failed(chainRule, proof.untrusted.message)] }
  const { chain } = proof
  // Beside a pinned root there may be one of a test: what one has signed says nothing of platforms under the other.
  if (!equalBytes(chain.root.spki, scope.input.pck.root.spki)) return { checks: [failed(chainRule, 'the chain ends in another root')] }
  const before = [passed(chainRule, 'signer and root'), ...checkSigner(chain, names, scope)]
  if ('unproven' in proof) return { checks: [...before, ...faultsOf(proof.unproven, names)] }
  const { document, dated, digest } = proof
  const { window, checks: timely } = judgeDates(dated, names, scope)
  const checks = [...before, ...FAULTLESS[names.kind], ...timely]
  const isFaulty = checks.some(({ outcome }) => outcome === 'fail')
  return isFaulty ? { checks } : { checks, judged: { document, digest, chain, dated, window } }
}

/** TDX-30 and TDX-29 for the signing key. */
const checkSigner = (chain: ShortChain, { name }: Names, { input, rootList }: Scope): readonly Check[] => [
  ...checkDates(`${name} chain`, chain.windows, input.context.now),
  checkRevoked(
    { title: `The key that signed the ${name} is not revoked`, code: 'tdx-tcb-signing-cert-revoked', certificates: [chain.first] },
    rootList,
  ),
]

/** Signature, schema, statuses. */
const rulesOf = ({ name, signature, schema }: Names): readonly Rule[] => [
  signature,
  schema,
  { ...STATUS, title: `Every TCB status in the ${name} is known` },
]

/** All of them passed: the same for every document of a kind. */
const FAULTLESS: { readonly [kind in keyof typeof NAMES]: readonly Check[] } = {
  tcbInfo: rulesOf(NAMES.tcbInfo).map((rule) => passed(rule, 'as it should be')),
  qeIdentity: rulesOf(NAMES.qeIdentity).map((rule) => passed(rule, 'as it should be')),
}

/** The one that failed; the rest were not reached. */
function faultsOf(error: AttestationError, names: Names): readonly Check[] {
  const rules = rulesOf(names)
  const { signature, schema } = names
  const broken = error.code === STATUS.code ? STATUS.id : error.code.endsWith('-invalid-signature') ? signature.id : schema.id
  return rules.map((rule) =>
    rule.id === broken ? failed({ ...rule, code: error.code }, error.message) : skipped(rule, 'another fault came first'),
  )
}

function judgeDates(dated: Dated, names: Addressed, { input }: Scope) {
  const rule = { ...names.dates, title: `The ${names.name} is current` }
  const window = checkWindow(rule, dated, { now: input.context.now, rigour: rigourOf(input) })
  return { window, checks: [window.check, checkRollback(names.name, dated, input.collateral.marks.get(names.address))] }
}
