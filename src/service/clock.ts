import type { Config } from '../config.ts'

/** What time it is. Only mode test may stop the clock; the configuration refuses it elsewhere. */
export const clockOf = ({ clock }: Config): (() => Date) => (clock === undefined ? () => new Date() : () => new Date(clock))
