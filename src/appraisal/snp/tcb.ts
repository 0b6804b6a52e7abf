import type { SnpTcb } from '../../verifiers/snp/claims.ts'
import { TCB_PARTS, type TcbParts } from '../../verifiers/snp/tcb.ts'

/**
 * Whether every stated part is reached. Part by part, never as one number: a high microcode would hide a low bootloader (section 2).
 * A stated part that this product does not have is not reached.
 */
export function reaches(actual: SnpTcb, least: TcbParts): boolean {
  for (const part of TCB_PARTS) if (!reachesPart(actual[part], least[part])) return false
  return true
}

/** The same for one part. */
export const reachesPart = (has: number | undefined, needs: number | undefined): boolean =>
  needs === undefined || (has !== undefined && has >= needs)

/** Whether two TCBs are the same, part by part. */
export const sameTcb = (a: SnpTcb, b: SnpTcb): boolean => reaches(a, b) && reaches(b, a)
