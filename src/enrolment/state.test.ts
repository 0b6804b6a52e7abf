import { createSecretKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createSeal } from '../access/sealed.ts'
import { MAX_STATE_BYTES, openState, sealState, type EnrolmentState } from './state.ts'

const seal = createSeal({
  key: createSecretKey(Buffer.alloc(32, 1)),
  purpose: 'tpm-enrolment',
  issuer: 'https://assay.example',
  mode: 'production',
})
const STATE: EnrolmentState = {
  version: 1,
  mode: 'production',
  challenge: Buffer.alloc(32).toString('base64'),
  ekSpkiSha256: 'a1'.repeat(32),
  akName: `000d${'b2'.repeat(64)}`,
  akSpki: Buffer.alloc(550).toString('base64'),
  secretSha256: 'c3'.repeat(32),
  expiresAt: '2026-01-31T12:00:00.000Z',
  basis: 'listed',
  listedBy: 'd4'.repeat(32),
  ekValidUntil: null,
}
const sealed = (value: unknown): Uint8Array => seal.seal(new TextEncoder().encode(JSON.stringify(value)))

describe('the state of an enrolment', () => {
  it('comes back as it went, and the longest fits', () => {
    expect(openState(seal, sealState(seal, STATE))).toEqual(STATE)
    expect(sealState(seal, STATE).length).toBeLessThan(MAX_STATE_BYTES)
  })

  it.each([
    ['another version', { ...STATE, version: 2 }],
    ['no digest', { ...STATE, ekSpkiSha256: 'A1'.repeat(32) }],
    ['another basis', { ...STATE, basis: 'none' }],
    ['more than is known', { ...STATE, more: 1 }],
    ['nothing', null],
  ])('is none with %s, though it is ours', (_, value) => expect(openState(seal, sealed(value))).toBeUndefined())
})
