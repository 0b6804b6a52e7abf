import { weakenedBeside } from '../access/audiences.ts'
import { requireSecondPerson } from '../access/roles.ts'
import type { PolicyReference } from '../appraisal/appraisal.ts'
import { AttestationError } from '../verifiers/problems.ts'
import type { DocumentVersion } from '../stores/stores.ts'
import type { PoliciesDeps } from './deps.ts'
import { conflict, invalid, unknown } from './errors.ts'
import type { Activation, Recorder } from './policies.ts'
import { policyOf } from './reading.ts'
import { isRevoked, keptStanding, revokedIn, type PolicyStanding } from './standing.ts'

/** What a policy was when somebody decided. */
type Before = { readonly standing: PolicyStanding; readonly counter: number }
/** What it is to be: the standing, and the version that the audit log names. */
type After = { readonly standing: PolicyStanding; readonly about: PolicyReference }

/** Decides which version of a stored policy counts: for everybody at once, and only if nobody decided otherwise meanwhile. */
export async function activateVersion(activation: Activation, deps: PoliciesDeps, record: Recorder): Promise<void> {
  const { name, by, expectedCounter } = activation
  const before = await standingOf(name, deps)
  if (expectedCounter !== undefined && expectedCounter !== before.counter)
    throw conflict(`the counter of the policy is ${before.counter}`, 'expected_counter')
  const after = await decide(activation, before, deps)
  await record(after.about)
  const revoked = after.standing.revoked.map(({ version }) => version)
  const next = { name, value: after.standing, by, at: deps.now(), revoked }
  if ((await deps.store.advance('policies', next, before.counter)) === 'conflict') throw conflict('somebody else decided first', 'version')
}

async function standingOf(name: string, { store }: PoliciesDeps): Promise<Before> {
  const { standing, counter } = await keptStanding(name, store)
  if (standing === undefined) throw new AttestationError('not-ready', 'what counts of this policy cannot be read', { retryAfter: 60 })
  return { standing, counter }
}

async function decide(activation: Activation, { standing }: Before, deps: PoliciesDeps): Promise<After> {
  const { as, reason } = activation
  const document = await meant(activation, standing, deps)
  const { name, version, sha256 } = document
  const about = { name, version, sha256 }
  if (activation.version === null) return { standing: { ...standing, shadow: null }, about }
  if (as === 'revoked') return { standing: revokedIn(standing, version, reason ?? null), about }
  if (isRevoked(standing, version))
    throw new AttestationError('policy-version-revoked', `version ${version} was revoked`, { at: 'version' })
  const reference = checkUse(document, activation, deps)
  return { standing: as === 'active' ? activated(standing, version) : { ...standing, shadow: version }, about: reference }
}

/** The version that is spoken of: without a number the one that is tried, which then no longer is. */
async function meant({ name, as, version }: Activation, standing: PolicyStanding, { store }: PoliciesDeps): Promise<DocumentVersion> {
  const asked = version ?? (as === 'shadow' ? standing.shadow : null)
  const document = asked === null ? undefined : await store.read('policies', name, asked)
  if (document === undefined) throw unknown('the policy has no such version')
  return document
}

/** A version that becomes active is no longer tried beside it. */
const activated = (standing: PolicyStanding, version: number): PolicyStanding => ({
  ...standing,
  active: version,
  shadow: standing.shadow === version ? null : standing.shadow,
})

/** Throws unless this version may judge; the digest is that of the document as this program understands it. */
function checkUse(document: DocumentVersion, { as, by }: Activation, deps: PoliciesDeps): PolicyReference {
  const policy = policyOf(document, deps.floor)
  if (as !== 'active') return policy.reference
  requireSecondPerson({ activator: by, author: document.author, separate: deps.separateAuthorAndActivator })
  const harm = weakenedBeside(policy, deps.audiences)
  if (harm.length > 0) throw invalid(harm.map(({ path, message }) => ({ path, message })))
  return policy.reference
}
