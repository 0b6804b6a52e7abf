import type { Flag } from '../config/sources.ts'
import { configuration } from './load.ts'
import type { Session } from './output.ts'
import { repeated, type AddCommand } from './command.ts'

type Flags = { readonly clock?: string; readonly insecureTestRoot: readonly string[]; readonly collateral: readonly string[] }

const HELP = `
Settings come from the environment (ASSAY_…) and the file that ASSAY_CONFIG names; assay config check tells whether they are right.
SIGTERM or SIGINT: readiness turns false, requests under way finish (30 s at most), exit 0. A second signal ends at once.`

/** `assay serve`: the service, as `npm start` runs it. The flags are for mode test only and refused in production. */
export const addServe: AddCommand = (program, session) => {
  program
    .command('serve')
    .description('run the service')
    .option('--clock <time>', 'mode test: the time stands still there (RFC 3339)')
    .addOption(repeated('--insecure-test-root <file>', 'mode test: root that replaces AMD’s'))
    .addOption(repeated('--collateral <bundle>', 'mode test: vendor documents that are used before any other'))
    .addHelpText('after', HELP)
    .action((flags: Flags) => serve(flags, session))
}

async function serve({ clock, insecureTestRoot, collateral }: Flags, session: Session): Promise<void> {
  const flags: Flag[] = [
    ...(clock === undefined ? [] : [{ member: 'clock', value: clock, flag: '--clock' } as const]),
    ...(insecureTestRoot.length === 0
      ? []
      : [{ member: 'insecure_test_roots', value: insecureTestRoot, flag: '--insecure-test-root' } as const]),
    ...(collateral.length === 0 ? [] : [{ member: 'collateral_bundles', value: collateral, flag: '--collateral' } as const]),
  ]
  const loaded = configuration(session, flags)
  const { runService } = await import('../main.ts')
  session.exit(await runService(loaded))
}
