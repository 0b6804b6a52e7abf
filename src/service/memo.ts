import { LRUCache } from 'lru-cache'
import type { FactTable, Memo } from '../verifiers/verifier.ts'

/**
 * How many facts one process keeps. A VEK fact is about 3 KiB with its key object; ten thousand chips are more than most fleets have,
 * and one that is forgotten costs one signature check. Every product has two lists, and a replaced list is soon forgotten.
 * Intel has three lists, two identities and, for each family of platforms (some fifty), one TCB info for TDX and one for SGX, most of them twice:
 * standard and early. A document read is about 50 KiB.
 */
const FACTS = { vek: 10_000, crl: 32, intelCrl: 32, tcbInfo: 256, qeIdentity: 16 } as const

/** The bounded tables of time-free facts that verifiers fill (design section 2, Memoised). */
export const createMemo = (): Memo => ({
  snp: { vek: factTable(FACTS.vek), crl: factTable(FACTS.crl) },
  tdx: { crl: factTable(FACTS.intelCrl), tcbInfo: factTable(FACTS.tcbInfo), qeIdentity: factTable(FACTS.qeIdentity) },
})

function factTable<T extends object>(max: number): FactTable<T> {
  const table = new LRUCache<string, T>({ max })
  return { get: (key) => table.get(key), set: (key, fact) => void table.set(key, fact) }
}
