import { describe, expect, it } from 'vitest'
import { akCertificate, anchorFor, anchorsWith, authority, contextWith, ecKeys } from '../../../../test/tpm-trust-lab.ts'
import type { Mode } from '../../verifier.ts'
import type { TpmAnchor, TpmRole } from '../anchors.ts'
import { readTpmCertificate } from './certificate.ts'
import { provenChains } from './chain.ts'

const root = authority('root')
const der = akCertificate(ecKeys().publicKey, root)
const leaf = readTpmCertificate(der, { what: 'leaf', code: 'tpm-ak-cert-chain-invalid' })

const proof = (memo: ReturnType<typeof contextWith>['memo'], anchor: Partial<TpmAnchor>, scope: { role: TpmRole; mode: Mode }) =>
  provenChains(leaf, [der], { anchors: anchorsWith({ roots: [anchorFor(root, anchor)], pool: [root.der] }), memo: memo.tpm, ...scope })

describe('a chain that was proven once', () => {
  it('is remembered', () => {
    const { memo } = contextWith()
    const first = proof(memo, {}, { role: 'ak', mode: 'production' })
    expect(first).toHaveProperty('chains')
    expect(proof(memo, {}, { role: 'ak', mode: 'production' })).toBe(first)
  })
  it('is not proven for another role', () => {
    const { memo } = contextWith()
    expect(proof(memo, { roles: ['ak'] }, { role: 'ak', mode: 'production' })).toHaveProperty('chains')
    expect(proof(memo, { roles: ['ak'] }, { role: 'ek', mode: 'production' })).toHaveProperty('fault')
  })
  it('is not proven for another mode', () => {
    const { memo } = contextWith()
    expect(proof(memo, { origin: 'test' }, { role: 'ak', mode: 'test' })).toHaveProperty('chains')
    expect(proof(memo, { origin: 'test' }, { role: 'ak', mode: 'production' })).toHaveProperty('fault')
  })
  it('is not proven under other anchors', () => {
    const { memo } = contextWith()
    expect(proof(memo, {}, { role: 'ak', mode: 'production' })).toHaveProperty('chains')
    expect(proof(memo, { sha256: 'ab'.repeat(32) }, { role: 'ak', mode: 'production' })).toHaveProperty('fault')
  })
})
