import type { PolicySet } from '../appraisal/policy-set.ts'
import { withReferenceLists } from '../appraisal/reference-lists.ts'
import { resolveReferences } from '../appraisal/resolve-references.ts'
import type { Config } from '../config.ts'
import { referenceFolder } from '../config/reference-sets.ts'

/** Where policies name sets that give them nothing now, and why; what no file holds may be in the store, which is not opened here. */
export function silentSets({ referenceDir }: Config, policies: PolicySet, now: Date): readonly string[] {
  const sets = referenceFolder(referenceDir)()
  const remarks: string[] = []
  for (const { reference, document } of policies.all())
    withReferenceLists(resolveReferences(document, sets, now).document, (list, place) => {
      for (const entry of list)
        if (typeof entry === 'object') remarks.push(`policy ${reference.name}, ${place}: the set ${entry.set} ${whyOf(entry.state)}`)
      return list
    })
  return remarks
}

const whyOf = (state = 'unknown'): string => (state === 'unknown' ? 'is in no file; it may be in the store' : `gives no value: ${state}`)
