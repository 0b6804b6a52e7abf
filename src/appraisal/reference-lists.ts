import type { Listed, SetEntry } from './listed.ts'
import type { AppraisalPolicy } from './policy.ts'

/** Lists of a policy that may name sets of reference values, by their path. */
export const REFERENCE_PLACES = [
  'snp.measurements',
  'tdx.mr_td',
  'tdx.rtmr0',
  'tdx.rtmr1',
  'tdx.rtmr2',
  'tdx.rtmr3',
  'tdx.mr_seam',
  'sgx.mr_enclave',
  'sgx.mr_signer',
] as const

/** Registers of a TPM, by bank and number. */
type PcrPlace = `tpm.pcrs.${'sha256' | 'sha384' | 'sha512'}.${number}`

/** One of them. */
export type ReferencePlace = (typeof REFERENCE_PLACES)[number] | PcrPlace

type Replace = (list: Listed, place: ReferencePlace) => Listed
type Member = Listed | 'DANGEROUSLY_ACCEPT_ANY' | undefined

/** The same policy with each of these lists replaced. Its reference stays that of the document as it was written. */
export function withReferenceLists(policy: AppraisalPolicy, replace: Replace): AppraisalPolicy {
  const { snp, tdx, sgx, tpm } = policy
  return {
    ...policy,
    snp: { ...snp, measurements: replaced(snp.measurements, 'snp.measurements', replace) },
    tdx: {
      ...tdx,
      mr_td: replaced(tdx.mr_td, 'tdx.mr_td', replace),
      rtmr0: replaced(tdx.rtmr0, 'tdx.rtmr0', replace),
      rtmr1: replaced(tdx.rtmr1, 'tdx.rtmr1', replace),
      rtmr2: replaced(tdx.rtmr2, 'tdx.rtmr2', replace),
      rtmr3: replaced(tdx.rtmr3, 'tdx.rtmr3', replace),
      mr_seam: replaced(tdx.mr_seam, 'tdx.mr_seam', replace),
    },
    sgx: {
      ...sgx,
      mr_enclave: replaced(sgx.mr_enclave, 'sgx.mr_enclave', replace),
      mr_signer: replaced(sgx.mr_signer, 'sgx.mr_signer', replace),
    },
    tpm: tpm.pcrs !== undefined ? { ...tpm, pcrs: replacedPcrs(tpm.pcrs, replace) } : tpm,
  }
}

type Pcrs = NonNullable<AppraisalPolicy['tpm']['pcrs']>

const BANKS = ['sha256', 'sha384', 'sha512'] as const

/** A number that the schema has read is one. */
const placeOf = (bank: (typeof BANKS)[number], index: string): PcrPlace => `tpm.pcrs.${bank}.${Number(index)}`

function replacedPcrs(pcrs: Pcrs, replace: Replace): Pcrs {
  const banks = BANKS.flatMap((bank) => {
    const registers = pcrs[bank]
    if (registers === undefined) return []
    return [[bank, Object.fromEntries(Object.entries(registers).map(([index, list]) => [index, replace(list, placeOf(bank, index))]))]]
  })
  return Object.fromEntries(banks)
}

function replaced<M extends Member>(member: M, place: ReferencePlace, replace: Replace): M | Listed {
  return typeof member === 'object' ? replace(member, place) : member
}

/** The sets that a policy names, and where. */
export function setsNamedBy(policy: AppraisalPolicy): readonly { readonly set: string; readonly place: ReferencePlace }[] {
  const found: { set: string; place: ReferencePlace }[] = []
  withReferenceLists(policy, (list, place) => {
    found.push(...list.filter((entry): entry is SetEntry => typeof entry === 'object').map(({ set }) => ({ set, place })))
    return list
  })
  return found
}
