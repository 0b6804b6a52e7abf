import type { Grounds } from '../config/grounds.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { jsonText, type Session } from './output.ts'
import type { AddCommand } from './command.ts'
import { exitOf } from './exit.ts'
import type { Question } from './verify.ts'
import { addQuestionOptions, askedOf, type QuestionFlags } from './verify-question.ts'

type Flags = QuestionFlags & {
  readonly policy?: string
  readonly offline?: true
  readonly json?: true
}

const HELP = `
EVIDENCE.json is one evidence item or an appraisal request; - reads standard input.
Exit codes: 0 accepted, 1 refused, 2 usage or a file that is not the JSON it should be, 3 undecided.`

/** `assay verify`: the service's own verdict, without service, store or token (design section 6). */
export const addVerify: AddCommand = (program, session) => {
  const command = program
    .command('verify')
    .description('verify evidence from a file; with --policy also ask whether it is acceptable')
    .argument('<evidence>', 'EVIDENCE.json, or - for standard input')
  addQuestionOptions(command)
    .option('--policy <file>', 'appraisal policy, YAML or JSON')
    .option('--offline', 'open no socket')
    .option('--json', 'print the appraisal as JSON')
    .addHelpText('after', HELP)
    .action((path: string, flags: Flags) => verifyFile({ path, flags }, session))
}

async function verifyFile({ path, flags }: { path: string; flags: Flags }, session: Session): Promise<void> {
  const question = await questionOf(path, flags, session).catch((error: unknown) => unread(error, flags, session))
  const { verifyEvidence } = await import('./verify.ts')
  for (const remark of remarks(question)) session.note(`assay: ${remark}`)
  const verdict = await verifyEvidence(question)
  session.out(flags.json === true ? jsonText(verdict) : (await import('./verdict-text.ts')).verdictText(verdict))
  session.exit(exitOf(verdict.code))
}

/** Evidence of a type that nobody here verifies was not even read, so there is no appraisal; a script still gets its answer. */
function unread(error: unknown, { json, policy }: Flags, session: Session): never {
  if (json === true && error instanceof AttestationError) {
    const question = policy === undefined ? 'genuine' : 'acceptable'
    session.out(jsonText({ status: 'none', policy: null, evidence: [], accepted: false, code: error.code, question, nonce: 'not-asked' }))
  }
  throw error
}

async function questionOf(path: string, flags: Flags, session: Session): Promise<Question> {
  const { readPolicyFile } = await import('./policy-file.ts')
  const asked = await askedOf(path, flags)
  const policy = flags.policy === undefined ? null : readPolicyFile(flags.policy)
  return { ...asked, policy, fetch: await fetcher(flags, asked.grounds, session) }
}

/** Under a root of somebody else its vendor has nothing to say, so nobody is asked. */
async function fetcher(flags: Flags, { mode }: Grounds, session: Session): Promise<Question['fetch']> {
  if (flags.offline === true || mode !== 'production') return undefined
  const { fetchCollateral } = await import('../collateral/one-shot.ts')
  const { clientOf } = await import('../service/vendors.ts')
  const { configuredVendors } = await import('./load.ts')
  const client = await clientOf(configuredVendors(session))
  return (needs) => fetchCollateral(client, needs)
}

/** Standard error says what was not asked, so that nobody takes the answer for more than it is. */
function remarks({ policy, expected, grounds }: Question): readonly string[] {
  const { mode } = grounds
  const said: readonly (readonly [boolean, string])[] = [
    [mode === 'test', 'WARNING: --insecure-test-root replaces the vendor’s keys; this answer is worth nothing outside tests'],
    [policy === null, 'no --policy: only whether the evidence is genuine is asked, not whether it is acceptable'],
    [expected.from === 'nothing', 'no --nonce and no --report-data: freshness and binding are not asked; this may be a replay'],
    [expected.from === 'stated', 'the nonce is the request’s own: binding is checked, freshness is not; give --nonce to ask it'],
    [
      policy?.document.key_binding === 'required' && expected.from !== 'nonce',
      'whether the evidence binds a key is not asked without --nonce',
    ],
  ]
  return said.flatMap(([holds, text]) => (holds ? [text] : []))
}
