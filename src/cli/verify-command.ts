import { Option } from 'commander'
import type { ActivePolicy } from '../appraisal/policy-set.ts'
import type { Grounds } from '../config/grounds.ts'
import { readCertificateBlob } from '../verifiers/pem.ts'
import { AttestationError, problemOf } from '../verifiers/problems.ts'
import type { EvidenceFile } from './evidence-file.ts'
import { EXIT, UsageError } from './exit.ts'
import { hexBytes, readBytes, readText, timeOf } from './files.ts'
import { jsonText, type Session } from './output.ts'
import { repeated, type AddCommand } from './command.ts'
import type { ExpectedData, Question, Verdict } from './verify.ts'

type Flags = {
  readonly collateral: readonly string[]
  readonly trustAnchor: readonly string[]
  readonly insecureTestRoot: readonly string[]
  readonly policy?: string
  readonly nonce?: string
  readonly reportData?: string
  readonly binding?: 'hash' | 'nonce'
  readonly audience?: string
  readonly at?: string
  readonly offline?: true
  readonly json?: true
}

const HELP = `
EVIDENCE.json is one evidence item or an appraisal request; - reads standard input.
Exit codes: 0 accepted, 1 refused, 2 usage or a file that is not the JSON it should be, 3 undecided.`

/** `assay verify`: the service's own verdict, without service, store or token (design section 6). */
export const addVerify: AddCommand = (program, session) => {
  program
    .command('verify')
    .description('verify evidence from a file; with --policy also ask whether it is acceptable')
    .argument('<evidence>', 'EVIDENCE.json, or - for standard input')
    .addOption(repeated('--collateral <bundle>', 'vendor documents (assay-collateral/1)'))
    .addOption(repeated('--trust-anchor <file>', 'additional TPM root (PEM); never replaces a vendor pin'))
    .option('--policy <file>', 'appraisal policy, YAML or JSON')
    .option('--nonce <hex>', 'the nonce that the evidence must bind')
    .addOption(new Option('--report-data <hex>', 'the 64 bytes that REPORT_DATA (REPORTDATA of a quote) must equal').conflicts('nonce'))
    .addOption(new Option('--binding <kind>', 'how --nonce is bound where the file does not say').choices(['hash', 'nonce']))
    .option('--audience <name>', 'the audience that --nonce is bound with where the file does not say')
    .addOption(repeated('--insecure-test-root <file>', 'root (DER or PEM) that replaces those of its vendor, for tests only'))
    .option('--at <time>', 'verify as of this time (RFC 3339)')
    .option('--offline', 'open no socket')
    .option('--json', 'print the appraisal as JSON')
    .addHelpText('after', HELP)
    .action((path: string, flags: Flags) => verifyFile({ path, flags }, session))
}

async function verifyFile({ path, flags }: { path: string; flags: Flags }, session: Session): Promise<void> {
  const question = await questionOf(path, flags, session).catch((error: unknown) => unread(error, flags, session))
  const { verifyEvidence } = await import('./verify.ts')
  for (const remark of remarks(question, flags)) session.note(`assay: ${remark}`)
  const verdict = await verifyEvidence(question)
  session.out(flags.json === true ? jsonText(verdict) : (await import('./verdict-text.ts')).verdictText(verdict))
  session.exit(exitOf(verdict))
}

/** Evidence of a type that nobody here verifies was not even read, so there is no appraisal; a script still gets its answer. */
function unread(error: unknown, { json, policy }: Flags, session: Session): never {
  if (json === true && error instanceof AttestationError) {
    const question = policy === undefined ? 'genuine' : 'acceptable'
    session.out(jsonText({ status: 'none', policy: null, evidence: [], accepted: false, code: error.code, question, nonce: 'not-asked' }))
  }
  throw error
}

