import type { ProblemCode } from '../verifiers/problems.ts'
import type { SnpClaims } from '../verifiers/snp/claims.ts'
import type { SnpPolicy } from './policy.ts'

/** The TCBs that a report states. */
type TcbField = 'reported_tcb' | 'committed_tcb' | 'launch_tcb'

/** A published weakness as data: which processors it concerns, and which firmware closes it. */
export type Advisory = {
  readonly id: keyof SnpPolicy['advisories']
  readonly title: string
  readonly code: ProblemCode
  readonly url: string
  /** Day on which the source was published. */
  readonly date: string
  readonly products: readonly SnpClaims['product'][]
  /** Kinds of endorsement key that it weakens. */
  readonly signingKeys: readonly SnpClaims['signing_key'][]
  /** By product, the SNP part that closes it, in each of `fields`; absent: no firmware closes it. */
  readonly minima?: { readonly fields: readonly TcbField[]; readonly snp: Readonly<Partial<Record<SnpClaims['product'], number>>> }
}

/** Specification snp.md section 11. Where a bulletin states no number that can be read in a report, none is invented and no row is here. */
export const ADVISORIES: readonly Advisory[] = [
  {
    id: 'amd-sb-3019',
    title: 'AMD-SB-3019: microcode signature verification (CVE-2024-56161)',
    code: 'snp-advisory-amd-sb-3019',
    url: 'https://www.amd.com/en/resources/product-security/bulletin/amd-sb-3019.html',
    date: '2025-02-03',
    products: ['Milan', 'Genoa'],
    signingKeys: ['vcek', 'vlek'],
    minima: { fields: ['reported_tcb', 'committed_tcb', 'launch_tcb'], snp: { Milan: 0x18, Genoa: 0x17 } },
  },
  {
    id: 'amd-milan-vcek-seed-extraction',
    title: 'Milan: extraction of VCEK seeds, so that VCEKs for any TCB of an attacked chip can be forged',
    code: 'snp-advisory-amd-milan-vcek-seed-extraction',
    url: 'https://arxiv.org/abs/2605.12990',
    date: '2026-05-01',
    products: ['Milan'],
    signingKeys: ['vcek'],
  },
]
