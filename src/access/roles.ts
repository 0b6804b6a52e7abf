import { AttestationError } from '../verifiers/problems.ts'

/** What callers may do: `viewer` reads what operators wrote; the others change one kind of it each; `admin` may do everything. */
export const ROLES = ['viewer', 'policy-author', 'policy-activator', 'enroller', 'admin'] as const

/** One of {@link ROLES}. */
export type Role = (typeof ROLES)[number]

/** An authenticated caller. The name is what audit lines and documents say; no two callers share one. */
export type Principal = { readonly name: string; readonly roles: readonly [Role, ...Role[]] }

/** What else a role may do: everybody who is known may read, whatever else they are. */
const INCLUDES: Readonly<Record<Role, readonly Role[]>> = {
  viewer: ['viewer'],
  'policy-author': ['viewer', 'policy-author'],
  'policy-activator': ['viewer', 'policy-activator'],
  enroller: ['viewer', 'enroller'],
  admin: ROLES,
}

/** Whether one of the caller's roles is, or includes, the role that is needed. */
export const mayActAs = (needed: Role, { roles }: Principal): boolean => roles.some((role) => INCLUDES[role].includes(needed))

/** Who wants that a version counts, who wrote it, and whether the operator asks for two people (`separate_author_and_activator`). */
type Activation = { readonly activator: string; readonly author: string; readonly separate: boolean }

/** Throws `activator-is-author` where nobody may bring into force what he wrote himself, whatever roles he has. */
export function requireSecondPerson({ activator, author, separate }: Activation): void {
  if (separate && activator === author)
    throw new AttestationError('activator-is-author', 'another operator must activate what this one wrote', { at: 'Authorization' })
}
