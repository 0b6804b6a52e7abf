import type { Command } from 'commander'
import { Option } from 'commander'
import type { AddCommand } from './command.ts'
import { EXIT } from './exit.ts'
import type { Session } from './output.ts'
import type { ExportFlags } from './reference-export.ts'
import type { ImportFlags } from './reference-import.ts'

type ListFlags = { readonly at?: string; readonly json?: true }

/** `assay reference …`: sets of reference values in files. Needs no service, opens no store and no socket. */
export const addReference: AddCommand = (program, session) => {
  const reference = program.command('reference').description('check, list, import and export sets of reference values, without a service')
  reference
    .command('lint')
    .description('everything that is wrong with sets, by path and line')
    .argument('<files...>', 'files of sets, YAML or JSON')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', '\nExit codes: 0 every file can be used, 1 one cannot, 2 usage or a file that cannot be read.')
    .action((files: readonly string[], flags: { readonly json?: true }) => lint(files, flags, session))
  reference
    .command('list')
    .description('which versions of which sets give values now, and why the others do not')
    .argument('[folder]', 'folder of sets; default: reference_dir of the configuration')
    .option('--at <time>', 'at another time than now, such as 2026-01-31T12:00:00Z')
    .option('--json', 'print the answer as JSON')
    .action((folder: string | undefined, flags: ListFlags) => list(folder, flags, session))
  addImport(reference, session)
  addExport(reference, session)
}

const format = () => new Option('--format <format>', 'form of the file').choices(['json', 'constellation']).default('json')

function addImport(reference: Command, session: Session): void {
  reference
    .command('import')
    .description('make a set, a draft, from measurements that somebody publishes')
    .argument('<file>', 'the document; - for standard input')
    .addOption(format())
    .option('--name <name>', 'name of the set (constellation)')
    .option('--owner <text>', 'who answers for the set (constellation)')
    .option('--csp <csp>', 'which entry of the document, by provider (constellation)')
    .option('--variant <variant>', 'which entry of the document, by attestation variant (constellation)')
    .option('--image-version <version>', 'refuse a document about another image (constellation)')
    .option('--signature <file>', 'signature over the document, base64 of DER (with --key)')
    .option('--key <file>', 'public key of whoever must have signed, PEM')
    .option('--at <time>', 'when it was taken over; default: now')
    .option('--out <file>', 'write there instead of standard output')
    .addHelpText('after', '\nExit codes: 0 made, 1 the document is refused, 2 usage or an unreadable file.')
    .action(async (file: string, flags: ImportFlags) => {
      const { importSet } = await import('./reference-import.ts')
      await refusing(() => importSet(file, flags, session), session)
    })
}

function addExport(reference: Command, session: Session): void {
  reference
    .command('export')
    .description('print a set as plain JSON, or as a document of Constellation')
    .argument('<file>', 'file of a set; - for standard input')
    .addOption(format())
    .option('--image-version <version>', 'image of which the document speaks (constellation)')
    .option('--ref <ref>', 'branch of the image (constellation)', '-')
    .option('--stream <stream>', 'stream of the image (constellation)', 'stable')
    .option('--csp <csp>', 'provider (constellation)')
    .option('--variant <variant>', 'attestation variant (constellation)')
    .option('--out <file>', 'write there instead of standard output')
    .addHelpText('after', '\nExit codes: 0 printed, 1 the set has what the form has no place for, 2 usage or an unreadable file.')
    .action(async (file: string, flags: ExportFlags) => {
      const { exportSet } = await import('./reference-export.ts')
      await refusing(() => exportSet(file, flags, session), session)
    })
}

async function lint(files: readonly string[], { json }: { readonly json?: true }, session: Session): Promise<void> {
  const { lintSets, lintText } = await import('./reference-lint.ts')
  const { jsonText } = await import('./output.ts')
  const linted = lintSets(files)
  session.out(json === true ? jsonText(linted) : lintText(linted))
  session.exit(linted.some(({ problems }) => problems.length > 0) ? EXIT.refused : EXIT.accepted)
}

async function list(folder: string | undefined, { at, json }: ListFlags, session: Session): Promise<void> {
  const { listSets, listText } = await import('./reference-list.ts')
  const { jsonText } = await import('./output.ts')
  const { timeOf } = await import('./files.ts')
  const listed = listSets(folder ?? (await configured(session)), at === undefined ? new Date() : timeOf(at, '--at'))
  session.out(json === true ? jsonText(listed) : listText(listed))
}

async function configured(session: Session): Promise<string | undefined> {
  const { configuration } = await import('./load.ts')
  return configuration(session).config.referenceDir
}

/** A document that cannot be used is a refusal with all its problems, not a failure of this program. */
async function refusing(work: () => void, session: Session): Promise<void> {
  const { PolicyError } = await import('../appraisal/read-policy.ts')
  try {
    work()
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    session.note(`assay: ${error.message}`)
    session.exit(EXIT.refused)
  }
}
