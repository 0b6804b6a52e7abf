import { afterEach, describe, expect, it } from 'vitest'
import { forked, killForked, pair } from '../../test/channels.ts'
import { parentVendor, serveVendor } from '../collateral/parent-vendor.ts'
import type { Fetched, Vendor } from '../collateral/source.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { serve } from './ipc.ts'
import { memoryStores } from './memory.ts'
import { parentStores, serveStores } from './parent.ts'

const address = 'amd/crl/Milan/vcek'
afterEach(killForked)

const overloaded = () => Promise.reject(new AttestationError('overloaded', 'full', { retryAfter: 30 }))
const broken = () => Promise.reject(new Error('disk full'))

describe("the parent's stores in a forked child", () => {
  it('spend a challenge for exactly one of many callers in two processes', async () => {
    const stores = memoryStores()
    const [a, b] = await Promise.all([forked(stores), forked(stores)])
    const spent = await Promise.all(Array.from({ length: 64 }, (_, i) => (i % 2 === 0 ? a : b)('challenges', 'spend', 'x', 60)))
    expect(spent.filter(Boolean)).toHaveLength(1)
    expect(await a('challenges', 'pay', 'x', 'set', 60)).toBe(true)
    expect(await b('challenges', 'pay', 'x', 'other set', 60)).toBe(false)
  })

  it('have the epoch, documents and marks of the parent, bytes, dates and large numbers included', async () => {
    const stores = memoryStores()
    const run = await forked(stores)
    const document = { address, bytes: Uint8Array.from([0, 255]), fetchedAt: new Date(1), expiresAt: new Date(2) }
    const mark = { number: 1n << 100n, thisUpdate: new Date(5) }
    expect(await run('challenges', 'epoch')).toEqual(await stores.challenges.epoch())
    expect(await run('challenges', 'clockOffset')).toBe(0)
    expect(await run('collateral', 'get', address)).toBeUndefined()
    expect(await run('collateral', 'mark', address)).toBeUndefined()
    await run('collateral', 'put', document)
    await run('collateral', 'advanceMark', address, mark)
    expect(await stores.collateral.get(address)).toEqual(document)
    expect(await run('collateral', 'get', address)).toEqual(document)
    expect(await run('collateral', 'list')).toEqual([{ address, fetchedAt: new Date(1), expiresAt: new Date(2) }])
    expect(await run('collateral', 'mark', address)).toEqual(mark)
    await expect(run('stores', 'ping')).resolves.toBeUndefined()
  })

  it('say why they failed', async () => {
    const memory = memoryStores()
    const run = await forked({ ...memory, challenges: { ...memory.challenges, spend: overloaded }, ping: broken })
    await expect(run('challenges', 'spend', 'x', 60)).rejects.toThrow('overloaded')
    await expect(run('stores', 'ping')).rejects.toThrow('not-ready')
  })

  it('refuse values that are not what the operation takes', async () => {
    const run = await forked(memoryStores())
    await expect(run('challenges', 'spend', 7, 60)).rejects.toThrow('not-ready')
    await expect(run('challenges', 'spend', 'x', Number.NaN)).rejects.toThrow('not-ready')
    await expect(run('collateral', 'get', '../x')).rejects.toThrow('not-ready')
    await expect(run('collateral', 'put', { address, bytes: 'text', fetchedAt: new Date(), expiresAt: new Date() })).rejects.toThrow(
      'not-ready',
    )
    await expect(run('collateral', 'advanceMark', address, { number: 5, thisUpdate: new Date() })).rejects.toThrow('not-ready')
  })

  it('fetch from the vendor with the budget of the parent', async () => {
    const asked: unknown[] = []
    const vendor: Vendor = {
      fetch: async (request) => {
        asked.push(request)
        return request.caller === 'background'
          ? { outcome: 'found', bytes: Uint8Array.from([1]) }
          : { outcome: 'unavailable', reason: 'spent', retryAfter: 9 }
      },
    }
    const run = await forked(memoryStores(), vendor)
    expect(await run('vendor', 'fetch', { address, caller: 'background', prefix: '' })).toEqual({
      outcome: 'found',
      bytes: Uint8Array.from([1]),
    })
    expect(await run('vendor', 'fetch', { address, caller: 'anonymous', prefix: 'p' })).toEqual({
      outcome: 'unavailable',
      reason: 'spent',
      retryAfter: 9,
    })
    expect(asked).toEqual([
      { address, caller: 'background', prefix: '' },
      { address, caller: 'anonymous', prefix: 'p' },
    ])
  })
})

