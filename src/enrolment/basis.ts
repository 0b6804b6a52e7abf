import { failed, passed } from '../verifiers/checks.ts'
import type { ListedEks } from '../verifiers/tpm/anchors.ts'
import type { EnrolmentBasis } from '../verifiers/tpm/claims.ts'
import { pinnedTpmAnchors, TPM_BUNDLE_NAMES } from '../verifiers/tpm/trust/pins.ts'
import type { Check } from '../verifiers/verifier.ts'
import type { ProvenEk } from './endorsement.ts'
import type { EnrolmentRules } from './rules.ts'

/** Why a TPM may be enrolled; `listedBy`: the authority by which it is listed, null where it is listed itself or not at all. */
export type Basis = { readonly basis: EnrolmentBasis; readonly listedBy: string | null }

/** By what the basis is found. */
export type BasisInput = {
  readonly listed: ListedEks
  readonly others: EnrolmentRules['others']
  /** Whether the caller has the role enroller: his word is in place of the list, never of the proof that the EK is genuine. */
  readonly vouched: 'by-enroller' | 'by-nobody'
}

/** SHA-256 of the authorities of manufacturers and clouds. */
const PINNED: ReadonlySet<string> = new Set(TPM_BUNDLE_NAMES.flatMap(pinnedTpmAnchors).map(({ sha256 }) => sha256))

const RULE = {
  id: 'TPM-28',
  title: 'The TPM may be enrolled',
  code: 'tpm-ek-not-listed',
  expected: 'an EK that `tpm.enrolment.ek` lists, or a caller with role enroller',
} as const

/**
 * The basis of an enrolment: the list before a caller's word, since what is listed ends when it is taken off the list. The authority of a
 * manufacturer lists nothing, as that would be every genuine TPM of his: that goes by its own name.
 */
export function basisFor(ek: ProvenEk, input: BasisInput): { readonly check: Check; readonly found?: Basis } {
  const found = listedBasis(ek, input.listed) ?? otherBasis(input)
  if (found === undefined) return { check: failed(RULE, `EK ${ek.key.spkiSha256}, not listed`) }
  return { check: passed(RULE, `EK ${ek.key.spkiSha256}, ${found.basis}${found.listedBy === null ? '' : ` by ${found.listedBy}`}`), found }
}

function listedBasis({ key, authorities }: ProvenEk, listed: ListedEks): Basis | undefined {
  if (listed.spkiSha256.has(key.spkiSha256)) return { basis: 'listed', listedBy: null }
  if (authorities.some((sha256) => PINNED.has(sha256))) return undefined
  const listedBy = authorities.find((sha256) => listed.authorities.has(sha256))
  return listedBy === undefined ? undefined : { basis: 'listed', listedBy }
}

function otherBasis({ others, vouched }: BasisInput): Basis | undefined {
  if (vouched === 'by-enroller') return { basis: 'enroller', listedBy: null }
  return others === 'DANGEROUSLY_ANY_GENUINE_TPM' ? { basis: 'any', listedBy: null } : undefined
}
