import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { BundleItem } from '../collateral/bundle.ts'
import type { CollateralStore, Stores } from '../stores/stores.ts'
import type { AmdDocument } from '../verifiers/snp/address.ts'
import type { Anchors, CollateralAddress } from '../verifiers/verifier.ts'
import { EXIT, UsageError } from './exit.ts'
import { readText } from './files.ts'
import { configuration } from './load.ts'
import { columns, jsonText, type Session } from './output.ts'
import { repeated, type AddCommand } from './command.ts'

const HELP = `
Works on the store of the configuration (data folder or Redis). A data folder belongs to one process: stop the service first, or ask it
with GET /v1/collateral. Bundles (assay-collateral/1) carry documents to where no vendor can be reached.`

/** `assay collateral`: what is kept of vendor documents, into and out of the store, and fresh from the vendor. */
export const addCollateral: AddCommand = (program, session) => {
  const collateral = program.command('collateral').description('vendor documents: list, export, import, fetch').addHelpText('after', HELP)
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
}

function addFetch(collateral: Command, session: Session): void {
  collateral
    .command('fetch')
    .description('ask the vendor for the revocation lists of all products, and for VCEKs by address')
    .addOption(repeated('--vcek <address>', 'address of a VCEK as GET /v1/collateral writes it'))
    .option('--out <bundle>', 'write a bundle and touch no store')
    .action((flags: FetchFlags) => fetchAll(flags, session))
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
  write(await withStore(session, async ({ collateral }) => exportBundle(collateral)), out, session)
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

type FetchFlags = { readonly vcek: readonly string[]; readonly out?: string }

async function fetchAll({ vcek, out }: FetchFlags, session: Session): Promise<void> {
  const { SNP_PRODUCTS, crlAddress } = await import('../verifiers/snp/address.ts')
  const lists = SNP_PRODUCTS.flatMap((product) => [crlAddress(product, 'vcek'), crlAddress(product, 'vlek')])
  const wanted = [...lists, ...(await vcekAddresses(vcek))]
  if (out === undefined)
    return session.exit(
      await withStore(session, async ({ collateral }, anchors) => fetchInto({ session, store: collateral, anchors, wanted })),
    )
  const { memoryStores } = await import('../stores/memory.ts')
  const { exportBundle } = await import('../collateral/transfer.ts')
  const { groundsOf } = await import('../config/grounds.ts')
  const { collateral } = memoryStores()
  const code = await fetchInto({ session, store: collateral, anchors: (await groundsOf(configuration(session).config)).anchors, wanted })
  write(await exportBundle(collateral), out, session)
  session.exit(code)
}

async function vcekAddresses(texts: readonly string[]): Promise<readonly CollateralAddress[]> {
  const { isAddress } = await import('../stores/marks.ts')
  const { parseAmdAddress } = await import('../verifiers/snp/address.ts')
  return texts.map((text) => {
    if (isAddress(text) && parseAmdAddress(text)?.kind === 'vcek') return text
    throw new UsageError(`${text} is not the address of a VCEK (amd/vcek/<product>/<hwid>/<tcb>)`)
  })
}

type Fetching = {
  readonly session: Session
  readonly store: CollateralStore
  readonly anchors: Anchors
  readonly wanted: readonly CollateralAddress[]
}

/** Fetches, and keeps through the same door as an import: nothing unproven, nothing older. */
async function fetchInto({ session, store, anchors, wanted }: Fetching): Promise<number> {
  const { createKds } = await import('../collateral/kds.ts')
  const { fetchCollateral } = await import('../collateral/one-shot.ts')
  const { importBundle } = await import('../collateral/transfer.ts')
  const { parseAmdAddress } = await import('../verifiers/snp/address.ts')
  const { documents, missing } = await fetchCollateral(createKds(configuration(session).config.amdKds), wanted)
  const items = [...documents].flatMap(([address, der]) => itemOf(parseAmdAddress(address), der))
  const results = await importBundle({ items }, { store, anchors, now: new Date() })
  for (const { name, outcome, detail } of results) session.note(`assay: ${outcome} ${name}: ${detail}`)
  for (const [address, why] of missing) session.note(`assay: ${why} ${address}`)
  const refused = results.some(({ outcome }) => outcome === 'refused')
  return missing.size > 0 ? EXIT.undecided : refused ? EXIT.refused : EXIT.accepted
}

function itemOf(document: AmdDocument | undefined, der: Uint8Array): readonly BundleItem[] {
  if (document === undefined) return []
  if (document.kind === 'vcek') return [{ kind: 'amd-certificate', der }]
  return [{ kind: 'amd-crl', product: document.product, endpoint: document.endpoint, der }]
}

/** Opens the configured store for one piece of work. */
async function withStore<T>(session: Session, work: (stores: Stores, anchors: Anchors) => Promise<T>): Promise<T> {
  const { loadKeys, openStores } = await import('../service/owned.ts')
  const { groundsOf } = await import('../config/grounds.ts')
  const { createLog } = await import('../telemetry/log.ts')
  const { config } = configuration(session)
  const { anchors } = await groundsOf(config)
  const stores = await openStores(config, await loadKeys(config), createLog('warn'))
  try {
    return await work(stores, anchors)
  } finally {
    await stores.close()
  }
}

function usable<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function write(text: string, out: string | undefined, session: Session): void {
  if (out === undefined) session.out(text)
  else writeFileSync(out, text.endsWith('\n') ? text : `${text}\n`)
}
