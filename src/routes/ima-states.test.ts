import { createSecretKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createSeal, type SealParts } from '../access/sealed.ts'
import { strict } from '../appraisal/strict.ts'
import type { ImaState } from '../verifiers/tpm/context.ts'
import { createImaStates } from './ima-states.ts'
import type { Authority } from './nonce.ts'

const PARTS: SealParts = {
  key: createSecretKey(Buffer.alloc(32, 7)),
  purpose: 'ima-state',
  issuer: 'https://assay.example',
  mode: 'production',
}
const SET = { name: 'nodes', version: 3, sha256: 'ab'.repeat(32) }
const AUTHORITY: Authority = {
  audience: { name: 'cluster', policies: ['strict'], profile: 'lean', alg: 'ES256', relyingPartyNonce: 'refuse' },
  policy: { ...strict, sets: { used: [SET], ends: new Map() as never } },
}
const STATE: ImaState = {
  akName: 'ab'.repeat(32),
  bank: 'sha256',
  clock: { clock: 2n ** 64n - 1n, resetCount: 3, restartCount: 0 },
  entries: 400,
  value: new Uint8Array(32).fill(9),
  wholeListAt: new Date('2026-11-24T12:00:00Z'),
  outcomes: {
    bootAggregate: '0-9',
    accepted: { digest: 398, signature: 1, excluded: 0, keyring: 0, buffer: 0 },
    faults: { 'not-allowed': { count: 1, first: [{ entry: 5, path: '/bin/x', digest: 'sha256:00' }] } },
    legacyPadding: false,
    keys: ['AAAA'],
  },
}

const states = createImaStates(createSeal(PARTS))
const sealed = (state = STATE): Uint8Array => states.seal(state, AUTHORITY) ?? new Uint8Array()
const withPolicy = (change: Partial<Authority['policy']['reference']>): Authority => ({
  ...AUTHORITY,
  policy: { ...AUTHORITY.policy, reference: { ...AUTHORITY.policy.reference, ...change } },
})
const withSets = (...used: readonly (typeof SET)[]): Authority => ({
  ...AUTHORITY,
  policy: { ...AUTHORITY.policy, sets: { used, ends: new Map() as never } },
})
const keys = (length: number) => ({ ...STATE, outcomes: { ...STATE.outcomes, keys: ['A'.repeat(length)] } })
const STALE = expect.objectContaining({ code: 'tpm-ima-state-stale' })

describe('a state of an IMA list', () => {
  it('comes back as it was', () => expect(states.open(sealed(), AUTHORITY)).toEqual(STATE))

  it.each<[string, Authority]>([
    ['another audience', { ...AUTHORITY, audience: { ...AUTHORITY.audience, name: 'other' } }],
    ['another version of the policy', withPolicy({ version: 99 })],
    ['another text of the policy', withPolicy({ sha256: '00'.repeat(32) })],
    ['no set', withSets()],
    ['another version of a set', withSets({ ...SET, version: 4 })],
    ['a further set', withSets(SET, { ...SET, name: 'more' })],
  ])('counts for no request with %s', (_, authority) => {
    expect(() => states.open(sealed(), authority)).toThrow(STALE)
  })

  it.each<[string, Partial<SealParts>]>([
    ['service', { issuer: 'https://other.example' }],
    ['mode', { mode: 'demo' }],
    ['secret', { key: createSecretKey(Buffer.alloc(32, 8)) }],
    ['purpose', { purpose: 'tpm-enrolment' }],
  ])('counts for no other %s', (_, change) => {
    expect(() => createImaStates(createSeal({ ...PARTS, ...change })).open(sealed(), AUTHORITY)).toThrow(STALE)
  })

  it('of another evaluation, or of another form, is refused', () => {
    const { seal, open } = createSeal(PARTS)
    const record = JSON.parse(Buffer.from(open(sealed()) ?? []).toString()) as object
    for (const other of [{ evaluator: 1 }, { more: 1 }, { entries: -1 }, { clock: 'x' }]) {
      const changed = seal(Buffer.from(JSON.stringify({ ...record, ...other })))
      expect(() => states.open(changed, AUTHORITY)).toThrow(STALE)
    }
    expect(() => states.open(seal(Buffer.from(JSON.stringify(record))), AUTHORITY)).not.toThrow()
  })

  it('is not handed out where hosts could not be asked to keep it', () => {
    expect(states.seal(keys(14_000), AUTHORITY)?.byteLength).toBeLessThanOrEqual(16 * 1024)
    expect(states.seal(keys(16 * 1024), AUTHORITY)).toBeUndefined()
  })
})
