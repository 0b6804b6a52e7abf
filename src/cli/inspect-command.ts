import type { CertificateView } from '../verifiers/snp/inspect-certificate.ts'
import type { Inspection } from '../verifiers/snp/inspect.ts'
import type { Evidence } from '../verifiers/verifier.ts'
import { readBytes, withoutMark } from './files.ts'
import { columns, jsonText, styled, type Session } from './output.ts'
import type { AddCommand } from './command.ts'

type Flags = { readonly json?: true }

const HELP = `
FILE is evidence as JSON (an item or an appraisal request), the raw bytes of a report or of a guest driver's answer, or one certificate
(DER or PEM); - reads standard input. Nothing is verified: use assay verify for a verdict.`

/** `assay inspect`: every field of a report or certificate, believing none of it. */
export const addInspect: AddCommand = (program, session) => {
  program
    .command('inspect')
    .description('show every field of evidence or of a certificate, without verifying anything')
    .argument('<file>', 'evidence, report or certificate; - for standard input')
    .option('--json', 'print as JSON')
    .addHelpText('after', HELP)
    .action((path: string, flags: Flags) => inspect(path, flags, session))
}

async function inspect(path: string, { json }: Flags, session: Session): Promise<void> {
  const views = await viewsOf(readBytes(path), path)
  if (json === true) return session.out(jsonText(views.length === 1 ? views[0] : views))
  for (const view of views) session.out(viewText(view))
}

type View = Inspection | ({ readonly verified: false; readonly type: 'certificate' } & CertificateView)

async function viewsOf(bytes: Uint8Array, path: string): Promise<readonly View[]> {
  const { inspectEvidence } = await import('../verifiers/snp/inspect.ts')
  const kind = kindOf(withoutMark(bytes))
  if (kind === 'json') {
    const { parseEvidence } = await import('./evidence-file.ts')
    const { evidenceOf } = await import('../routes/evidence.ts')
    return parseEvidence(bytes, path).request.evidence.map((item) => inspectEvidence(evidenceOf(item)))
  }
  if (kind === 'raw') return [inspectEvidence(rawEvidence(bytes))]
  const { inspectCertificate } = await import('../verifiers/snp/inspect-certificate.ts')
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

/** MSG_REPORT_RSP is 32 bytes longer than the report in it (specification snp.md section 10). */
const RESPONSE_BYTES = 1216

const rawEvidence = (bytes: Uint8Array): Evidence => ({
  type: 'snp',
  form: bytes.length === RESPONSE_BYTES ? 'report_response' : 'report',
  bytes,
  certificates: [],
})

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
    if (Array.isArray(member)) below.push(...listed(name === '' ? key : `${name}.${key}`, member.map(asObject)))
    else if (name === '' && isObject(member)) below.push(...sections(key, member))
    else own.push(...rows(key, member))
  }
  return own.length === 0 ? below : [[name, own], ...below]
}

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
  isObject(value) ? Object.entries(value).flatMap(([key, member]) => rows(`${name}.${key}`, member)) : [[name, text(value)]]

const text = (value: unknown): string => (typeof value === 'string' ? value : value === null ? '-' : JSON.stringify(value))
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
const asObject = (value: unknown): object => (isObject(value) ? value : { value })
