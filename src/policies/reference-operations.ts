import { AttestationError } from '../verifiers/problems.ts'
import { decideReference, putReference } from './reference-change.ts'
import type { ReferenceLife } from './reference-life.ts'
import type { ReferencesDeps, ReferenceState } from './reference-state.ts'
import { allSets, findSet, referenceEntry, referenceView, setOrThrow, statedReferences, wholeReference } from './reference-views.ts'

/** The life of the sets that `state` knows; each operation first asks what the store says now. */
export const referenceOperations = (deps: ReferencesDeps, state: ReferenceState): ReferenceLife => ({
  ...reading(deps, state),
  ...writing(deps, state),
})

function reading(deps: ReferencesDeps, state: ReferenceState): Omit<ReferenceLife, 'put' | 'decide'> {
  const found = async (name: string) => {
    await state.refresh()
    return setOrThrow(name, state)
  }
  return {
    list: async () => {
      await state.refresh()
      return allSets(state).map((set) => referenceEntry(set, deps.now()))
    },
    get: async (name) => referenceView(await found(name), deps),
    versions: async (name) => statedReferences(await found(name), deps.now()),
    version: async (name, asked) => wholeReference(await found(name), asked, deps),
  }
}

function writing(deps: ReferencesDeps, state: ReferenceState): Pick<ReferenceLife, 'put' | 'decide'> {
  return {
    put: async (draft, record) => {
      refuseFiles(draft.name, state)
      const outcome = await putReference(draft, deps, record)
      await state.refresh()
      return { outcome, view: await referenceView(setOrThrow(draft.name, state), deps) }
    },
    decide: async (decision, record) => {
      refuseFiles(decision.name, state)
      await state.refresh()
      setOrThrow(decision.name, state)
      await decideReference(decision, deps, record)
      await state.refresh()
      return referenceEntry(setOrThrow(decision.name, state), deps.now())
    },
  }
}

/** Files are changed where they are, so that what is there and what counts never differ. */
function refuseFiles(name: string, state: ReferenceState): void {
  if (findSet(name, state)?.managedBy !== 'files') return
  throw new AttestationError('reference-values-managed-by-files', 'the set is kept in the folder of reference values')
}
