import { existsSync } from 'node:fs'
import type { ActivePolicy } from '../appraisal/policy-set.ts'
import { presetPolicy } from '../appraisal/presets.ts'
import { PRESET_NAMES, type PresetName } from '../appraisal/presets/names.ts'
import { UsageError } from './exit.ts'
import { readPolicyFile } from './policy-file.ts'

const isPreset = (name: string): name is PresetName => PRESET_NAMES.some((preset) => preset === name)

/** The preset of this name. Throws {@link UsageError} that lists them all. */
export function presetNamed(name: string): PresetName {
  if (isPreset(name)) return name
  throw new UsageError(`there is no preset ${name}; these are: ${PRESET_NAMES.join(', ')}`)
}

/** A policy from a file, or the preset of this name where there is no such file. Throws {@link UsageError}. */
export const policyNamed = (fileOrPreset: string): ActivePolicy =>
  isPreset(fileOrPreset) && !existsSync(fileOrPreset) ? presetPolicy(fileOrPreset) : readPolicyFile(fileOrPreset)
