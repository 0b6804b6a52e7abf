import { floorViolations, type Lift } from './floor.ts'
import type { ActivePolicy } from './policy-set.ts'
import { PRESET_NAMES, type PresetName } from './presets/names.ts'
import { PRESET_TEXTS } from './presets/texts.ts'
import { readPolicy } from './read-policy.ts'

/** A preset as a policy. */
export const presetPolicy = (name: PresetName): ActivePolicy => readPolicy(PRESET_TEXTS[name], `preset ${name}`)

const ALL: readonly ActivePolicy[] = PRESET_NAMES.map((name) => presetPolicy(name))

/** The presets that a service with these lifts has without being given any document: those that need no other lift. */
export const builtInPolicies = (lifts: readonly Lift[]): readonly ActivePolicy[] =>
  ALL.filter(({ document }) => floorViolations(document, lifts).length === 0)
