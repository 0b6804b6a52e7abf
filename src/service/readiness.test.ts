import { anchorsWith, authority, anchorFor } from '../../test/tpm-trust-lab.ts'
import { afterEach, describe, expect, it } from 'vitest'
import type { CollateralService } from '../collateral/service.ts'
import { createLog } from '../telemetry/log.ts'
import { createReadiness, type SettableReadiness } from './readiness.ts'
import { memoryStores } from '../stores/memory.ts'
import type { Stores } from '../stores/stores.ts'
import { crlAddress } from '../verifiers/snp/address.ts'

const NOW = new Date('2026-06-01T00:00:00Z')
const SIGNED = new Date('2026-05-01T00:00:00Z')

const collateral = (problems: readonly string[] = []): CollateralService => ({
  obtain: () => Promise.reject(new Error('not asked here')),
  remember: async () => {},
  status: async () => [],
  problems: async () => problems,
  start: async () => {},
  stop: async () => {},
})

let readiness: SettableReadiness | undefined
afterEach(() => readiness?.stop())

const policies = (problems: readonly string[], alarms: readonly string[]) => ({ problems: () => problems, alarms: () => alarms })

function create(parts: Partial<Parameters<typeof createReadiness>[0]> = {}): SettableReadiness {
  const defaults = {
    stores: memoryStores(),
    collateral: collateral(),
    policies: policies([], []),
    tokenKeys: { problems: () => [] },
    anchors: anchorsWith({}),
    now: () => NOW,
    log: createLog('silent'),
  }
  readiness = createReadiness({ ...defaults, ...parts })
  return readiness
}

const withChallenges = (challenges: Partial<Stores['challenges']>): Stores => {
  const stores = memoryStores()
  return { ...stores, challenges: { ...stores.challenges, ...challenges } }
}

describe('readiness', () => {
  it('is not there while no key signs tokens', async () => {
    const none = 'no ES256 token key is published now'
    expect(await create({ tokenKeys: { problems: () => [none] } }).problems()).toEqual([none])
  })

  it('has no problems when everything is at hand', async () => {
    expect(await create().problems()).toEqual([])
  })

  it('tells what policies lack, and apart from it what only an operator should know', async () => {
    const ready = create({ policies: policies(['not confirmed'], ['left out']) })
    expect([await ready.problems(), ready.alarms()]).toEqual([['not confirmed'], ['left out']])
  })

  it('tells that it drains', () => {
    const ready = create()
    expect(ready.draining()).toBe(false)
    ready.startDraining()
    expect(ready.draining()).toBe(true)
  })

  it('tells what collateral is missing', async () => {
    expect(await create({ collateral: collateral(['no list']) }).problems()).toEqual(['no list'])
  })

  it('tells that the store cannot be used', async () => {
    const stores = { ...memoryStores(), ping: () => Promise.reject(new Error('gone')) }
    expect(await create({ stores }).problems()).toEqual(['the store cannot be used'])
  })

  it.each([30_001, -30_001, Number.NaN])('tells a clock that is %s ms from the store’s', async (offset) => {
    const stores = withChallenges({ clockOffset: async () => offset })
    expect(await create({ stores }).problems()).toEqual(['the clock is too far from the store’s'])
  })

  it('takes a clock within the tolerance', async () => {
    expect(await create({ stores: withChallenges({ clockOffset: async () => -30_000 }) }).problems()).toEqual([])
  })

  it('tells a clock that is behind a date that a vendor signed', async () => {
    const stores = memoryStores()
    await stores.collateral.advanceMark(crlAddress('Genoa', 'vlek'), { number: 1n, thisUpdate: SIGNED })
    await stores.collateral.advanceMark(crlAddress('Milan', 'vcek'), { number: 1n, thisUpdate: new Date(0) })
    const right = create({ stores })
    expect(right.newestSignedDate()).toBeUndefined()
    await right.start()
    expect(right.newestSignedDate()).toEqual(SIGNED)
    expect(await right.problems()).toEqual([])
    right.stop()
    const wrong = create({ stores, now: () => new Date(SIGNED.getTime() - 1) })
    await wrong.start()
    expect(await wrong.problems()).toEqual(['the clock is behind a date that a vendor signed'])
  })
})

describe('alarms', () => {
  it('tell of authorities of TPMs that end, beside what policies say', () => {
    const ending = authority('ending', undefined, { notAfter: new Date(NOW.getTime() + 86_400_000) })
    const anchors = anchorsWith({ roots: [anchorFor(ending)], pool: [ending.der] })
    expect(create({ anchors, policies: policies([], ['a folder']) }).alarms()).toEqual([
      'a folder',
      expect.stringContaining('CN=ending ends at'),
    ])
    expect(create().alarms()).toEqual([])
  })
})
