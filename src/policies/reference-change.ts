import { requireSecondPerson } from '../access/roles.ts'
import { PolicyError } from '../appraisal/read-policy.ts'
import { changedStanding, givesMore, revokedIn, type ChangeRefusal, type ReferenceStanding } from '../appraisal/reference-standing.ts'
import { readReferenceSet, type ReferenceContent } from '../appraisal/reference-values.ts'
import type { DocumentVersion } from '../stores/stores.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { conflict, invalid, unknown } from './errors.ts'
import type { Draft, Recorder } from './policies.ts'
import { checkPrecondition, type PutOutcome } from './put.ts'
import type { ReferenceDecision } from './reference-life.ts'
import type { ReferencesDeps } from './reference-state.ts'
import { keptReferences } from './reference-stored.ts'
import { etagOf } from './views.ts'

const KIND = 'reference-values'

/** Keeps a text as the next version of a set that is not in files. Nothing of it counts yet. */
export async function putReference(draft: Draft, deps: ReferencesDeps, record: Recorder): Promise<PutOutcome> {
  const [{ name, text }, { store }] = [draft, deps]
  const { sha256 } = contentOf(name, text)
  const latest = (await store.versions(KIND, name)).at(-1)
  checkPrecondition(draft.precondition, latest === undefined ? undefined : etagOf(latest), KIND)
  if (latest !== undefined && (await store.read(KIND, name, latest.version))?.text === text) return 'same'
  const version = (latest?.version ?? 0) + 1
  await record({ name, version, sha256 })
  await append(draft, { version, sha256 }, deps)
  return version === 1 ? 'created' : 'added'
}

type Next = Pick<DocumentVersion, 'version' | 'sha256'>

async function append({ name, text, by }: Draft, { version, sha256 }: Next, { store, now }: ReferencesDeps): Promise<void> {
  const kept = await store.append(KIND, { name, text, sha256, author: by, created: now() }, version - 1)
  if (kept === 'conflict') throw conflict('somebody else wrote a version first', 'If-Match', KIND)
}

/** A text as the set of this name. Throws `reference-values-invalid` with everything that is wrong. */
export function contentOf(name: string, text: string): ReferenceContent {
  const content = read(text)
  if (content.document.name === name) return content
  throw invalid([{ path: 'name', message: `must be ${name}, the name in the address` }], KIND)
}

function read(text: string): ReferenceContent {
  try {
    return readReferenceSet(text, 'set')
  } catch (error) {
    if (error instanceof PolicyError) throw invalid(error.problems, KIND)
    throw error
  }
}

type Before = { readonly standing: ReferenceStanding; readonly counter: number }

/** Decides how a version stands: for everybody at once, and only if nobody decided otherwise meanwhile. */
export async function decideReference(decision: ReferenceDecision, deps: ReferencesDeps, record: Recorder): Promise<void> {
  const { name, by, change, expectedCounter } = decision
  const { standing, counter } = await before(name, deps)
  if (expectedCounter !== undefined && expectedCounter !== counter)
    throw conflict(`the counter of the set is ${counter}`, 'expected_counter', KIND)
  const document = await deps.store.read(KIND, name, change.version)
  if (document === undefined) throw unknown('the set has no such version', KIND)
  const [at, { version, sha256 }] = [deps.now(), document]
  const value = changedStanding(standing, change, at)
  if (typeof value === 'string') throw refusal(value, version)
  if (givesMore(standing, change)) checkActivation(document, decision, deps)
  await record({ name, version, sha256 })
  if ((await deps.store.advance(KIND, { name, value, by, at, revoked: revokedIn(value) }, counter)) === 'conflict')
    throw conflict('somebody else decided first', 'version', KIND)
}

async function before(name: string, { store }: ReferencesDeps): Promise<Before> {
  const { standing, counter } = await keptReferences(name, store)
  if (standing === undefined) throw new AttestationError('not-ready', 'what counts of this set cannot be read', { retryAfter: 60 })
  return { standing, counter }
}

const WHY = {
  'not-in-force': 'is not in force, and only what is can be deprecated',
  'already-so': 'is active already',
  'until-is-past': 'cannot be deprecated until a time that is past',
} as const satisfies Record<Exclude<ChangeRefusal, 'revoked-for-ever'>, string>

const refusal = (why: ChangeRefusal, version: number): AttestationError =>
  why === 'revoked-for-ever'
    ? new AttestationError('reference-values-version-revoked', `version ${version} was revoked`, { at: 'version' })
    : new AttestationError('reference-values-state-refused', `version ${version} ${WHY[why]}`, {
        at: why === 'until-is-past' ? 'until' : 'state',
      })

/** Throws unless this version may give values: it is still taken, and brought into force by whom the operator wants. */
function checkActivation({ name, text, author }: DocumentVersion, { by }: ReferenceDecision, deps: ReferencesDeps): void {
  contentOf(name, text)
  requireSecondPerson({ activator: by, author, separate: deps.separateAuthorAndActivator })
}
