import { Option, type Command } from 'commander'
import type { Session } from './output.ts'

/** Adds one command to the program. */
export type AddCommand = (program: Command, session: Session) => void

/** An option that may be given several times: the list of its values, in their order. */
export const repeated = (flags: string, description: string): Option =>
  new Option(flags, `${description}; may be repeated`)
    .default([], 'none')
    .argParser((value: string, before: readonly string[]): readonly string[] => [...before, value])
