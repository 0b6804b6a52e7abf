import { parse } from 'yaml'
import type { PresetName } from './names.ts'
import { PRESET_TEXTS } from './texts.ts'

/**
 * A written policy with the preset that it extends laid under it: members of the policy stand, members of mappings are merged, lists and
 * words are replaced as a whole. What is no mapping, or extends nothing known, is given back as it is, for the schema to judge.
 */
export function withPreset(written: unknown): unknown {
  if (!isMapping(written) || !Object.hasOwn(written, 'extends') || !isPreset(written['extends'])) return written
  const { name: _, ...members } = presetMembers(written['extends'])
  return merged(members, written)
}

function presetMembers(preset: PresetName): Mapping {
  const members: unknown = parse(PRESET_TEXTS[preset])
  return isMapping(members) ? members : {}
}

type Mapping = { readonly [member: string]: unknown }

const isPreset = (name: unknown): name is PresetName => typeof name === 'string' && Object.hasOwn(PRESET_TEXTS, name)

const isMapping = (value: unknown): value is Mapping => typeof value === 'object' && value !== null && !Array.isArray(value)

/** `fromEntries` defines members: one named `__proto__` stays a member, and is refused as unknown. */
function merged(under: Mapping, over: Mapping): Mapping {
  const names = new Set([...Object.keys(under), ...Object.keys(over)])
  return Object.fromEntries([...names].map((name) => [name, member(own(under, name), own(over, name))]))
}

const own = (mapping: Mapping, name: string): unknown => (Object.hasOwn(mapping, name) ? mapping[name] : undefined)

function member(under: unknown, over: unknown): unknown {
  if (over === undefined) return under
  return isMapping(under) && isMapping(over) ? merged(under, over) : over
}
