import type { Check } from '../../verifiers/verifier.ts'
import { judge, notAsked, oneOf, type Question } from '../check.ts'
import { matchesWhole } from './patterns.ts'
import { asked, onList, type TpmRule } from './rule.ts'

const question = (title: string, member: string): Question =>
  asked('TPM-57', title, ['tpm-kernel-cmdline-not-allowed', `tpm.kernel_cmdline.${member}`])

const EXACT = question('The kernel command line is on the policy’s list', 'exact')
const PATTERNS = question('The kernel command line has a form on the policy’s list', 'patterns')
const REQUIRED = question('The kernel command line has every word that the policy wants', 'required_tokens')
const FORBIDDEN = question('The kernel command line has no word that the policy forbids', 'forbidden_tokens')

/** Linux splits at white space, and treats quotation marks as part of a value; `-` and `_` are the same in the names of parameters. */
const wordsOf = (line: string): readonly string[] => line.split(/\s+/).map((word) => plain(word))

/** Quotation marks keep no parameter from being read, so they must not hide one. */
const plain = (word: string): string => word.replaceAll('"', '').replaceAll(/^[^=]+/g, (name) => name.replaceAll('-', '_'))

/** `init=` forbids the parameter with any value, `init=/bin/sh` this value only, `quiet` the bare word. */
const isWord = (word: string, token: string): boolean => (token.endsWith('=') ? word.startsWith(token) : word === token)

const has = (line: string, token: string): boolean => wordsOf(line).some((word) => isWord(word, plain(token)))

type Row = {
  readonly question: Question
  readonly member: 'patterns' | 'required_tokens' | 'forbidden_tokens'
  readonly holds: (listed: readonly string[], line: string) => boolean
}

const ROWS: readonly Row[] = [
  { question: PATTERNS, member: 'patterns', holds: matchesWhole },
  { question: REQUIRED, member: 'required_tokens', holds: (tokens, line) => tokens.every((token) => has(line, token)) },
  { question: FORBIDDEN, member: 'forbidden_tokens', holds: (tokens, line) => !tokens.some((token) => has(line, token)) },
]

/** TPM-57. A command line that is not proven fits nothing, not even the absence of a word. */
export const kernelCmdline: TpmRule = ({ claims: { boot }, policy: { kernel_cmdline: policy } }) => {
  const line = boot?.kernel_cmdline ?? null
  return [onList(EXACT, line, policy.exact), ...ROWS.map((row) => checkOf(row, policy[row.member], line))]
}

function checkOf({ question: asks, holds }: Row, listed: readonly string[] | undefined, line: string | null): Check {
  const actual = line ?? 'not known'
  if (listed === undefined) return notAsked(asks, actual)
  return judge(asks, line !== null && holds(listed, line), { actual, expected: oneOf(listed) })
}
