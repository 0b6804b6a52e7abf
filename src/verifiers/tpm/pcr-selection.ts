import type { Reader } from '../reader.ts'
import { hashOf, hex16 } from './algorithms.ts'
import type { PcrBank } from './claims.ts'

/** PCRs of one bank as the TPM signed them (TPMS_PCR_SELECTION). `bank` is undefined where the hash is not known here. */
export type PcrSelection = {
  readonly hash: number
  readonly bank: PcrBank | undefined
  /** Ascending. */
  readonly pcrs: readonly number[]
}

const CODE = 'tpm-pcr-selection-invalid'
/** TPM2 library: no TPM has more banks. */
const MAX_BANKS = 16
/** Four bytes name PCRs 0 to 31; three are usual. */
const MAX_SELECT_BYTES = 4
/** PCRs of a PC: 0 to 23. */
const PCRS = 24

/** TPML_PCR_SELECTION, in the order in which its values are digested (specification tpm.md section 2). Throws with tpm-pcr-selection-invalid. */
export function readSelections(r: Reader): readonly PcrSelection[] {
  const count = r.u32be('pcrSelect.count')
  if (count > MAX_BANKS) throw r.malformed('pcrSelect.count', `${count} banks`, CODE)
  return Array.from({ length: count }, () => readSelection(r))
}

function readSelection(r: Reader): PcrSelection {
  const hash = r.u16be('pcrSelect.hash')
  const size = r.u8('pcrSelect.sizeofSelect')
  if (size < 1 || size > MAX_SELECT_BYTES) throw r.malformed('pcrSelect.sizeofSelect', `${size} bytes, not 1 to 4`, CODE)
  return { hash, bank: hashOf(hash), pcrs: bitsOf(r.window('pcrSelect.pcrSelect', size)) }
}

/** PCR n is bit n & 7 of byte n >> 3. */
function bitsOf(bitmap: Uint8Array): readonly number[] {
  const pcrs: number[] = []
  for (let n = 0; n < 8 * bitmap.length; n += 1) if ((((bitmap[n >> 3] ?? 0) >> (n & 7)) & 1) === 1) pcrs.push(n)
  return pcrs
}

/** TPM-33: what is wrong with a selection that a TPM signs all the same when it is asked to; undefined when nothing is. */
export function selectionFault(selections: readonly PcrSelection[]): string | undefined {
  if (selections.length === 0) return 'no bank'
  const seen = new Set<number>()
  for (const { hash, pcrs } of selections) {
    if (seen.has(hash)) return `bank ${hex16(hash)} twice`
    if (pcrs.length === 0) return `bank ${hex16(hash)} without a PCR`
    if (pcrs.some((pcr) => pcr >= PCRS)) return `a PCR over ${PCRS - 1}`
    seen.add(hash)
  }
  return undefined
}

/** A selection for people: `sha256:0-7,14`. */
export const formatSelections = (selections: readonly PcrSelection[]): string =>
  selections.map(({ bank, hash, pcrs }) => `${bank ?? hex16(hash)}:${formatPcrs(pcrs)}`).join(' ')

/** Indices for people, runs joined. */
export function formatPcrs(pcrs: readonly number[]): string {
  const runs: [number, number][] = []
  for (const pcr of pcrs) {
    const last = runs.at(-1)
    if (last?.[1] === pcr - 1) last[1] = pcr
    else runs.push([pcr, pcr])
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',')
}
