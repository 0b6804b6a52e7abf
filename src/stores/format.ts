import type { Mode } from '../verifiers/verifier.ts'

/** The version of a store as a whole: what lies where. Version 1 had no operators' documents. */
const STORE_VERSION = 2
const FORMAT = /^assay-store\/(\d{1,6}) (production|demo|test)\n?$/

/** What a store says of itself: version and the mode that it belongs to. */
export const formatOf = (mode: Mode): string => `assay-store/${STORE_VERSION} ${mode}\n`

/**
 * Whether a store is `current`, or `older` and to be migrated. Throws when a newer version wrote it or it belongs to another mode: neither
 * is ever changed in passing.
 */
export function checkFormat(text: string, { mode, where }: { mode: Mode; where: string }): 'current' | 'older' {
  const found = FORMAT.exec(text)
  if (found === null) throw new Error(`${where} is not the format mark of a store of Assay`)
  if (Number(found[1]) > STORE_VERSION) throw new Error(`${where}: this store was written by a newer version of Assay`)
  if (found[2] !== mode) throw new Error(`${where}: this store belongs to mode ${found[2]}, not ${mode}`)
  return Number(found[1]) === STORE_VERSION ? 'current' : 'older'
}
