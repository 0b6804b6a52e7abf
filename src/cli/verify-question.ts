import { Option, type Command } from 'commander'
import { repeated } from './command.ts'
import type { EvidenceFile } from './evidence-file.ts'
import { UsageError } from './exit.ts'
import { hexBytes, timeOf } from './files.ts'
import type { ExpectedData, Question } from './verify.ts'

/** What the command line says of evidence in a file, and of what may be relied on. */
export type QuestionFlags = {
  readonly collateral: readonly string[]
  readonly insecureTestRoot: readonly string[]
  /** Authorities of TPMs. */
  readonly trustAnchor: readonly string[]
  readonly nonce?: string
  readonly reportData?: string
  readonly binding?: 'hash' | 'nonce'
  readonly audience?: string
  readonly at?: string
}

/** The options behind {@link QuestionFlags}. */
export const addQuestionOptions = (command: Command): Command =>
  command
    .addOption(repeated('--collateral <bundle>', 'vendor documents (assay-collateral/1)'))
    .option('--nonce <hex>', 'the nonce that the evidence must bind')
    .addOption(new Option('--report-data <hex>', 'the 64 bytes that REPORT_DATA (REPORTDATA of a quote) must equal').conflicts('nonce'))
    .addOption(new Option('--binding <kind>', 'how --nonce is bound where the file does not say').choices(['hash', 'nonce']))
    .option('--audience <name>', 'the audience that --nonce is bound with where the file does not say')
    .addOption(repeated('--insecure-test-root <file>', 'root (DER or PEM) that replaces those of its vendor, for tests only'))
    .addOption(repeated('--trust-anchor <file>', 'additional TPM roots (PEM); never replaces a vendor pin'))
    .option('--at <time>', 'verify as of this time (RFC 3339)')

/** The question that these flags put about a file: all but the policy, and whom to ask for documents. Throws {@link UsageError}. */
export async function askedOf(path: string, flags: QuestionFlags): Promise<Omit<Question, 'policy' | 'fetch'>> {
  const { readEvidenceFile } = await import('./evidence-file.ts')
  const { readGrounds } = await import('../config/grounds.ts')
  const now = flags.at === undefined ? new Date() : timeOf(flags.at, '--at')
  const file = withFlags(readEvidenceFile(path), flags)
  const { insecureTestRoot: insecureTestRoots, collateral: collateralBundles, trustAnchor: trustAnchors } = flags
  const grounds = await readGrounds({ insecureTestRoots, collateralBundles, trustAnchors }, now)
  return { request: file.request, grounds, expected: expectedData(file, flags), now }
}

/** What a request says of itself counts; flags fill in what an item alone leaves out. */
function withFlags({ form, request }: EvidenceFile, { binding, audience }: QuestionFlags): EvidenceFile {
  if (binding === undefined && audience === undefined) return { form, request }
  if (form === 'request') throw new UsageError('--binding and --audience are for a file with one item: a request says both itself')
  return { form, request: { ...request, binding: binding ?? request.binding, ...(audience === undefined ? {} : { audience }) } }
}

const NONCE_BYTES = { min: 8, max: 64 } as const

function expectedData({ request }: EvidenceFile, { nonce, reportData }: QuestionFlags): ExpectedData {
  if (reportData !== undefined) return { from: 'report-data', bytes: hexBytes(reportData, '--report-data') }
  const stated = request.nonce ?? request.relying_party_nonce
  const bytes = nonce === undefined ? stated : hexBytes(nonce, '--nonce')
  if (bytes === undefined) return { from: 'nothing' }
  if (bytes.length < NONCE_BYTES.min || bytes.length > NONCE_BYTES.max)
    throw new UsageError(`a nonce has ${NONCE_BYTES.min} to ${NONCE_BYTES.max} bytes`)
  return { from: nonce === undefined ? 'stated' : 'nonce', bytes }
}
