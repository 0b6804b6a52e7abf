import { AttestationError } from '../verifiers/problems.ts'
import { activateVersion } from './activate.ts'
import type { PoliciesDeps } from './deps.ts'
import { policyFiles } from './files.ts'
import { follow, watchOf } from './follower.ts'
import type { Policies, PolicyView } from './policies.ts'
import { putVersion } from './put.ts'
import { DRAFT_VERSION, policyOf } from './reading.ts'
import { createState, type PolicyState } from './state.ts'
import { all, entryOf, etagOf, find, findOrThrow, type Found } from './views.ts'
import { statedVersions, versionOf } from './versions.ts'

/**
 * The policies of one process, read once and then followed: those that are built in, those of the folder, and those of the store.
 * Rejects when the store cannot be read, unless it is `not-ready` (no snapshot then); throws what `readFixed` throws, and `audit-unavailable`.
 */
export async function createPolicies(deps: PoliciesDeps): Promise<Policies> {
  const watch = await watchOf(deps)
  const state = await createState(deps)
  await deps.recordFiles(policyFiles(state.fixed()))
  const follower = follow({ deps, state, watch })
  return {
    ...reading(deps, state),
    ...writing(deps, state),
    snapshot: state.snapshot,
    draft: (name, text) => policyOf({ name, version: DRAFT_VERSION, text }, deps.floor),
    problems: state.problems,
    alarms: () => [...state.alarms(), ...follower.alarms()],
    stop: follower.stop,
  }
}

type Reading = Pick<Policies, 'list' | 'get' | 'versions' | 'version' | 'stored'>

function reading(deps: PoliciesDeps, state: PolicyState): Reading {
  const found = async (name: string) => {
    await state.refresh()
    return findOrThrow(name, state)
  }
  const version: Reading['version'] = async (name, asked) => versionOf(await found(name), asked, deps)
  return {
    list: async () => {
      await state.refresh()
      return all(state).map((each) => entryOf(each, state))
    },
    get: async (name) => viewOf(await found(name), deps, state),
    versions: async (name) => statedVersions(await found(name)),
    version,
    stored: async (name, asked) => policyOf({ name, version: asked, text: (await version(name, asked)).text }, deps.floor),
  }
}

function writing(deps: PoliciesDeps, state: PolicyState): Pick<Policies, 'put' | 'activate'> {
  const view = async (name: string): Promise<PolicyView> => viewOf(findOrThrow(name, state), deps, state)
  return {
    put: async (draft, record) => {
      refuseFixed(draft.name, state)
      const outcome = await putVersion(draft, deps, record)
      await state.refresh()
      return { outcome, view: await view(draft.name) }
    },
    activate: async (activation, record) => {
      refuseFixed(activation.name, state)
      await state.refresh()
      findOrThrow(activation.name, state)
      await activateVersion(activation, deps, record)
      await state.refresh()
      return entryOf(findOrThrow(activation.name, state), state)
    },
  }
}

/** Files are changed where they are, so that what is there and what counts never differ. */
function refuseFixed(name: string, state: PolicyState): void {
  const found = find(name, state)
  if (found === undefined || 'stored' in found) return
  const where = found.fixed.managedBy === 'files' ? 'is kept in the policy folder' : 'is built in'
  throw new AttestationError('policy-managed-by-files', `the policy ${where}`)
}

async function viewOf(found: Found, deps: PoliciesDeps, state: PolicyState): Promise<PolicyView> {
  const entry = entryOf(found, state)
  const { text } = await versionOf(found, entry.latest.version, deps)
  return { ...entry, text, etag: etagOf(entry.latest) }
}
