import { z } from 'zod'
import type { Contradiction } from './impossible.ts'
import type { AppraisalPolicy } from './policy.ts'
import { list, whole } from './policy-values.ts'
import { covers } from './rule-paths.ts'
import { pinsOf } from './token-names.ts'

const template = () => z.string({ error: 'expected text such as `node-{snp.report_id}`' })

/** More would not fit into a token of 4 KiB. */
const MOST_GROUPS = 4

/** What a policy says of its tokens (design section 4). */
export const tokenMembers = z.strictObject({
  lifetime_seconds: whole(60, 900).default(300),
  /** Who the token is about; absent: a pseudonym of the attested instance. */
  subject: template().optional(),
  groups: list(template())
    .refine((groups) => groups.length <= MOST_GROUPS, { error: `expected at most ${MOST_GROUPS} groups` })
    .optional(),
})

/** Templates that hold what nobody signs, what guest or host may choose unless the policy lists it, or what others rely on. */
export function tokenProblems(document: AppraisalPolicy): readonly Contradiction[] {
  const { subject, groups = [] } = document.token
  const templates = [
    ...(subject === undefined ? [] : [{ path: ['token', 'subject'], text: subject }]),
    ...groups.map((text, at) => ({ path: ['token', 'groups', at], text })),
  ]
  return templates.flatMap(({ path, text }) => {
    const pins = pinsOf(text)
    if (typeof pins === 'string') return [{ path, message: pins }]
    return pins
      .filter((pin) => !isPinned(document, pin))
      .map((pin) => ({ path, message: `needs ${pin} as a list that refuses: otherwise guest or host choose the name` }))
  })
}

/** Whether a list stands at the path, and whatever is not on it is refused. */
function isPinned(document: AppraisalPolicy, pin: string): boolean {
  const warned = (document.warn ?? []).some((group) => covers(group, pin))
  const lenient = pin.endsWith('_key_digests') && document.snp.id_key_enforcement === 'warn'
  return !warned && !lenient && Array.isArray(memberAt(document, pin))
}

const memberAt = (document: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((value, name) => Object.entries(Object(value)).find(([member]) => member === name)?.[1], document)
