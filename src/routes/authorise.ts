import type { Credentials, Principal, Role } from '../access/credentials.ts'
import { AttestationError } from '../verifiers/problems.ts'
import type { Access } from './call.ts'

/** Which roles satisfy a route's demand: an admin may do what a viewer may. */
const ROLES = { viewer: ['viewer', 'admin'], admin: ['admin'] } as const satisfies Record<'viewer' | 'admin', readonly Role[]>

/**
 * Who is calling, if the route lets them. Throws `unauthenticated` for missing credentials where a role is needed and for wrong ones
 * everywhere but on public routes; `forbidden` for a role that is not enough.
 */
export function authorise(access: Access, authorization: string | undefined, credentials: Credentials): Principal | undefined {
  if (access === 'public') return undefined
  const caller = credentials.authenticate(authorization)
  if (access === 'anyone') return caller
  if (caller === undefined) throw new AttestationError('unauthenticated', 'this operation needs credentials')
  const enough: readonly Role[] = ROLES[access]
  if (!enough.includes(caller.role)) throw new AttestationError('forbidden', `this operation needs the role ${access}`)
  return caller
}
