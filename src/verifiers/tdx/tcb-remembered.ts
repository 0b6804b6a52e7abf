import { hexOf } from '../der-values.ts'
import type { FactTable } from '../verifier.ts'
import type { TcbInput, TdModule } from './collateral-input.ts'
import type { TcbDocuments } from './tcb-match.ts'
import { judgeTcb, type TcbJudgement } from './tcb-verdict.ts'

/** Validly signed documents, and what tells them from all others. */
type Told<T> = { readonly document: T; readonly digest: string }
type ToldDocuments = { readonly [name in keyof TcbDocuments]: Told<TcbDocuments[name]> }

/** What documents make of the TCB that it was made for. */
export type TcbJudge = (documents: ToldDocuments) => TcbJudgement

/**
 * {@link judgeTcb}, from memory what the same documents have said of the same TCB: platforms of one make that are patched alike share the answer.
 * Times play no part in it. Failures are not remembered.
 */
export function rememberingJudge(input: TcbInput, table: FactTable<TcbJudgement>): TcbJudge {
  const described = describe(input)
  return ({ tcbInfo, qeIdentity }) => {
    const key = `intel-tcb/1 ${tcbInfo.digest} ${qeIdentity.digest} ${described}`
    const known = table.get(key)
    if (known !== undefined) return known
    const judged = judgeTcb(input, { tcbInfo: tcbInfo.document, qeIdentity: qeIdentity.document })
    if (judged.verdict !== undefined) table.set(key, judged)
    return judged
  }
}

/** Every field of the input, in words that cannot be taken for others. */
const describe = ({ td, platform, qe }: TcbInput): string =>
  `${td === undefined ? 'none' : describeModule(td)} ${heldText(platform, describePlatform)} ${heldText(qe, describeEnclave)}`

const describeModule = ({ teeTcbSvn, mrSignerSeam, seamAttributes, teeTcbSvn2 }: TdModule): string =>
  `${hexOf(teeTcbSvn)} ${hexOf(mrSignerSeam)} ${hexOf(seamAttributes)} ${teeTcbSvn2 === undefined ? 'none' : hexOf(teeTcbSvn2)}`

const describePlatform = ({ fmspc, pceid, pcesvn, components }: TcbInput['platform']): string =>
  `${hexOf(fmspc)} ${hexOf(pceid)} ${pcesvn} ${components.join(',')}`

const describeEnclave = ({ miscSelect, attributes, mrSigner, isvProdId, isvSvn }: TcbInput['qe']): string =>
  `${hexOf(miscSelect)} ${hexOf(attributes)} ${hexOf(mrSigner)} ${isvProdId} ${isvSvn}`

/** Platform and quoting enclave are remembered facts: each is described once an object. */
const texts = new WeakMap<object, string>()

function heldText<T extends object>(fact: T, describeFact: (fact: T) => string): string {
  const text = texts.get(fact) ?? describeFact(fact)
  texts.set(fact, text)
  return text
}
