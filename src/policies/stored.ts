import type { ActivePolicy } from '../appraisal/policy-set.ts'
import { AttestationError } from '../verifiers/problems.ts'
import type { DocumentStore, VersionEntry } from '../stores/stores.ts'
import type { Telemetry } from '../telemetry/log.ts'
import { policyOf, type Floor } from './reading.ts'
import { keptStanding, type PolicyStanding } from './standing.ts'

/** What the store says of one policy. */
export type StoredPolicy = {
  readonly name: string
  /** In ascending order; never empty. */
  readonly versions: readonly VersionEntry[]
  readonly counter: number
  /** Undefined: it was kept by a newer program, or by nobody of ours; then nothing of this policy counts. */
  readonly standing: PolicyStanding | undefined
  readonly active: ActivePolicy | undefined
  readonly shadow: ActivePolicy | undefined
  /** Whether something that should count does not. */
  readonly faulty: boolean
}

/** What reading takes. */
export type StoredDeps = { readonly store: DocumentStore; readonly floor: Floor; readonly log: Telemetry }

/** Policies by `name/version`: versions never change, so each is read once while it counts. */
export type ReadPolicies = Map<string, ActivePolicy>

/** All policies of the store. What cannot be used is left out, said in the log, and marked. Rejects when the store cannot be read. */
export async function readStored(deps: StoredDeps, known: ReadPolicies): Promise<readonly StoredPolicy[]> {
  const stored: StoredPolicy[] = []
  // One after the other: a service has tens of them, and a thousand questions at once would hold up the store for everybody.
  for (const name of await deps.store.names('policies')) {
    const policy = await readOne(name, deps, known)
    if (policy !== undefined) stored.push(policy)
  }
  forget(known, stored)
  return stored
}

/** What counts for nothing is read again when it counts: otherwise every version that ever did would stay in memory. */
function forget(known: ReadPolicies, stored: readonly StoredPolicy[]): void {
  const wanted = new Set(stored.flatMap(({ name, standing }) => [`${name}/${standing?.active}`, `${name}/${standing?.shadow}`]))
  for (const key of known.keys()) if (!wanted.has(key)) known.delete(key)
}

async function readOne(name: string, deps: StoredDeps, known: ReadPolicies): Promise<StoredPolicy | undefined> {
  const versions = await deps.store.versions('policies', name)
  if (versions.length === 0) return undefined
  const { standing, counter } = await keptStanding(name, deps.store)
  if (standing === undefined) {
    deps.log.error({ policy: name }, 'what counts of a stored policy cannot be read; nothing of it does')
    return { name, versions, counter, standing, active: undefined, shadow: undefined, faulty: true }
  }
  const active = await usable({ name, version: standing.active }, deps, known)
  const shadow = await usable({ name, version: standing.shadow }, deps, known)
  const faulty = isLost(standing.active, active) || isLost(standing.shadow, shadow)
  return { name, versions, counter, standing, active, shadow, faulty }
}

const isLost = (version: number | null, found: ActivePolicy | undefined): boolean => version !== null && found === undefined

type Wanted = { readonly name: string; readonly version: number | null }

async function usable({ name, version }: Wanted, deps: StoredDeps, known: ReadPolicies): Promise<ActivePolicy | undefined> {
  if (version === null) return undefined
  const key = `${name}/${version}`
  const policy = known.get(key) ?? (await read({ name, version }, deps))
  if (policy !== undefined) known.set(key, policy)
  return policy
}

/** The version as it judges; undefined, and said in the log, when it is not there or is no longer taken. */
async function read({ name, version }: { name: string; version: number }, { store, floor, log }: StoredDeps) {
  const document = await store.read('policies', name, version)
  if (document === undefined) {
    log.error({ policy: name, version }, 'a version of a stored policy that should count is not there')
    return undefined
  }
  try {
    const policy = policyOf({ name, version, text: document.text }, floor)
    if (policy.reference.sha256 !== document.sha256)
      log.warn(
        { policy: name, version, sha256: policy.reference.sha256 },
        'this program understands a stored policy otherwise than its writer did',
      )
    return policy
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    log.error({ policy: name, version, detail: error.message }, 'a version of a stored policy that should count cannot be used')
    return undefined
  }
}
