/** Policies that come with the service. Each may be used by name, and extended by a policy of an operator’s. */
export const PRESET_NAMES = ['strict', 'azure-cvm', 'aws-snp', 'gcp-snp', 'gcp-tdx', 'azure-tdx', 'coconut-svsm', 'lab'] as const

/** One of them. */
export type PresetName = (typeof PRESET_NAMES)[number]
