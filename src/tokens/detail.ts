/**
 * How much of the evidence is told: all that fits; else what most relying parties match; else the fields that tell one guest's software from
 * another's; and beside the longest keys and names only what was launched.
 */
export const DETAILS = ['all', 'most', 'least', 'bare'] as const

/** One of them. */
export type Detail = (typeof DETAILS)[number]

/** A byte field that nobody set is left out: undefined members are not in a token. */
export const unlessZero = (hex: string): string | undefined => (/^0*$/.test(hex) ? undefined : hex)
