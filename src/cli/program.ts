import { Command, CommanderError } from 'commander'
import { AttestationError, problemOf } from '../verifiers/problems.ts'
import { ConfigError, problemText } from '../config.ts'
import { addBind } from './bind-command.ts'
import { addCollateral } from './collateral-command.ts'
import { addConfig } from './config-command.ts'
import { EXIT, UsageError } from './exit.ts'
import { addInspect } from './inspect-command.ts'
import { terminal } from './output.ts'
import { addServe } from './serve-command.ts'
import { addVerify } from './verify-command.ts'

/** What a command hands back: its exit code. */
export type Report = (code: number) => void

/** Adds one command to the program. */
export type AddCommand = (program: Command, report: Report) => void

const COMMANDS: readonly AddCommand[] = [addServe, addVerify, addInspect, addBind, addCollateral, addConfig]

const REST = `
Exit codes: 0 accepted, 1 refused, 2 usage or unreadable file, 3 undecided, 70 a failure of this program.
As everywhere, a refusal names every check that was made; add --json for scripts.`

/** Runs one command line and answers with its exit code; writes everything that there is to say. */
export async function run(args: readonly string[]): Promise<number> {
  let code: number = EXIT.accepted
  const program = new Command('assay')
    .description('Remote attestation verifier: AMD SEV-SNP evidence in, short-lived signed tokens out')
    .addHelpText('after', REST)
    .showSuggestionAfterError()
    .exitOverride()
  for (const add of COMMANDS) add(program, (given) => void (code = given))
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    return explain(error)
  }
}

/** The exit code of an error, and its text for people. */
function explain(error: unknown): number {
  // Commander has written its own message; 0 is --help.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.accepted : EXIT.usage
  if (error instanceof UsageError) return tell(`assay: ${error.message}`, EXIT.usage)
  if (error instanceof ConfigError) return tell(`assay: this cannot be used:\n${configLines(error)}`, EXIT.usage)
  if (error instanceof AttestationError) return tell(attestationText(error), exitOf(error))
  return tell(`assay: ${error instanceof Error ? error.message : String(error)}`, EXIT.failed)
}

const configLines = ({ problems }: ConfigError): string => problems.map((problem) => `  ${problemText(problem)}`).join('\n')

const attestationText = ({ code, message }: AttestationError): string => `assay: ${code}: ${message}\n  ${problemOf(code).remedy}`

const exitOf = ({ code }: AttestationError): number => (problemOf(code).kind === 'undecided' ? EXIT.undecided : EXIT.refused)

function tell(text: string, code: number): number {
  terminal.note(text)
  return code
}
