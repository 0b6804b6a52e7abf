import { addFetch } from './collateral-fetch.ts'
import { addPck } from './collateral-pck.ts'
import { withStore } from './collateral-store.ts'
import type { AddCommand } from './command.ts'
import { EXIT, UsageError } from './exit.ts'
import { readText, writeOut } from './files.ts'
import { columns, jsonText, type Session } from './output.ts'

const HELP = `
Works on the store of the configuration (data folder or Redis). A data folder belongs to one process: stop the service first, or ask it
with GET /v1/collateral. Bundles (assay-collateral/1) carry documents to where no vendor can be reached.`

/** `assay collateral`: what is kept of vendor documents, into and out of the store, and fresh from the vendor. */
export const addCollateral: AddCommand = (program, session) => {
  const collateral = program
    .command('collateral')
    .description('vendor documents: list, export, import, fetch, pck')
    .addHelpText('after', HELP)
  collateral
    .command('list')
    .description('what is kept, how old, until when')
    .option('--json', 'print as JSON')
    .action((flags: { readonly json?: true }) => list(flags, session))
  collateral
    .command('export')
    .description('all that is kept, as a bundle')
    .option('--out <file>', 'write there; default: standard output')
    .action((flags: { readonly out?: string }) => exportAll(flags, session))
  collateral
    .command('import')
    .description('keep what is genuine in a bundle')
    .argument('<bundle>', 'bundle file, or - for standard input')
    .action((path: string) => importFile(path, session))
  addFetch(collateral, session)
  addPck(collateral, session)
}

async function list({ json }: { readonly json?: true }, session: Session): Promise<void> {
  const entries = await withStore(session, async ({ collateral }) => collateral.list())
  const rows = entries.toSorted((a, b) => (a.address < b.address ? -1 : 1))
  if (json === true) {
    return session.out(
      jsonText(
        rows.map(({ address, fetchedAt, expiresAt }) => ({
          address,
          fetched_at: fetchedAt.toISOString(),
          expires_at: expiresAt.toISOString(),
        })),
      ),
    )
  }
  session.out(
    columns(
      rows.map(({ address, fetchedAt, expiresAt }) => [address, `fetched ${fetchedAt.toISOString()}, expires ${expiresAt.toISOString()}`]),
    ),
  )
  session.note(`assay: ${rows.length} documents`)
}

async function exportAll({ out }: { readonly out?: string }, session: Session): Promise<void> {
  const { exportBundle } = await import('../collateral/transfer.ts')
  writeOut(await withStore(session, async ({ collateral }) => exportBundle(collateral)), out, session)
}

async function importFile(path: string, session: Session): Promise<void> {
  const { readBundle } = await import('../collateral/bundle.ts')
  const { importBundle } = await import('../collateral/transfer.ts')
  const bundle = usable(path, () => readBundle(readText(path)))
  const results = await withStore(session, async ({ collateral }, anchors) =>
    importBundle(bundle, { store: collateral, anchors, now: new Date() }),
  )
  session.out(columns(results.map(({ name, outcome, detail }) => [`${outcome} ${name}`, detail])))
  session.exit(results.some(({ outcome }) => outcome === 'refused') ? EXIT.refused : EXIT.accepted)
}

function usable<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
