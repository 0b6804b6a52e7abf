import { configuration } from './load.ts'
import type { Session } from './output.ts'
import type { AddCommand } from './program.ts'

type Flags = { readonly print?: true }

/** `assay config check [--print]`: whether the service would start with this configuration, and what is in force. */
export const addConfig: AddCommand = (program, session) => {
  const config = program.command('config').description('check and show the configuration (environment and ASSAY_CONFIG)')
  config.option('--print', 'show what is in force, without secrets').action(async ({ print }: Flags, command) => {
    if (print === true) return show(session)
    return command.help({ error: true })
  })
  config
    .command('check')
    .description('check settings, policies and audiences; name everything that is wrong')
    .option('--print', 'also show what is in force, without secrets')
    // Parent and child share the flag, and the parent takes it first wherever it stands.
    .action(async (_: Flags, command) => check(command.optsWithGlobals(), session))
  config
    .command('print')
    .description('the same as --print')
    .action(() => show(session))
}

async function check({ print }: Flags, session: Session): Promise<void> {
  const { loadPolicies } = await import('../config/policies.ts')
  const { weakeningsOf } = await import('../appraisal/weakenings.ts')
  const { config } = configuration(session)
  const policies = loadPolicies(config)
  if (print === true) await show(session)
  for (const { name, policies: names } of config.audiences) {
    const weak = names.flatMap((policy) => weakeningsOf(policies.get(policy)?.document ?? unknown(policy)))
    if (weak.length > 0) session.note(`assay: audience ${name} is only as strong as its weakest policy: ${weak.join(', ')}`)
  }
  session.note(
    `assay: the configuration is usable: ${config.audiences.length} audiences, ${policies.all().length} policies, mode ${config.mode}`,
  )
}

async function show(session: Session): Promise<void> {
  const { printConfig } = await import('../config/print.ts')
  session.out(printConfig(configuration(session).config))
}

function unknown(policy: string): never {
  throw new Error(`the policy ${policy} is not loaded`)
}
