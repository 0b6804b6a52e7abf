import { Option } from 'commander'
import { interrupted } from './demo-command.ts'
import { EXIT, UsageError } from './exit.ts'
import type { Session } from './output.ts'
import type { AddCommand } from './command.ts'
import type { Simulation, TsmTree } from './simulation.ts'

type Flags = {
  readonly url?: string
  readonly audience?: string
  readonly policy?: string
  readonly out?: string
  readonly tsm?: string
  readonly tee: 'snp' | 'tdx'
  readonly keep?: true
}

const HELP = `
The fake vendors' keys live in this process and end with it; only certificates are written. With --url the fleet attests to a service that
was started in mode test with the roots of --out; with --keep the vendors' services and the configfs-tsm tree stay.
Exit codes: 0 every host got what it should, 1 not, 2 usage.`

/** `assay simulate`: a fake AMD and a fake Intel with their services, a fake maker of TPMs, and hosts that attest to a service of yours. */
export const addSimulate: AddCommand = (program, session) => {
  program
    .command('simulate')
    .description('run fake vendors and fake hosts against a service in mode test')
    .option('--url <url>', 'service that the hosts attest to; waits until it is ready')
    .option('--audience <name>', 'audience of the tokens')
    .option('--policy <name>', 'policy to ask for')
    .option('--out <folder>', 'write test roots, a collateral bundle, a policy and evidence there')
    .option('--tsm <folder>', 'serve a fake configfs-tsm tree of a good host there (with --keep)')
    .addOption(new Option('--tee <tee>', 'which kind of guest --tsm is').choices(['snp', 'tdx']).default('snp'))
    .option('--keep', 'stay until interrupted')
    .addHelpText('after', HELP)
    .action((flags: Flags) => simulate(flags, session))
}

async function simulate(flags: Flags, session: Session): Promise<void> {
  if ((flags.url ?? flags.out ?? flags.tsm) === undefined) throw new UsageError('simulate needs --url, --out or --tsm')
  const { endVendors, startSimulation } = await import('./simulation.ts')
  const simulation = await startSimulation()
  session.note(`assay: AMD’s service ${simulation.kds.url}, Intel’s ${simulation.pcs.url}`)
  try {
    await act(simulation, flags, session)
  } finally {
    await endVendors(simulation)
  }
}

async function act(simulation: Simulation, flags: Flags, session: Session): Promise<void> {
  const { url, out, tsm, tee, keep } = flags
  if (out !== undefined) await write(out, simulation, session)
  const tree = tsm === undefined ? undefined : await plant({ tsm, tee }, simulation, session)
  if (url !== undefined) session.exit(await run(simulation, { ...flags, url }, session))
  if (keep === true) await interrupted()
  tree?.close()
}

async function write(out: string, simulation: Simulation, session: Session): Promise<void> {
  const { writeFiles } = await import('./simulate.ts')
  const config = await writeFiles(out, simulation)
  session.note(`assay: a service that believes these vendors: ASSAY_CONFIG=${config} npm start`)
}

async function plant(
  { tsm, tee }: Pick<Flags, 'tee'> & { readonly tsm: string },
  simulation: Simulation,
  session: Session,
): Promise<TsmTree> {
  const { serveTsm } = await import('./simulation.ts')
  const tree = await serveTsm(tsm, simulation, tee)
  session.note(`assay: configfs-tsm at ${tree.report}; put ${tree.bin} first on PATH`)
  return tree
}

async function run(simulation: Simulation, { url, audience, policy }: Flags & { readonly url: string }, session: Session): Promise<number> {
  const { runFleet, serviceUp } = await import('./simulate.ts')
  await serviceUp(url)
  const results = await runFleet(simulation, { url, audience, policy, output: session })
  return results.every(({ agrees }) => agrees === 'yes') ? EXIT.accepted : EXIT.refused
}
