import { Command, CommanderError } from 'commander'
import { AttestationError, problemOf } from '../verifiers/problems.ts'
import { ConfigError, problemText } from '../config.ts'
import { addAudit } from './audit-command.ts'
import { addBind } from './bind-command.ts'
import type { AddCommand } from './command.ts'
import { addCollateral } from './collateral-command.ts'
import { addConfig } from './config-command.ts'
import { addDemo } from './demo-command.ts'
import { EXIT, exitOf, UsageError } from './exit.ts'
import { addInspect } from './inspect-command.ts'
import { processSession, type Session } from './output.ts'
import { addKeys } from './keys-command.ts'
import { addPolicy } from './policy-command.ts'
import { addReference } from './reference-command.ts'
import { addServe } from './serve-command.ts'
import { addSimulate } from './simulate-command.ts'
import { addVerify } from './verify-command.ts'
import { version } from '../service/version.ts'

const COMMANDS: readonly AddCommand[] = [
  addServe,
  addVerify,
  addInspect,
  addBind,
  addPolicy,
  addReference,
  addCollateral,
  addKeys,
  addSimulate,
  addDemo,
  addConfig,
  addAudit,
]

const REST = `
Exit codes: 0 accepted, 1 refused, 2 usage or unreadable file, 3 undecided, 70 a failure of this program.
A refusal names every check that was made. For scripts there is --json.`

/** Runs one command line and answers with its exit code; writes everything that there is to say. */
export async function run(args: readonly string[], given: Omit<Session, 'exit'> = processSession): Promise<number> {
  let code: number = EXIT.accepted
  const session = { ...given, exit: (chosen: number) => void (code = chosen) }
  const program = new Command('assay')
    .description('Remote attestation verifier: AMD SEV-SNP and Intel TDX evidence in, short-lived signed tokens out')
    .version(version(), '--version', 'show the version')
    .addHelpText('after', REST)
    .showSuggestionAfterError()
    .configureOutput({ writeOut: session.out, writeErr: (text) => session.note(text.trimEnd()) })
    .exitOverride()
  for (const add of COMMANDS) add(program, session)
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    const { text, exit } = explain(error)
    if (text !== '') session.note(text)
    return exit
  }
}

type Explained = { readonly text: string; readonly exit: number }

/** The exit code of an error, and its text for people. */
function explain(error: unknown): Explained {
  // Commander has written its own message; 0 is --help and --version.
  if (error instanceof CommanderError) return { text: '', exit: error.exitCode === 0 ? EXIT.accepted : EXIT.usage }
  if (error instanceof UsageError) return { text: `assay: ${error.message}`, exit: EXIT.usage }
  if (error instanceof ConfigError) return { text: `assay: this cannot be used:\n${configLines(error)}`, exit: EXIT.usage }
  if (error instanceof AttestationError) return { text: attestationText(error), exit: exitOf(error.code) }
  return { text: `assay: ${error instanceof Error ? error.message : String(error)}`, exit: EXIT.failed }
}

const configLines = ({ problems }: ConfigError): string => problems.map((problem) => `  ${problemText(problem)}`).join('\n')

const attestationText = ({ code, message }: AttestationError): string => `assay: ${code}: ${message}\n  ${problemOf(code).remedy}`
