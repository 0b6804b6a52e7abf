import { LRUCache } from 'lru-cache'
import type { FactTable, Memo } from '../verifiers/verifier.ts'

/**
 * How many facts one process keeps. A VEK fact is about 3 KiB with its key object; ten thousand chips are more than most fleets have,
 * and one that is forgotten costs one signature check. Every product has two lists, and a replaced list is soon forgotten.
 * Intel has three lists, two identities and, for each family of platforms (some fifty), one TCB info for TDX and one for SGX, most of them twice:
 * standard and early. A document read is about 50 KiB. A PCK chain with what was read of it is about 20 KiB, the quoting enclave of a platform 3.
 * What documents make of a TCB is some 10 KiB, and platforms of one make that are patched alike share it.
 * An attestation key of a TPM is about 3 KiB with its key object, and one that a policy enrols is there once more.
 */
const FACTS = {
  vek: 10_000,
  crl: 32,
  pck: 4096,
  qe: 4096,
  intelCrl: 32,
  tcbInfo: 256,
  qeIdentity: 16,
  tcb: 1024,
  tpmChain: 10_000,
  tpmCrl: 64,
  tpmAk: 10_000,
  tpmKey: 10_000,
} as const

/** The bounded tables of time-free facts that verifiers fill (design section 2, Memoised). */
export const createMemo = (): Memo => ({
  snp: { vek: factTable(FACTS.vek), crl: factTable(FACTS.crl) },
  tdx: {
    pck: factTable(FACTS.pck),
    qe: factTable(FACTS.qe),
    crl: factTable(FACTS.intelCrl),
    tcbInfo: factTable(FACTS.tcbInfo),
    qeIdentity: factTable(FACTS.qeIdentity),
    tcb: factTable(FACTS.tcb),
  },
  tpm: {
    chain: factTable(FACTS.tpmChain),
    own: factTable(FACTS.tpmChain),
    crl: factTable(FACTS.tpmCrl),
    ak: factTable(FACTS.tpmAk),
    key: factTable(FACTS.tpmKey),
  },
})

/** A table takes its whole room at once, so one that nothing is kept in is not made: most services see one technology or two. */
function factTable<T extends object>(max: number): FactTable<T> {
  let table: LRUCache<string, T> | undefined
  return {
    get: (key) => table?.get(key),
    set: (key, fact) => {
      table ??= new LRUCache({ max })
      table.set(key, fact)
    },
  }
}
