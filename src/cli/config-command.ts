import type { PolicySet } from '../appraisal/policy-set.ts'
import { ConfigError, type Config } from '../config.ts'
import { configuration } from './load.ts'
import type { Session } from './output.ts'
import type { AddCommand } from './command.ts'

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
  const { config } = configuration(session)
  const policies = await usable(config)
  if (print === true) await show(session)
  const { silentSets } = await import('./config-sets.ts')
  const remarks = [...awaited(config, policies), ...(await weakened(config, policies)), ...silentSets(config, policies, new Date())]
  for (const remark of remarks) session.note(`assay: ${remark}`)
  session.note(
    `assay: the configuration is usable (mode ${config.mode}, audiences: ${config.audiences.length}, policies: ${policies.all().length})`,
  )
}

/** Reads everything that the configuration names, and makes nothing. Throws ConfigError. */
async function usable(config: Config): Promise<PolicySet> {
  const { loadPolicies } = await import('../config/policies.ts')
  const { groundsOf } = await import('../config/grounds.ts')
  const { fileProblems } = await import('../config/named-files.ts')
  const problems = await fileProblems(config)
  const policies = attempt(() => loadPolicies(config))
  const wrong = [...problems, ...(policies instanceof ConfigError ? policies.problems : [])]
  if (wrong.length > 0) throw new ConfigError(wrong)
  if (policies instanceof ConfigError) throw policies
  await groundsOf(config)
  return policies
}

function attempt<T>(read: () => T): T | ConfigError {
  try {
    return read()
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
}

/** Policies that no file holds may be in the store, which is not opened here. */
const awaited = ({ audiences }: Config, policies: PolicySet): readonly string[] =>
  audiences.flatMap(({ name, policies: names }) =>
    names.filter((policy) => policies.get(policy) === undefined).map((policy) => `audience ${name} waits for the stored policy ${policy}`),
  )

/** An audience is as strong as its weakest policy, and the operator should hear which one that is. */
async function weakened({ audiences }: Config, policies: PolicySet): Promise<readonly string[]> {
  const { concessionsOf } = await import('../appraisal/weakenings.ts')
  return audiences.flatMap(({ name, policies: names }) => {
    const weak = names.flatMap((policy) => policies.get(policy) ?? []).flatMap(({ document }) => concessionsOf(document))
    return weak.length === 0 ? [] : [`audience ${name} is only as strong as its weakest policy: ${weak.join(', ')}`]
  })
}

async function show(session: Session): Promise<void> {
  const { printConfig } = await import('../config/print.ts')
  session.out(printConfig(configuration(session).config))
}