async function questionOf(path: string, flags: Flags, session: Session): Promise<Question> {
  const { readEvidenceFile } = await import('./evidence-file.ts')
  const { readGrounds } = await import('../config/grounds.ts')
  flags.trustAnchor.forEach(readRoot)
  const now = flags.at === undefined ? new Date() : timeOf(flags.at, '--at')
  const file = withFlags(readEvidenceFile(path), flags)
  const grounds = await readGrounds({ insecureTestRoots: flags.insecureTestRoot, collateralBundles: flags.collateral }, now)
  const policy = flags.policy === undefined ? null : await readPolicyFile(flags.policy)
  const fetch = await fetcher(flags, grounds, session)
  return { request: file.request, grounds, policy, expected: expectedData(file, flags), now, fetch }
}

/** What a request says of itself counts; flags fill in what an item alone leaves out. */
function withFlags({ form, request }: EvidenceFile, { binding, audience }: Flags): EvidenceFile {
  if (binding === undefined && audience === undefined) return { form, request }
  if (form === 'request') throw new UsageError('--binding and --audience are for a file with one item: a request says both itself')
  return { form, request: { ...request, binding: binding ?? request.binding, ...(audience === undefined ? {} : { audience }) } }
}

const NONCE_BYTES = { min: 8, max: 64 } as const

function expectedData({ request }: EvidenceFile, { nonce, reportData }: Flags): ExpectedData {
  if (reportData !== undefined) return { from: 'report-data', bytes: hexBytes(reportData, '--report-data') }
  const stated = request.nonce ?? request.relying_party_nonce
  const bytes = nonce === undefined ? stated : hexBytes(nonce, '--nonce')
  if (bytes === undefined) return { from: 'nothing' }
  if (bytes.length < NONCE_BYTES.min || bytes.length > NONCE_BYTES.max)
    throw new UsageError(`a nonce has ${NONCE_BYTES.min} to ${NONCE_BYTES.max} bytes`)
  return { from: nonce === undefined ? 'stated' : 'nonce', bytes }
}

/** Nothing asks these roots yet, but a name that is mistyped must not look like one that counts. */
function readRoot(path: string): void {
  const bytes = readBytes(path)
  try {
    readCertificateBlob(bytes, path)
  } catch (error) {
    throw new UsageError(`--trust-anchor: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function readPolicyFile(path: string): Promise<ActivePolicy> {
  const { PolicyError, readPolicy } = await import('../appraisal/read-policy.ts')
  try {
    return readPolicy(readText(path), path)
  } catch (error) {
    if (error instanceof PolicyError) throw new UsageError(error.message)
    throw error
  }
}

/** Under a root of somebody else its vendor has nothing to say, so nobody is asked. */
async function fetcher(flags: Flags, { mode }: Grounds, session: Session): Promise<Question['fetch']> {
  if (flags.offline === true || mode !== 'production') return undefined
  const { fetchCollateral } = await import('../collateral/one-shot.ts')
  const { clientOf } = await import('../service/vendors.ts')
  const { configuredVendors } = await import('./load.ts')
  const client = await clientOf(configuredVendors(session))
  return (needs) => fetchCollateral(client, needs)
}

/** Standard error says what was not asked, so that nobody takes the answer for more than it is. */
function remarks({ policy, expected, grounds }: Question, flags: Flags): readonly string[] {
  const { mode } = grounds
  const said: readonly (readonly [boolean, string])[] = [
    [mode === 'test', 'WARNING: --insecure-test-root replaces the vendor’s keys; this answer is worth nothing outside tests'],
    [policy === null, 'no --policy: only whether the evidence is genuine is asked, not whether it is acceptable'],
    [expected.from === 'nothing', 'no --nonce and no --report-data: freshness and binding are not asked; this may be a replay'],
    [expected.from === 'stated', 'the nonce is the request’s own: binding is checked, freshness is not; give --nonce to ask it'],
    [
      policy?.document.key_binding === 'required' && expected.from !== 'nonce',
      'whether the evidence binds a key is not asked without --nonce',
    ],
    [flags.trustAnchor.length > 0, '--trust-anchor adds TPM roots; this version verifies no TPM evidence, so it changes nothing'],
  ]
  return said.flatMap(([holds, text]) => (holds ? [text] : []))
}

function exitOf({ code }: Verdict): number {
  if (code === null) return EXIT.accepted
  return problemOf(code).kind === 'undecided' ? EXIT.undecided : EXIT.refused
}
