import type { Inspection, inspectCertificate as inspectAny } from '../verifiers/inspect.ts'
import type { Evidence } from '../verifiers/verifier.ts'
import { readBytes, withoutMark } from './files.ts'
import { columns, jsonText, styled, type Session } from './output.ts'
import type { AddCommand } from './command.ts'

type Flags = { readonly json?: true }

const HELP = `
FILE is evidence as JSON (an item or an appraisal request), the raw bytes of a report, of a guest driver's answer, of a quote, of a TPM's
attestation or public area, or of a firmware's TCG2 event log, or one certificate (DER or PEM); - reads standard input. Nothing is verified: use assay verify for a verdict.`

/** `assay inspect`: every field of a report, quote, structure of a TPM or certificate, believing none of it. */
export const addInspect: AddCommand = (program, session) => {
  program
    .command('inspect')
    .description('show every field of evidence or of a certificate, without verifying anything')
    .argument('<file>', 'evidence, report, quote, public area, event log or certificate; - for standard input')
    .option('--json', 'print as JSON')
    .addHelpText('after', HELP)
    .action((path: string, flags: Flags) => inspect(path, flags, session))
}

async function inspect(path: string, { json }: Flags, session: Session): Promise<void> {
  const views = await viewsOf(readBytes(path), path)
  if (json === true) return session.out(jsonText(views.length === 1 ? views[0] : views))
  for (const view of views) session.out(viewText(view))
}

type View = Inspection | ({ readonly verified: false; readonly type: 'certificate' } & ReturnType<typeof inspectAny>)

async function viewsOf(bytes: Uint8Array, path: string): Promise<readonly View[]> {
  const { inspectCertificate, inspectEvidence, inspectStructure } = await import('../verifiers/inspect.ts')
  const kind = kindOf(withoutMark(bytes))
  if (kind === 'json') {
    const { parseEvidence } = await import('./evidence-file.ts')
    const { evidenceOf } = await import('../routes/evidence.ts')
    return Promise.all(parseEvidence(bytes, path).request.evidence.map((item) => inspectEvidence(evidenceOf(item))))
  }
  if (kind === 'raw') return [inspectStructure(bytes) ?? (await inspectEvidence(rawEvidence(bytes)))]
  return [{ verified: false, type: 'certificate', ...inspectCertificate(bytes, 'certificate') }]
}

const JSON_START = /^\s*[{[]/
const PEM_START = /^\s*-----BEGIN /
/** Tag of the SEQUENCE that every certificate is (X.690); a report begins with its version, 2 to 5. */
const DER_SEQUENCE = 0x30

function kindOf(bytes: Uint8Array): 'json' | 'certificate' | 'raw' {
  const start = Buffer.from(bytes.subarray(0, 64)).toString('latin1')
  if (JSON_START.test(start)) return 'json'
  return bytes[0] === DER_SEQUENCE || PEM_START.test(start) ? 'certificate' : 'raw'
}

/** A report has 1184 bytes; MSG_REPORT_RSP is 32 bytes longer than the report in it (specification snp.md section 10). */
const [REPORT_BYTES, RESPONSE_BYTES] = [1184, 1216]
/** A quote begins with its version (3 to 5), a key type and, from byte 4, the TEE type: 81h for TDX (specification tdx.md section 1.1). */
const [QUOTE_VERSIONS, TEE_BYTE, TDX] = [[3, 4, 5], 4, 0x81]
/** ECDSA P-256, the one key type there is. A report has there the upper half of its version, zero. */
const [KEY_TYPE_BYTE, KEY_TYPE] = [2, 2]

function rawEvidence(bytes: Uint8Array): Evidence {
  if (isQuote(bytes)) return { type: bytes[TEE_BYTE] === TDX ? 'tdx' : 'sgx', quote: bytes, certificates: [] }
  return { type: 'snp', form: bytes.length === RESPONSE_BYTES ? 'report_response' : 'report', bytes, certificates: [] }
}

const isQuote = (bytes: Uint8Array): boolean =>
  bytes.length !== REPORT_BYTES && bytes[KEY_TYPE_BYTE] === KEY_TYPE && QUOTE_VERSIONS.includes(bytes[0] ?? 0)

const BANNER = 'UNVERIFIED: what follows is what the bytes say, and nothing of it is proven'

/** One table for each part; lists become one table for each of their elements. */
function viewText(view: View): string {
  const { verified: _, checks, ...parts } = { checks: [], ...view }
  const tables = sections('', parts).map(([name, rows]) => `${styled('bold', name === '' ? 'evidence' : name)}\n${columns(rows, 2)}`)
  const structure = checks.map(({ id, outcome, title }) => [`${id} ${outcome}`, title] as const)
  const checked = structure.length === 0 ? [] : [`${styled('bold', 'checks of structure')}\n${columns(structure, 2)}`]
  return [styled('yellow', BANNER), ...tables, ...checked, styled('yellow', BANNER)].join('\n\n')
}

type Row = readonly [name: string, value: string]
type Section = readonly [name: string, rows: readonly Row[]]

/** Objects below the first level stay in the table of their parent, with a dotted name. */
function sections(name: string, value: object): readonly Section[] {
  const own: Row[] = []
  const below: Section[] = []
  for (const [key, member] of Object.entries(value)) {
    if (isTable(member)) below.push(...listed(name === '' ? key : `${name}.${key}`, member.map(asObject)))
    else if (name === '' && isPart(member)) below.push(...sections(key, member))
    else own.push(...rows(key, member))
  }
  return own.length === 0 ? below : [[name, own], ...below]
}

/** What has a table of its own: no list, which would be named by its indices. */
const isPart = (value: unknown): value is object => isObject(value) && !Array.isArray(value)

/** A list of what has levels; an empty one may be of such, and is not worth a line. */
const isTable = (value: unknown): value is readonly unknown[] => Array.isArray(value) && (value.length === 0 || !isPlainList(value))

/** Elements without further levels are the lines of one table, named by their first member; others have a table each. */
function listed(name: string, elements: readonly object[]): readonly Section[] {
  const flat = elements.every((element) => !Object.values(element).some(isObject))
  if (!flat) return elements.flatMap((element, i) => sections(`${name}[${i}]`, element))
  return elements.length === 0 ? [] : [[name, elements.map(line)]]
}

function line(element: object): Row {
  const [first, ...others] = Object.entries(element)
  return [first === undefined ? '' : text(first[1]), others.map(([key, value]) => `${key} ${text(value)}`).join(', ')]
}

const rows = (name: string, value: unknown): readonly Row[] =>
  isObject(value) && !isPlainList(value)
    ? Object.entries(value).flatMap(([key, member]) => rows(`${name}.${key}`, member))
    : [[name, text(value)]]

/** A list without levels is one line. */
const isPlainList = (value: unknown): value is readonly unknown[] => Array.isArray(value) && !value.some(isObject)

function text(value: unknown): string {
  if (isPlainList(value)) return value.map(text).join(', ')
  if (value === null) return '-'
  return typeof value === 'string' ? value : JSON.stringify(value)
}
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
const asObject = (value: unknown): object => (isObject(value) ? value : { value })
