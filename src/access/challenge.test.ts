import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { memoryChallenges } from '../stores/memory.ts'
import type { ChallengeStore } from '../stores/stores.ts'
import { createChallenges, type ChallengeParts } from './challenge.ts'

const key = createSecretKey(randomBytes(32))
const START = Date.parse('2026-11-24T08:00:00.700Z')

/** A service whose clock and store a test can turn. */
function service(overrides: Partial<ChallengeParts> = {}) {
  const clock = { now: START }
  const parts: ChallengeParts = {
    key,
    mode: 'production',
    store: memoryChallenges(),
    now: () => new Date(clock.now),
    lifetimeSeconds: 300,
    ...overrides,
  }
  return { clock, parts, challenges: createChallenges(parts) }
}

const storeWith = (overrides: Partial<ChallengeStore>): ChallengeStore => ({ ...memoryChallenges(), ...overrides })
const flipped = (bytes: Uint8Array, bit: number): Uint8Array => bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
const code = (expected: string) => expect.objectContaining({ code: expected })

/** The layout of design section 3, written down a second time. */
const forge = (time: number, epoch: Uint8Array, tag: string): Uint8Array => {
  const head = Buffer.alloc(20)
  head.writeUInt32BE(time)
  head.set(epoch, 4)
  head.set(randomBytes(12), 8)
  return Buffer.concat([head, createHmac('sha256', key).update(tag).update(head).digest().subarray(0, 12)])
}

describe('issue', () => {
  it('answers 32 bytes: time, epoch, random, MAC', async () => {
    const { challenges, parts } = service()
    const { nonce, expiresAt } = await challenges.issue()
    expect(nonce).toHaveLength(32)
    expect(Buffer.from(nonce).readUInt32BE(0)).toBe(Math.floor(START / 1000))
    expect(new Uint8Array(nonce.subarray(4, 8))).toEqual(new Uint8Array(await parts.store.epoch()))
    const mac = createHmac('sha256', key).update('production').update(nonce.subarray(0, 20)).digest()
    expect(Buffer.from(nonce.subarray(20)).equals(mac.subarray(0, 12))).toBe(true)
    expect(expiresAt.toISOString()).toBe('2026-11-24T08:05:00.000Z')
  })

  it('never answers the same twice', async () => {
    const { challenges } = service()
    const all = await Promise.all(Array.from({ length: 100 }, () => challenges.issue()))
    expect(new Set(all.map(({ nonce }) => Buffer.from(nonce).toString('hex'))).size).toBe(100)
  })
})

describe('check', () => {
  it('finds its own challenge good until the second at which it expires', async () => {
    const { challenges, clock } = service()
    const { nonce, expiresAt } = await challenges.issue()
    const checked = await challenges.check(nonce)
    expect(checked).toEqual({
      id: Buffer.from(nonce.subarray(4, 20)).toString('hex'),
      issuedAt: new Date('2026-11-24T08:00:00Z'),
      expiresAt,
    })
    clock.now = expiresAt.getTime() - 1
    await expect(challenges.check(nonce)).resolves.toEqual(checked)
    clock.now = expiresAt.getTime()
    await expect(challenges.check(nonce)).rejects.toEqual(code('challenge-expired'))
  })

  it('refuses every single flipped bit', async () => {
    const { challenges } = service()
    const { nonce } = await challenges.issue()
    const outcomes = await Promise.allSettled(Array.from({ length: 256 }, (_, bit) => challenges.check(flipped(nonce, bit))))
    expect(outcomes).toEqual(Array.from({ length: 256 }, () => ({ status: 'rejected', reason: code('challenge-unknown') })))
  })

  it.each([0, 8, 31, 33, 64])('refuses %i bytes', async (length) => {
    await expect(service().challenges.check(new Uint8Array(length))).rejects.toEqual(code('challenge-unknown'))
  })

  it('refuses challenges of another key, another mode and another epoch', async () => {
    const { challenges, parts } = service()
    const others = [
      service({ key: createSecretKey(randomBytes(32)), store: parts.store }),
      service({ mode: 'demo', store: parts.store }),
      service({ store: memoryChallenges() }),
    ]
    const nonces = await Promise.all(others.map((other) => other.challenges.issue()))
    const outcomes = await Promise.allSettled(nonces.map(({ nonce }) => challenges.check(nonce)))
    expect(outcomes).toEqual(others.map(() => ({ status: 'rejected', reason: code('challenge-unknown') })))
    await expect(challenges.check(forge(START / 1000, await parts.store.epoch(), 'production'))).resolves.toBeDefined()
    await expect(challenges.check(forge(START / 1000, await parts.store.epoch(), 'test'))).rejects.toEqual(code('challenge-unknown'))
  })

  it('takes one from a replica whose clock is 30 s ahead, and none from further ahead', async () => {
    const { challenges, parts } = service()
    const at = async (ahead: number) => forge(Math.ceil(START / 1000) + ahead, await parts.store.epoch(), 'production')
    await expect(challenges.check(await at(29))).resolves.toBeDefined()
    await expect(challenges.check(await at(31))).rejects.toEqual(code('challenge-expired'))
  })
})

