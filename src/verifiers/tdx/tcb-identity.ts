import { failed, isZero, passed, skipped } from '../checks.ts'
import { equalBytes, hexOf } from '../der-values.ts'
import type { Check } from '../verifier.ts'
import type { TcbInput, TdModule } from './collateral-input.ts'
import { majorOf, moduleIdentityOf, type TcbDocuments } from './tcb-match.ts'
import type { SeamIdentity, TcbInfo } from './tcb-info.ts'
import type { ProblemCode } from '../problems.ts'

/** What a rule of identity compares: equal texts, or what else `holds` says. */
type Comparison<T> = {
  readonly id: string
  readonly title: string
  readonly code: ProblemCode
  readonly actual: (subject: T) => string
  readonly expected: (subject: T) => string
  /** Undefined: the texts are equal. */
  readonly holds?: (subject: T) => boolean
}

function compare<T>(rule: Comparison<T>, subject: T): Check {
  const { id, title, code, holds } = rule
  const [actual, expected] = [rule.actual(subject), rule.expected(subject)]
  return (holds?.(subject) ?? actual === expected) ? passed({ id, title, expected }, actual) : failed({ id, title, expected, code }, actual)
}

type Subject = { readonly input: TcbInput; readonly documents: TcbDocuments }

const teeOf = ({ td }: Pick<TcbInput, 'td'>): 'tdx' | 'sgx' => (td === undefined ? 'sgx' : 'tdx')
/** The enclave that signs quotes of each kind (specification tdx.md section 4.2). */
export const QE_ID = { tdx: 'TD_QE', sgx: 'QE' } as const

/** TDX-40 to 43 in the order of section 5, step 6. */
const WHICH_OBJECT: readonly Comparison<Subject>[] = [
  {
    id: 'TDX-40',
    title: 'The TCB info is for this kind of TEE',
    code: 'tdx-tcb-info-mismatch',
    actual: ({ documents }) => documents.tcbInfo.tee,
    expected: ({ input }) => teeOf(input),
  },
  {
    id: 'TDX-43',
    title: 'The QE identity is that of the enclave that signs such quotes',
    code: 'tdx-qe-identity-mismatch',
    actual: ({ documents }) => documents.qeIdentity.id,
    expected: ({ input }) => QE_ID[teeOf(input)],
  },
  {
    id: 'TDX-41',
    title: 'The TCB info is for this family of platforms',
    code: 'tdx-fmspc-mismatch',
    actual: ({ documents }) => hexOf(documents.tcbInfo.fmspc),
    expected: ({ input }) => hexOf(input.platform.fmspc),
  },
  {
    id: 'TDX-42',
    title: 'The TCB info is for this provisioning certification enclave',
    code: 'tdx-pceid-mismatch',
    actual: ({ documents }) => hexOf(documents.tcbInfo.pceid),
    expected: ({ input }) => hexOf(input.platform.pceid),
  },
]

const masked = (bytes: Uint8Array, mask: Uint8Array): Uint8Array => bytes.map((byte, index) => byte & (mask[index] ?? 0))
/** DEBUG is bit 1 of ATTRIBUTES (section 1.6). */
const isDebug = (attributes: Uint8Array): boolean => ((attributes[0] ?? 0xff) & 0x02) !== 0

