import type { Challenges } from '../access/challenge.ts'
import type { Seal } from '../access/sealed.ts'
import type { Anchors, Memo, Mode } from '../verifiers/verifier.ts'
import type { AkAuthority } from './authority.ts'
import type { EnrolmentRules } from './rules.ts'

/** What enrolment is made of. It keeps nothing: what one replica began another may finish. */
export type EnrolmentParts = {
  readonly authority: AkAuthority
  readonly seal: Seal
  /** States are spent as challenges are. */
  readonly challenges: Pick<Challenges, 'issue' | 'check' | 'spend'>
  readonly anchors: Anchors
  readonly memo: Memo
  readonly mode: Mode
  readonly now: () => Date
  readonly rules: EnrolmentRules
}
