import { Option } from 'commander'
import type { BindingParts } from '../access/binding.ts'
import { base64Bytes, hexBytes, readBytes } from './files.ts'
import { UsageError } from './exit.ts'
import { jsonText, type Session } from './output.ts'
import type { AddCommand } from './command.ts'

type Flags = {
  readonly nonce?: string
  readonly nonceBase64?: string
  readonly cnfJwk?: string
  readonly runtimeData?: string
  readonly audience: string
  readonly print: 'report-data' | 'extra-data' | 'input' | 'proof-input'
  readonly encoding: 'hex' | 'base64' | 'raw'
  readonly json?: true
}

const HELP = `
REPORT_DATA is SHA-512(P), TPM extraData is SHA-256(P), with P = "assay-binding/1" 00 SHA-256(nonce) T SHA-256(runtime data) SHA-256(audience).
cnf_proof is a signature over what --print proof-input gives. docs/binding.md has the same in POSIX shell.`

/** `assay bind`: what evidence must hold so that it is bound to a challenge, a key, data and an audience. */
export const addBind: AddCommand = (program, session) => {
  program
    .command('bind')
    .description('compute the value that evidence must bind (docs/binding.md)')
    .option('--nonce <hex>', 'the challenge, in hex')
    .addOption(new Option('--nonce-base64 <text>', 'the challenge as POST /v1/challenges gives it').conflicts('nonce'))
    .option('--cnf-jwk <file>', 'public key to bind, as JWK')
    .option('--runtime-data <file>', 'data to bind')
    .option('--audience <name>', 'audience of the token', 'default')
    .addOption(
      new Option('--print <what>', 'what to print').choices(['report-data', 'extra-data', 'input', 'proof-input']).default('report-data'),
    )
    .addOption(new Option('--encoding <form>', 'how to print it').choices(['hex', 'base64', 'raw']).default('hex'))
    .option('--json', 'print everything as JSON, in hex')
    .addHelpText('after', HELP)
    .action((flags: Flags) => bind(flags, session))
}

async function bind(flags: Flags, session: Session): Promise<void> {
  const { bindingInput, reportDataOf, extraDataOf, proofInput } = await import('../access/binding.ts')
  const input = bindingInput(await partsOf(flags))
  const values = {
    input,
    'report-data': reportDataOf(input),
    'extra-data': extraDataOf(input),
    'proof-input': proofInput(input),
  }
  if (flags.json === true)
    return session.out(jsonText(Object.fromEntries(Object.entries(values).map(([name, value]) => [name.replace('-', '_'), hex(value)]))))
  const value = Buffer.from(values[flags.print])
  if (flags.encoding === 'raw') session.raw(value)
  else session.out(value.toString(flags.encoding))
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

async function partsOf(flags: Flags): Promise<BindingParts> {
  return {
    nonce: nonceOf(flags),
    audience: flags.audience,
    ...(flags.cnfJwk === undefined ? {} : { thumbprint: await thumbprintOf(flags.cnfJwk) }),
    ...(flags.runtimeData === undefined ? {} : { runtimeData: readBytes(flags.runtimeData) }),
  }
}

/** 8 to 64 bytes: a challenge has 32, a relying party's nonce may have any of these lengths (design section 3). */
function nonceOf({ nonce, nonceBase64 }: Flags): Uint8Array {
  const bytes =
    nonce === undefined
      ? base64Bytes(nonceBase64 ?? '', 'bind needs --nonce or --nonce-base64; --nonce-base64')
      : hexBytes(nonce, '--nonce')
  if (bytes.length < 8 || bytes.length > 64) throw new UsageError('a nonce has 8 to 64 bytes')
  return bytes
}

async function thumbprintOf(path: string): Promise<Uint8Array> {
  const { readCnfJwk } = await import('../access/cnf.ts')
  const { readStrictJson } = await import('../routes/gate.ts')
  const bytes = readBytes(path)
  return readCnfJwk(usable(path, () => readStrictJson(bytes))).thumbprint
}

/** A file that is not JSON, or has a member twice, is a matter of usage; what the key is like is not. */
function usable<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
