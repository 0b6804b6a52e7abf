import type { SnpTcb } from '../../verifiers/snp/claims.ts'
import { TCB_PARTS } from '../../verifiers/snp/tcb.ts'

/** A minimum, part by part; a part that is not stated is not asked. */
export type TcbParts = { readonly [K in keyof SnpTcb]?: number | undefined }

/**
 * Whether every stated part is reached. Part by part, never as one number: a high microcode would hide a low bootloader (section 2).
 * A stated part that this product does not have is not reached.
 */
export const reaches = (actual: SnpTcb, least: TcbParts): boolean =>
  TCB_PARTS.every((part) => {
    const [has, needs] = [actual[part], least[part]]
    return needs === undefined || (has !== undefined && has >= needs)
  })

/** Whether two TCBs are the same, part by part. */
export const sameTcb = (a: SnpTcb, b: SnpTcb): boolean => reaches(a, b) && reaches(b, a)

/** `bootloader 4, tee 0, snp 24, microcode 219`. */
export const describeTcb = (parts: TcbParts): string =>
  TCB_PARTS.flatMap((part) => (parts[part] === undefined ? [] : [`${part} ${parts[part]}`])).join(', ')
