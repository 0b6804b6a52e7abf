import type { RevocationList } from '../crl.ts'
import { failed, hasOutcome, passed, skipped } from '../checks.ts'
import { equalBytes, hexOf } from '../der-values.ts'
import type { AttestationError } from '../problems.ts'
import type { Check, CollateralAddress, FactTable } from '../verifier.ts'
import { qeIdentityAddress, tcbInfoAddress, type IntelUpdate } from './address.ts'
import { checkDates, datesRule, type DatesRule } from './certificate-dates.ts'
import {
  checkRollback,
  checkWindow,
  rollbackRule,
  type Dated,
  type RollbackRule,
  type WindowJudgement,
  type WindowRule,
} from './collateral-dates.ts'
import { rigourOf, type CollateralInput } from './collateral-input.ts'
import { QE_IDENTITY, type QeIdentity } from './qe-identity.ts'
import { checkRevoked, revokedRule, type RevokedRule } from './revocation.ts'
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

type Rule = { readonly id: string; readonly title: string; readonly expected: string }

/** What is asked of one kind of document, in its words; put together once, since every appraisal asks it twice. */
type Names = {
  readonly chain: Rule & { readonly code: 'tdx-tcb-signing-chain-invalid' }
  readonly signers: DatesRule
  readonly revoked: RevokedRule
  readonly signature: Rule
  readonly schema: Rule
  readonly status: Rule
  readonly current: WindowRule
  readonly rollback: RollbackRule
}

const namesOf = (name: string, own: Pick<Names, 'signature' | 'schema'> & { readonly dates: Omit<WindowRule, 'title'> }): Names => ({
  chain: { ...CHAIN, title: `The ${name} comes with the chain of Intel’s TCB signing key` },
  signers: datesRule(`${name} chain`),
  revoked: revokedRule(`The key that signed the ${name} is not revoked`, 'tdx-tcb-signing-cert-revoked'),
  signature: own.signature,
  schema: own.schema,
  status: { ...STATUS, title: `Every TCB status in the ${name} is known` },
  current: { ...own.dates, title: `The ${name} is current` },
  rollback: rollbackRule(name),
})

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
  tcbInfo: namesOf('TCB info', {
    signature: { id: 'TDX-36', title: 'The TCB info is signed by Intel', expected: SIGNED },
    schema: { id: 'TDX-38', title: 'The TCB info follows its specification', expected: 'version 3, or 2 for SGX' },
    dates: { id: 'TDX-32', early: 'tdx-tcb-info-not-yet-valid', late: 'tdx-tcb-info-expired' },
  }),
  qeIdentity: namesOf('QE identity', {
    signature: { id: 'TDX-37', title: 'The QE identity is signed by Intel', expected: SIGNED },
    schema: { id: 'TDX-39', title: 'The QE identity follows its specification', expected: 'version 2' },
    dates: { id: 'TDX-33', early: 'tdx-qe-identity-not-yet-valid', late: 'tdx-qe-identity-expired' },
  }),
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
  const tcbInfo = judge(prove(addresses.tcbInfo, TCB_INFO, tdx.tcbInfo), { kind: 'tcbInfo', address: addresses.tcbInfo }, scope)
  const qeIdentity = judge(
    prove(addresses.qeIdentity, QE_IDENTITY, tdx.qeIdentity),
    { kind: 'qeIdentity', address: addresses.qeIdentity },
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
type Addressed = { readonly kind: keyof typeof NAMES; readonly address: CollateralAddress }
type Judgement<T> = { readonly checks: readonly Check[]; readonly judged?: JudgedDocument<T> }

function judge<T>(proof: Proof<T> | undefined, { kind, address }: Addressed, scope: Scope): Judgement<T> {
  if (proof === undefined) return { checks: [] }
  const names = NAMES[kind]
  if ('untrusted' in proof) return { checks: [failed(names.chain, proof.untrusted.message)] }
  const { chain } = proof
  // Beside a pinned root there may be one of a test: what one has signed says nothing of platforms under the other.
  if (!equalBytes(chain.root.spki, scope.input.pck.root.spki)) return { checks: [failed(names.chain, 'the chain ends in another root')] }
  const before = [passed(names.chain, 'signer and root'), ...checkSigner(chain, names, scope)]
  if ('unproven' in proof) return { checks: [...before, ...faultsOf(proof.unproven, names)] }
  const { document, dated, digest } = proof
  const { window, checks: timely } = judgeDates(dated, { names, address }, scope)
  const checks = [...before, ...FAULTLESS[kind], ...timely]
  return hasOutcome(checks, 'fail') ? { checks } : { checks, judged: { document, digest, chain, dated, window } }
}

/** TDX-30 and TDX-29 for the signing key. */
const checkSigner = (chain: ShortChain, { signers, revoked }: Names, { input, rootList }: Scope): readonly Check[] => [
  ...checkDates(signers, chain.windows, input.context.now),
  checkRevoked(revoked, [chain.first], rootList),
]

/** Signature, schema, statuses. */
const rulesOf = ({ signature, schema, status }: Names): readonly Rule[] => [signature, schema, status]

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

function judgeDates(dated: Dated, { names, address }: { names: Names; address: CollateralAddress }, { input }: Scope) {
  const window = checkWindow(names.current, dated, { now: input.context.now, rigour: rigourOf(input) })
  return { window, checks: [window.check, checkRollback(names.rollback, dated, input.collateral.marks.get(address))] }
}
