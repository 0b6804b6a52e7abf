import type { Command } from 'commander'
import { EXIT, UsageError } from './exit.ts'
import { hexBytes, writeOut } from './files.ts'
import { configuration } from './load.ts'
import type { Session } from './output.ts'

type Flags = {
  readonly encryptedPpid: string
  readonly cpusvn: string
  readonly pcesvn: string
  readonly pceid: string
  readonly out?: string
}

/** Bytes of each value (specification tdx.md section 1.8). */
const BYTES = { 'encrypted-ppid': 384, cpusvn: 16, pcesvn: 2, pceid: 2 } as const

const HELP = `
The values are those that Intel's PCKIDRetrievalTool writes, in its byte order. Intel hands PCK certificates out to those who have a
subscription: set ASSAY_INTEL_PCS_API_KEY_FILE. What comes is untrusted until a quote is verified with it.`

/** `assay collateral pck`: the PCK certificate of a platform whose quotes do not hold it, to be sent beside them as `certificates`. */
export function addPck(collateral: Command, session: Session): void {
  collateral
    .command('pck')
    .description('ask Intel for the PCK certificate of a platform, with its chain (PEM)')
    .requiredOption('--encrypted-ppid <hex>', 'the encrypted PPID')
    .requiredOption('--cpusvn <hex>', 'CPUSVN')
    .requiredOption('--pcesvn <hex>', 'PCESVN')
    .requiredOption('--pceid <hex>', 'PCE-ID')
    .option('--out <file>', 'write there; default: standard output')
    .addHelpText('after', HELP)
    .action((flags: Flags) => fetchPck(flags, session))
}

async function fetchPck(flags: Flags, session: Session): Promise<void> {
  const query = {
    encryptedPpid: valueOf(flags.encryptedPpid, 'encrypted-ppid'),
    cpuSvn: valueOf(flags.cpusvn, 'cpusvn'),
    pceSvn: valueOf(flags.pcesvn, 'pcesvn'),
    pceId: valueOf(flags.pceid, 'pceid'),
  }
  const { isAsked, pcsOf } = await import('../service/vendors.ts')
  const { config } = configuration(session)
  if (!isAsked(config, 'intel')) throw new UsageError('this configuration does not ask Intel for anything')
  const answer = await (await pcsOf(config.intel)).pckCertificate(query)
  if (answer.outcome === 'found') return writeOut(Buffer.from(answer.bytes).toString('latin1'), flags.out, session)
  session.note(`assay: ${answer.outcome}${answer.outcome === 'unavailable' ? `: ${answer.reason}` : ''}`)
  session.exit(EXIT.undecided)
}

function valueOf(text: string, name: keyof typeof BYTES): Uint8Array {
  const bytes = hexBytes(text, `--${name}`)
  if (bytes.length !== BYTES[name]) throw new UsageError(`--${name} takes ${BYTES[name]} bytes`)
  return bytes
}
