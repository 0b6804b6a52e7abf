import { Option, type Command } from 'commander'
import type { VendorName } from '../collateral/address.ts'
import type { Config } from '../config.ts'
import type { CollateralStore } from '../stores/stores.ts'
import type { Anchors, CollateralAddress } from '../verifiers/verifier.ts'
import { withStore } from './collateral-store.ts'
import { repeated } from './command.ts'
import { EXIT, UsageError } from './exit.ts'
import { writeOut } from './files.ts'
import { configuration } from './load.ts'
import type { Session } from './output.ts'

type Flags = { readonly document: readonly CollateralAddress[]; readonly vendor?: VendorName; readonly out?: string }

const VENDORS: readonly VendorName[] = ['amd', 'intel', 'tpm']

/** `assay collateral fetch`: what every host of a vendor needs, and named documents, fresh from the vendor. */
export function addFetch(collateral: Command, session: Session): void {
  collateral
    .command('fetch')
    .description('ask the vendors for revocation lists and what else every host needs, and for documents by address')
    .addOption(repeated('--document <address>', 'one more, by its address as GET /v1/collateral writes it'))
    .addOption(new Option('--vendor <name>', 'leave out what every host of the others needs').choices(VENDORS))
    .option('--out <bundle>', 'write a bundle and touch no store')
    .action((flags: Flags) => fetchAll(flags, session))
}

async function fetchAll({ document, vendor, out }: Flags, session: Session): Promise<void> {
  const { config } = configuration(session)
  const wanted = [...(await standing(config, vendor)), ...(await known(document))]
  if (out === undefined)
    return session.exit(
      await withStore(session, async ({ collateral }, anchors) => fetchInto({ session, config, store: collateral, anchors, wanted })),
    )
  const { memoryStores } = await import('../stores/memory.ts')
  const { exportBundle } = await import('../collateral/transfer.ts')
  const { groundsOf } = await import('../config/grounds.ts')
  const { collateral } = memoryStores()
  const code = await fetchInto({ session, config, store: collateral, anchors: (await groundsOf(config)).anchors, wanted })
  writeOut(await exportBundle(collateral), out, session)
  session.exit(code)
}

/** What a service of this configuration would fetch when it starts. */
async function standing(config: Config, vendor: VendorName | undefined): Promise<readonly CollateralAddress[]> {
  const { amdLists, INTEL_STANDING } = await import('../collateral/address.ts')
  const { isAsked } = await import('../service/vendors.ts')
  const { tpmListsOf } = await import('../config/tpm-files.ts')
  const of = { amd: amdLists(), intel: INTEL_STANDING, tpm: [...tpmListsOf(config.tpm.trust, config.mode).keys()] }
  return VENDORS.filter((name) => (vendor ?? name) === name && isAsked(config, name)).flatMap((name) => of[name])
}

async function known(texts: readonly string[]): Promise<readonly CollateralAddress[]> {
  const { isAddress } = await import('../stores/marks.ts')
  const { parseAddress } = await import('../collateral/address.ts')
  return texts.map((text) => {
    if (isAddress(text) && parseAddress(text) !== undefined) return text
    throw new UsageError(`${text} is not the address of a vendor document, such as intel/tcb-info/tdx/<fmspc>/standard`)
  })
}

type Fetching = {
  readonly session: Session
  readonly config: Config
  readonly store: CollateralStore
  readonly anchors: Anchors
  readonly wanted: readonly CollateralAddress[]
}

/** Fetches, and keeps through the same door as an import: nothing unproven, nothing older. */
async function fetchInto({ session, config, store, anchors, wanted }: Fetching): Promise<number> {
  const { clientOf } = await import('../service/vendors.ts')
  const { fetchCollateral } = await import('../collateral/one-shot.ts')
  const { importDocuments } = await import('../collateral/transfer.ts')
  const { documents, missing } = await fetchCollateral(await clientOf(config), wanted)
  const results = await importDocuments(documents, { store, anchors, now: new Date() })
  for (const { name, outcome, detail } of results) session.note(`assay: ${outcome} ${name}: ${detail}`)
  for (const [address, why] of missing) session.note(`assay: ${why} ${address}`)
  const refused = results.some(({ outcome }) => outcome === 'refused')
  return missing.size > 0 ? EXIT.undecided : refused ? EXIT.refused : EXIT.accepted
}
