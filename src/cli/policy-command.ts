import type { Command } from 'commander'
import { Option } from 'commander'
import { ConfigError } from '../config.ts'
import { LIFTS, type Lift } from '../appraisal/floor.ts'
import type { AddCommand } from './command.ts'
import { EXIT, exitOf } from './exit.ts'
import { jsonText, type Session } from './output.ts'
import type { LintGround } from './policy-lint.ts'
import { addQuestionOptions, askedOf, type QuestionFlags } from './verify-question.ts'

type Json = { readonly json?: true }
type LintFlags = Json & { readonly lift: readonly Lift[] }
type TrialFlags = Json & QuestionFlags & { readonly evidence: string; readonly against?: string; readonly referenceDir?: string }

/** `assay policy …`: policies of operators, tried and explained before they count. Needs no service, opens no store and no socket. */
export const addPolicy: AddCommand = (program, session) => {
  const policy = program.command('policy').description('check, try, compare and explain appraisal policies, without a service')
  addLint(policy, session)
  addTrial(policy, session)
  withJson(policy.command('diff').description('which rules of policy B are stricter or weaker than those of A'))
    .argument('<a>', 'policy file, or the name of a preset')
    .argument('<b>', 'policy file, or the name of a preset')
    .addHelpText('after', '\nExit codes: 0 B accepts nothing that A refuses, 1 it does, 2 usage or a policy that cannot be used.')
    .action((a: string, b: string, flags: Json) => diff([a, b], flags, session))
  withJson(policy.command('explain').description('say in words what a policy accepts, what it asks for, and what not'))
    .argument('<policy>', 'policy file, or the name of a preset')
    .action((file: string, flags: Json) => explain(file, flags, session))
  policy
    .command('presets')
    .description('list the presets, or print one to read or to start from')
    .argument('[name]', 'the preset to print')
    .action((name: string | undefined) => presets(name, session))
}

const withJson = (command: Command): Command => command.option('--json', 'print the answer as JSON')

function addLint(policy: Command, session: Session): void {
  withJson(policy.command('lint').description('everything that is wrong with policy files, by path and line, and how they are weak'))
    .argument('<files...>', 'policy files, YAML or JSON')
    .addOption(new Option('--lift <names...>', 'what the configuration lifts of the floor').choices(LIFTS).default([], 'none'))
    .addHelpText('after', '\nExit codes: 0 every file can be loaded, 1 one cannot, 2 usage or a file that cannot be read.')
    .action((files: readonly string[], flags: LintFlags) => lint(files, flags, session))
}

function addTrial(policy: Command, session: Session): void {
  const command = policy.command('test').description('what a policy makes of evidence: the verdict, each failed rule, and what mends it')
  addQuestionOptions(withJson(command))
    .argument('<policy>', 'policy file, or the name of a preset')
    .requiredOption('--evidence <file>', 'EVIDENCE.json: an evidence item or an appraisal request; - for standard input')
    .option('--against <policy>', 'policy file or preset to compare with')
    .option('--reference-dir <folder>', 'files with the sets of reference values that the policy names')
    .addHelpText(
      'after',
      '\nExit codes: 0 accepted, 1 refused, 2 usage or an unreadable file, 3 undecided; of the policy, not of --against.',
    )
    .action((file: string, flags: TrialFlags) => trial(file, flags, session))
}

async function lint(files: readonly string[], { lift, json }: LintFlags, session: Session): Promise<void> {
  const { lintPolicies, lintText } = await import('./policy-lint.ts')
  const linted = lintPolicies(files, await lintGround(lift, session))
  session.out(json === true ? jsonText(linted) : lintText(linted))
  session.exit(linted.some(({ problems }) => problems.length > 0) ? EXIT.refused : EXIT.accepted)
}

/** What the configuration in the environment says of floor and audiences; a policy can be checked where there is none that can be read. */
async function lintGround(lifts: readonly Lift[], session: Session): Promise<LintGround> {
  const { configuration } = await import('./load.ts')
  try {
    const { config } = configuration(session)
    return { lifts: [...lifts, ...config.lift], audiences: config.audiences }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    session.note('assay: the configuration cannot be used (`assay config check`), so nothing is known of lifts and audiences')
    return { lifts, audiences: [] }
  }
}

async function trial(file: string, flags: TrialFlags, session: Session): Promise<void> {
  const { filled, setsIn } = await import('./policy-references.ts')
  const { policyNamed } = await import('./policy-named.ts')
  const { tryPolicy, trialText } = await import('./policy-trial.ts')
  const asked = await askedOf(flags.evidence, flags)
  const sets = setsIn(flags.referenceDir)
  const judging = (name: string) => filled(policyNamed(name), sets, asked.now)
  const policy = judging(file)
  const against = flags.against === undefined ? undefined : judging(flags.against)
  for (const remark of remarks(asked)) session.note(`assay: ${remark}`)
  const tried = await tryPolicy({ ...asked, fetch: undefined }, policy, against)
  session.out(flags.json === true ? jsonText(tried) : trialText(tried, policy, against))
  session.exit(exitOf(tried.verdict.code))
}

/** What was not asked, so that nobody takes the answer for more than it is. */
function remarks({ expected, grounds }: Awaited<ReturnType<typeof askedOf>>): readonly string[] {
  const test = 'WARNING: --insecure-test-root replaces the vendor’s keys; this answer is worth nothing outside tests'
  const binding = 'no --nonce and no --report-data: freshness and binding are not asked, nor whether a key is bound'
  return [...(grounds.mode === 'test' ? [test] : []), ...(expected.from === 'nothing' ? [binding] : [])]
}

async function diff(files: readonly [string, string], { json }: Json, session: Session): Promise<void> {
  const { policyNamed } = await import('./policy-named.ts')
  const { changesBetween, isWeaker } = await import('./policy-difference.ts')
  const { differenceText } = await import('./policy-difference-text.ts')
  const [before, after] = [policyNamed(files[0]), policyNamed(files[1])]
  const changes = changesBetween(before.document, after.document)
  session.out(json === true ? jsonText({ from: before.reference, to: after.reference, changes }) : differenceText([before, after], changes))
  session.exit(isWeaker(changes) ? EXIT.refused : EXIT.accepted)
}

async function explain(file: string, { json }: Json, session: Session): Promise<void> {
  const { policyNamed } = await import('./policy-named.ts')
  const words = await import('./policy-explanation.ts')
  const policy = policyNamed(file)
  session.out(json === true ? jsonText({ policy: policy.reference, chapters: words.explain(policy) }) : words.explanationText(policy))
}

async function presets(name: string | undefined, session: Session): Promise<void> {
  const { presetNamed } = await import('./policy-named.ts')
  const { PRESET_NAMES } = await import('../appraisal/presets/names.ts')
  const { PRESET_TEXTS } = await import('../appraisal/presets/texts.ts')
  session.out(name === undefined ? PRESET_NAMES.join('\n') : PRESET_TEXTS[presetNamed(name)])
}
