import { Option } from 'commander'
import type { AddCommand } from './command.ts'
import { EXIT, UsageError } from './exit.ts'
import { jsonText, printable, type Session } from './output.ts'
import type { Link } from '../access/audit-chain.ts'
import type { Verified } from '../access/audit-verify.ts'

type Flags = { readonly head: readonly Link[]; readonly json?: true }

const HEAD = /^([1-9]\d{0,15}):([0-9a-f]{64})$/

const MEANS = `
The files are one chain, in any order: the log itself, and what was rotated away. Standard output tells where the chain begins and ends, and
every place where it is broken. Nothing in the files can tell that their last lines were cut off, or that all were written anew: the service
says in its own log where the chain stands, and --head asks for that.
Exit codes: 0 whole, 1 broken, 2 a file that cannot be read.`

/** `assay audit verify FILE…`: whether audit files are as the service wrote them, and where not. */
export const addAudit: AddCommand = (program, session) => {
  program
    .command('audit')
    .description('check the audit log')
    .command('verify')
    .description('find what was changed, removed, added or moved in audit files')
    .argument('<files...>', 'the audit log and the files that were rotated away')
    .addOption(
      new Option('--head <SEQ:SHA256>', 'a line that the chain must hold; may be repeated')
        .default([], 'none')
        .argParser((value: string, before: readonly Link[]): readonly Link[] => [...before, headOf(value)]),
    )
    .option('--json', 'print everything as JSON')
    .addHelpText('after', MEANS)
    .action((files: readonly string[], flags: Flags) => verify(files, flags, session))
}

async function verify(files: readonly string[], { head, json }: Flags, session: Session): Promise<void> {
  const { verifyAudit } = await import('../access/audit-verify.ts')
  const verified = await verifyAudit([...new Set(files)], head).catch((error: unknown) => {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  })
  session.out(json === true ? jsonText(verified) : textOf(verified))
  if (verified.faults.length > 0) session.exit(EXIT.refused)
}

function headOf(text: string): Link {
  const [, seq, sha256] = HEAD.exec(text) ?? []
  if (seq === undefined || sha256 === undefined) throw new UsageError('--head takes a number and a SHA-256 such as 4711:9f86d0…')
  return { seq: Number(seq), sha256 }
}

function textOf({ lines, unchained, first, head, faults, moreFaults }: Verified): string {
  const ends =
    first === undefined || head === undefined
      ? ['no line is in a chain']
      : [`begins at line ${first} of the chain`, `head ${head.seq}:${head.sha256}`]
  return [
    ...faults.map(({ file, line, kind, detail }) => `${printable(file)}:${line}: ${kind}: ${detail}`),
    ...(moreFaults === 0 ? [] : [`and ${moreFaults} more`]),
    `${faults.length === 0 ? 'whole' : 'broken'}: ${lines} lines`,
    ...ends,
    ...(unchained === 0 ? [] : [`${unchained} lines from before there was a chain: nothing protects them`]),
  ].join('\n')
}
