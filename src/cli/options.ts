import { Option } from 'commander'

/** An option that may be given several times: the list of its values, in their order. */
export const repeated = (flags: string, description: string): Option =>
  new Option(flags, `${description}; may be repeated`)
    .default([], 'none')
    .argParser((value: string, before: readonly string[]): readonly string[] => [...before, value])