/** TDX-47 to 51 (section 5.6). */
const QE_POLICY: readonly Comparison<Subject>[] = [
  {
    id: 'TDX-47',
    title: 'MISCSELECT of the quoting enclave under its mask',
    code: 'tdx-qe-miscselect-mismatch',
    actual: ({ input, documents }) => hexOf(masked(input.qe.miscSelect, documents.qeIdentity.miscSelectMask)),
    expected: ({ documents }) => hexOf(documents.qeIdentity.miscSelect),
  },
  {
    id: 'TDX-48',
    title: 'ATTRIBUTES of the quoting enclave under their mask',
    code: 'tdx-qe-attributes-mismatch',
    actual: ({ input, documents }) => hexOf(masked(input.qe.attributes, documents.qeIdentity.attributesMask)),
    expected: ({ documents }) => hexOf(documents.qeIdentity.attributes),
  },
  {
    id: 'TDX-49',
    title: 'MRSIGNER of the quoting enclave',
    code: 'tdx-qe-mrsigner-mismatch',
    actual: ({ input }) => hexOf(input.qe.mrSigner),
    expected: ({ documents }) => hexOf(documents.qeIdentity.mrSigner),
  },
  {
    id: 'TDX-50',
    title: 'ISVPRODID of the quoting enclave',
    code: 'tdx-qe-isvprodid-mismatch',
    actual: ({ input }) => String(input.qe.isvProdId),
    expected: ({ documents }) => String(documents.qeIdentity.isvProdId),
  },
  {
    id: 'TDX-51',
    title: 'The quoting enclave does not run in debug mode',
    code: 'tdx-qe-debug',
    actual: ({ input }) => hexOf(input.qe.attributes),
    expected: () => 'DEBUG clear, whatever the mask',
    holds: ({ input }) => !isDebug(input.qe.attributes),
  },
]

/** Step 6: are these the documents of this platform? */
export const checkWhichObject = (input: TcbInput, documents: TcbDocuments): readonly Check[] =>
  WHICH_OBJECT.map((rule) => compare(rule, { input, documents }))

/** Step 7: is the quoting enclave Intel's? */
export const checkQeIdentity = (input: TcbInput, documents: TcbDocuments): readonly Check[] =>
  QE_POLICY.map((rule) => compare(rule, { input, documents }))

type Seam = { readonly td: TdModule; readonly expected: SeamIdentity }

const MODULE_FOUND = {
  id: 'TDX-53',
  title: 'Intel knows a TDX module of this major version',
  expected: 'an identity in the TCB info',
} as const

/** TDX-54 and TDX-55 (section 5.1). */
const SEAM: readonly Comparison<Seam>[] = [
  {
    id: 'TDX-54',
    title: 'The TDX module was signed by Intel',
    code: 'tdx-mrsigner-seam-mismatch',
    actual: ({ td }) => hexOf(td.mrSignerSeam),
    expected: ({ expected }) => hexOf(expected.mrSigner),
  },
  {
    id: 'TDX-55',
    title: 'The TDX module has Intel’s attributes, all zero',
    code: 'tdx-seam-attributes-mismatch',
    actual: ({ td }) => hexOf(td.seamAttributes),
    expected: ({ expected }) => hexOf(expected.attributes),
    holds: ({ td, expected }) => equalBytes(td.seamAttributes, expected.attributes) && isZero(td.seamAttributes),
  },
]

/** Step 8: is the TDX module Intel's? The SVN of the launch says which (section 5.1). */
export function checkModule({ td }: TcbInput, { tcbInfo }: TcbDocuments): readonly Check[] {
  if (td === undefined) return [MODULE_FOUND, ...SEAM].map((rule) => skipped(rule, 'an SGX quote has no TDX module'))
  const major = majorOf({ svn: td.teeTcbSvn })
  const expected = major === 0 ? tcbInfo.module : moduleIdentityOf(tcbInfo, major)
  const actual = `major version ${major}`
  if (expected === undefined) {
    const unknown = failed({ ...MODULE_FOUND, code: unknownModule(tcbInfo) }, actual)
    return [unknown, ...SEAM.map((rule) => skipped(rule, 'the module is not known'))]
  }
  return [passed(MODULE_FOUND, actual), ...SEAM.map((rule) => compare(rule, { td, expected }))]
}

/** Without the list altogether the document is not one for such platforms. */
const unknownModule = ({ moduleIdentities }: TcbInfo): ProblemCode =>
  moduleIdentities === undefined ? 'tdx-tcb-info-mismatch' : 'tdx-tdx-module-mismatch'