describe('isOurs', () => {
  it('knows a challenge of any age and epoch, also padded as in a REPORT_DATA', async () => {
    const { challenges } = service()
    const old = forge(1, randomBytes(4), 'production')
    expect(challenges.isOurs(old)).toBe(true)
    expect(challenges.isOurs(Buffer.concat([old, new Uint8Array(32)]))).toBe(true)
  })

  it('claims nothing else', async () => {
    const { challenges } = service()
    const { nonce } = await challenges.issue()
    expect(challenges.isOurs(randomBytes(32))).toBe(false)
    expect(challenges.isOurs(flipped(nonce, 77))).toBe(false)
    expect(challenges.isOurs(nonce.subarray(0, 31))).toBe(false)
    expect(challenges.isOurs(Buffer.concat([nonce, randomBytes(32)]))).toBe(false)
    expect(challenges.isOurs(new Uint8Array(0))).toBe(false)
  })
})

describe('spend and pay', () => {
  it('lets exactly one of 64 through', async () => {
    const { challenges } = service()
    const checked = await challenges.check((await challenges.issue()).nonce)
    const outcomes = await Promise.allSettled(Array.from({ length: 64 }, () => challenges.spend(checked)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(outcomes.filter((o) => o.status === 'rejected').map((o) => o.reason)).toEqual(Array(63).fill(code('challenge-spent')))
  })

  it('refuses a challenge whose epoch ended after it was checked: the marks may be gone', async () => {
    let epoch = Uint8Array.of(1, 2, 3, 4)
    const { challenges } = service({ store: storeWith({ epoch: async () => epoch }) })
    const checked = await challenges.check((await challenges.issue()).nonce)
    epoch = Uint8Array.of(1, 2, 3, 5)
    await expect(challenges.spend(checked)).rejects.toEqual(code('challenge-unknown'))
  })

  it('keeps the mark for the whole lifetime and two minutes', async () => {
    const asked: unknown[] = []
    const store = storeWith({
      spend: async (...args) => asked.push(args) > 0,
      pay: async (...args) => asked.push(args) > 0,
    })
    const { challenges } = service({ store, lifetimeSeconds: 60 })
    const checked = await challenges.check((await challenges.issue()).nonce)
    await challenges.spend(checked)
    await challenges.pay(checked, 'digest')
    expect(asked).toEqual([
      [checked.id, 180],
      [checked.id, 'digest', 180],
    ])
  })

  it('pays for one set of addresses only, and can then still be spent', async () => {
    const { challenges } = service()
    const checked = await challenges.check((await challenges.issue()).nonce)
    expect(await challenges.pay(checked, 'a')).toBe(true)
    expect(await challenges.pay(checked, 'a')).toBe(true)
    expect(await challenges.pay(checked, 'b')).toBe(false)
    await expect(challenges.spend(checked)).resolves.toBeUndefined()
  })
})

const down = () => Promise.reject(new Error('connection refused'))

describe('a store or a clock that cannot be relied on', () => {
  it.each<[string, Partial<ChallengeParts>]>([
    ['the store gives no epoch', { store: storeWith({ epoch: down }) }],
    ['the epoch has another length', { store: storeWith({ epoch: async () => new Uint8Array(3) }) }],
    ['the store gives no time', { store: storeWith({ clockOffset: down }) }],
    ['the store’s clock is ahead', { store: storeWith({ clockOffset: async () => 30_001 }) }],
    ['the store’s clock is behind', { store: storeWith({ clockOffset: async () => -30_001 }) }],
    ['the store’s clock is no number', { store: storeWith({ clockOffset: async () => Number.NaN }) }],
    ['a vendor signed a later date', { newestSignedDate: () => new Date(START + 1) }],
  ])('neither issues nor accepts when %s', async (_, overrides) => {
    const { challenges, parts } = service(overrides)
    const epoch = await memoryEpochOf(parts)
    const ready = expect.objectContaining({ code: 'not-ready', retryAfter: 5 })
    await expect(challenges.issue()).rejects.toEqual(ready)
    await expect(challenges.check(forge(START / 1000, epoch, 'production'))).rejects.toEqual(ready)
  })

  it('goes on within 30 s and behind no signed date', async () => {
    const store = storeWith({ clockOffset: async () => -30_000 })
    const { challenges } = service({ store, newestSignedDate: () => new Date(START) })
    await expect(challenges.check((await challenges.issue()).nonce)).resolves.toBeDefined()
    await expect(service({ newestSignedDate: () => undefined }).challenges.issue()).resolves.toBeDefined()
  })

  it('never takes a failing store for an unspent challenge', async () => {
    const { challenges } = service({ store: storeWith({ spend: down, pay: down }) })
    const checked = await challenges.check((await challenges.issue()).nonce)
    await expect(challenges.spend(checked)).rejects.toEqual(code('not-ready'))
    await expect(challenges.pay(checked, 'a')).rejects.toEqual(code('not-ready'))
  })
})

/** Where the store has no epoch to give, any will do: nothing may be accepted. */
const memoryEpochOf = async (parts: ChallengeParts): Promise<Uint8Array> => {
  const epoch = await parts.store.epoch().catch(() => randomBytes(4))
  return epoch.length === 4 ? epoch : randomBytes(4)
}
