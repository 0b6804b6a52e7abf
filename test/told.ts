import type { Judgement } from '../src/appraisal/appraisal.ts'
import { checksOf } from './intel-judged.ts'

/** What an answer tells of each check of a policy’s rules, a line each: number, outcome and rule, then what was found and what was expected. */
export const toldBy = (judgement: Judgement): readonly string[] =>
  checksOf(judgement)
    .filter(({ id }) => /^(?:SNP|TDX|BOOT)/.test(id) && id !== 'SNP-50' && id !== 'TDX-52')
    .map(
      ({ id, outcome, rule = '', actual = '', expected }) =>
        `${id} ${outcome} ${rule}: ${actual}${expected === undefined ? '' : ` | ${expected}`}`,
    )
    .map((line) => line.replaceAll(/\b([0-9a-f]{2})\1{7,}\b/g, (all, byte: string) => `${byte}*${all.length / 2}`))
