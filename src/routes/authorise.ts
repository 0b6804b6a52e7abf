import { mayActAs, type Principal } from '../access/roles.ts'
import { AttestationError } from '../verifiers/problems.ts'
import type { Access } from './call.ts'
import type { Services } from './services.ts'

/** What is known of a request before its body is read. */
type Arrival = { readonly access: Access; readonly prefix: string; readonly authorization: string | undefined }

type Guard = Pick<Services, 'credentials' | 'rateLimits'>

/**
 * Who is calling, if the route lets them and their allowance is not used up. Throws `rate-limited`; `unauthenticated` for missing
 * credentials where a role is needed and for wrong ones everywhere but on public routes; `forbidden` for roles that are not enough.
 */
export async function admit(arrival: Arrival, guard: Guard): Promise<Principal | undefined> {
  const { access, prefix } = arrival
  if (access === 'public') return undefined
  const caller = await identify(arrival, guard)
  // A known caller is not held up by strangers of the same network.
  await guard.rateLimits.take(caller === undefined ? prefix : `caller ${caller.name}`)
  if (access === 'anyone') return caller
  if (caller === undefined) throw new AttestationError('unauthenticated', 'this operation needs credentials')
  if (!mayActAs(access, caller)) throw new AttestationError('forbidden', `this operation needs the role ${access}`)
  return caller
}

/** Wrong credentials count for the network that they came from, and when it has guessed too often, none of its are looked at. */
async function identify({ prefix, authorization }: Arrival, { credentials, rateLimits }: Guard): Promise<Principal | undefined> {
  if (authorization === undefined) return undefined
  const guesses = `guesses ${prefix}`
  await rateLimits.check(guesses)
  try {
    return await credentials.authenticate(authorization)
  } catch (error) {
    await rateLimits.take(guesses)
    throw error
  }
}