describe('a vendor in the parent', () => {
  it.each<[unknown, Fetched]>([
    [{ outcome: 'not-found' }, { outcome: 'not-found' }],
    [
      { outcome: 'found', bytes: Uint8Array.from([1]) },
      { outcome: 'found', bytes: Uint8Array.from([1]) },
    ],
    [
      { outcome: 'unavailable', reason: 'spent', retryAfter: 9 },
      { outcome: 'unavailable', reason: 'spent', retryAfter: 9 },
    ],
    [
      { outcome: 'unavailable', reason: 'off', quiet: true },
      { outcome: 'unavailable', reason: 'off', quiet: true },
    ],
    [
      { outcome: 'unavailable', reason: 7, retryAfter: '9', quiet: 'yes' },
      { outcome: 'unavailable', reason: 'no answer' },
    ],
    [
      { outcome: 'found', bytes: 'text' },
      { outcome: 'unavailable', reason: 'no answer' },
    ],
    [undefined, { outcome: 'unavailable', reason: 'no answer' }],
  ])('whose answer is %j is understood as %j', async (sent, understood) => {
    const { child, parent } = pair()
    serve(parent, 'vendor', { fetch: async () => sent })
    expect(await parentVendor(child).fetch({ address, caller: 'background', prefix: '' })).toEqual(understood)
  })

  it('is not asked for what is no fetch, and is gone with the parent', async () => {
    const { child, parent, disconnect } = pair()
    serveVendor({ fetch: async () => ({ outcome: 'not-found' }) }, parent)
    const request = { address, caller: 'background', prefix: '' } as const
    await expect(parentVendor(child).fetch({ ...request, address: '../x' as typeof address })).rejects.toMatchObject({ code: 'not-ready' })
    await expect(parentVendor(child).fetch({ ...request, caller: 'nobody' as 'background' })).rejects.toMatchObject({ code: 'not-ready' })
    disconnect()
    await expect(parentVendor(child).fetch(request)).rejects.toMatchObject({ code: 'not-ready' })
  })
})

describe('a child whose parent is gone', () => {
  it('fails the calls under way and those that follow', async () => {
    const { child, disconnect } = pair()
    const stores = parentStores(child)
    const underWay = stores.challenges.spend('x', 60)
    disconnect()
    await expect(underWay).rejects.toMatchObject({ code: 'not-ready', retryAfter: 5 })
    await expect(stores.challenges.spend('y', 60)).rejects.toMatchObject({ code: 'not-ready' })
    await expect(stores.ping()).rejects.toMatchObject({ code: 'not-ready' })
  })

  it('does not start more calls than it can remember', async () => {
    const { child, disconnect } = pair()
    const stores = parentStores(child)
    const many = Array.from({ length: 10_001 }, (_, i) => stores.challenges.spend(String(i), 60))
    await expect(many.at(-1)).rejects.toMatchObject({ code: 'overloaded' })
    disconnect()
    const settled = await Promise.allSettled(many)
    expect(settled.every(({ status }) => status === 'rejected')).toBe(true)
  })
})

describe('a channel', () => {
  it('carries in one message each way what is asked at the same time, and each answer to its own call', async () => {
    const { child, parent } = pair()
    serveStores(memoryStores(), parent)
    const messages = { down: 0, up: 0 }
    child.on('message', () => (messages.down += 1))
    parent.on('message', () => (messages.up += 1))
    const { challenges } = parentStores(child)
    const asked = await Promise.all(['x', 'y', 'x', 'z', 'y'].map((id) => challenges.spend(id, 60)))
    expect(asked).toEqual([true, true, false, true, false])
    expect(messages).toEqual({ down: 1, up: 1 })
    expect(await challenges.spend('x', 60)).toBe(false)
    expect(messages).toEqual({ down: 2, up: 2 })
  })

  it('answers what fails and what succeeds in one message by itself', async () => {
    const { child, parent } = pair()
    const memory = memoryStores()
    serveStores({ ...memory, challenges: { ...memory.challenges, pay: overloaded } }, parent)
    const { challenges } = parentStores(child)
    const [spent, paid] = await Promise.allSettled([challenges.spend('x', 60), challenges.pay('x', 'set', 60)])
    expect(spent).toMatchObject({ status: 'fulfilled', value: true })
    expect(paid).toMatchObject({ status: 'rejected', reason: { code: 'overloaded', retryAfter: 30 } })
  })

  it.each([null, 'text', { assay: 'stores', calls: 7 }, { assay: 'stores', calls: [null, { id: 'x', op: 'spend', args: [] }, { id: 1 }] }])(
    'ignores %j, which is no call',
    async (message) => {
      const { child, parent } = pair()
      serveStores(memoryStores(), parent)
      const answers: unknown[] = []
      child.on('message', (answer) => answers.push(answer))
      child.send?.(message)
      expect(await parentStores(child).challenges.spend('x', 60)).toBe(true)
      expect(answers).toHaveLength(1)
    },
  )

  it('takes nothing but true for a yes', async () => {
    const { child, parent } = pair()
    serve(parent, 'stores', {
      spend: async () => 'yes',
      pay: async () => 1,
      epoch: async () => ({ epoch: 'text' }),
      mark: async () => null,
    })
    const { challenges, collateral } = parentStores(child)
    expect(await challenges.spend('x', 1)).toBe(false)
    expect(await challenges.pay('x', 'y', 1)).toBe(false)
    await expect(challenges.epoch()).rejects.toMatchObject({ code: 'not-ready' })
    await expect(collateral.mark(address)).rejects.toMatchObject({ code: 'not-ready' })
    await expect(collateral.list()).rejects.toMatchObject({ code: 'not-ready' })
  })

  it('asks again for an epoch that may change, and not for one that cannot', async () => {
    for (const [kind, asked] of [
      ['redis', 2],
      ['file', 1],
    ] as const) {
      const { child, parent } = pair()
      let count = 0
      const memory = memoryStores()
      const epoch = async () => Uint8Array.from([0, 0, 0, (count += 1)])
      serveStores({ ...memory, kind, challenges: { ...memory.challenges, epoch } }, parent)
      const { challenges } = parentStores(child)
      await challenges.epoch()
      await challenges.epoch()
      expect(count, `calls of a child whose parent has the store ${kind}`).toBe(asked)
    }
  })
})
