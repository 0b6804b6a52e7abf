import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ekKeyOf } from '../verifiers/tpm/credential/ek-key.ts'
import { TPM_BUNDLE_NAMES, pinnedTpmAnchors } from '../verifiers/tpm/trust/pins.ts'
import { basisFor, type BasisInput } from './basis.ts'

const key = ekKeyOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)
const INTERMEDIATE = 'a1'.repeat(32)
const ROOT = 'b2'.repeat(32)

function basis(authorities: readonly string[], change: Partial<BasisInput> = {}) {
  if (key === undefined) throw new Error('no key')
  const listed = { spkiSha256: new Set<string>(), authorities: new Set([INTERMEDIATE]) }
  return basisFor({ key, authorities, validUntil: undefined }, { listed, others: 'refuse', vouched: 'by-nobody', ...change })
}

describe('the basis of an enrolment', () => {
  it('is the authority that the operator lists, and says which', () => {
    expect(basis([INTERMEDIATE, ROOT]).found).toEqual({ basis: 'listed', listedBy: INTERMEDIATE })
    expect(basis([ROOT])).toMatchObject({ check: { outcome: 'fail', code: 'tpm-ek-not-listed' } })
    expect(basis([ROOT])).not.toHaveProperty('found')
    expect(basis([])).not.toHaveProperty('found')
  })

  it.each(TPM_BUNDLE_NAMES)('is never an authority under one of %s', (name) => {
    for (const { sha256 } of pinnedTpmAnchors(name)) {
      expect(basis([INTERMEDIATE, sha256])).not.toHaveProperty('found')
      expect(basis([INTERMEDIATE, sha256], { others: 'DANGEROUSLY_ANY_GENUINE_TPM' }).found).toEqual({ basis: 'any', listedBy: null })
      expect(basis([INTERMEDIATE, sha256], { vouched: 'by-enroller' }).found).toEqual({ basis: 'enroller', listedBy: null })
    }
  })
})
