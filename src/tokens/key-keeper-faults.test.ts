import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tokenKey } from '../../test/token-keys.ts'
import type { TokenAlgorithm } from '../access/audiences.ts'
import { memoryStores } from '../stores/memory.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { tokenKeyFiles } from './key-files.ts'
import { keepTokenKeys, rotationRequest, type KeeperParts, type KeptKeys } from './key-keeper.ts'
import { keyTimes, type PublishedKey } from './published-key.ts'
import { MOST_KEYS, publishedKeysIn, type PublishedKeys } from './published-keys.ts'

const MINUTE = 60_000
let folder = ''
let now = 0
let said: string[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-keeper-'))
  now = Date.parse('2026-11-24T08:00:00Z')
  said = []
})
afterEach(() => rm(folder, { recursive: true }))

const log = pino({ level: 'info' }, { write: (line: string) => void said.push(whatSays(JSON.parse(line))) })
const whatSays = ({ msg, err }: { msg: string; err?: { message: string } }) => (err === undefined ? msg : `${msg}: ${err.message}`)

function keep(more: Partial<KeeperParts> = {}, algorithms: readonly TokenAlgorithm[] = ['ES256']): Promise<KeptKeys> {
  return keepTokenKeys({
    folder,
    files: tokenKeyFiles({ algorithms, named: {}, folder, mode: 'production' }),
    published: publishedKeysIn(memoryStores().documents),
    denied: new Set(),
    times: keyTimes(300, 900),
    now: () => new Date(now),
    log,
    audit: { append: async () => {}, close: async () => {} },
    rotateMs: undefined,
    everyMs: 3_600_000,
    ...more,
  })
}

const algorithms = ({ ring }: KeptKeys) => ring.filed().map(({ alg }) => alg)

it('keys of each algorithm have files of their own, and go their own way', async () => {
  const machine = await keep({}, ['ES256', 'EdDSA'])
  await writeFile(rotationRequest(folder), '')
  await machine.look()
  expect(algorithms(machine)).toEqual(['ES256', 'ES256', 'EdDSA', 'EdDSA'])
  expect(said.filter((line) => line === 'a token key was made')).toHaveLength(2)
  for (let minute = 0; minute < 21; minute += 1) {
    now += MINUTE
    await machine.look()
  }
  expect(algorithms(machine)).toEqual(['ES256', 'EdDSA'])
  machine.stop()
})

it('a key that waits says how long, and a missing one when to ask again', async () => {
  const store = publishedKeysIn(memoryStores().documents)
  const first = await keep({ published: store })
  first.stop()
  await rm(join(folder, 'token-key'))
  now += MINUTE
  const { ring, stop } = await keep({ published: store })
  stop()
  const asked = (alg: TokenAlgorithm) => {
    try {
      return ring.signing(alg, new Date(now))
    } catch (error) {
      return error instanceof AttestationError ? [error.code, error.retryAfter, error.message] : error
    }
  }
  const waits = 'the ES256 token key signs from 2026-11-24T08:11:00.000Z, when no relying party has a key set without it'
  expect(asked('ES256')).toEqual(['not-ready', 600, waits])
  now += 10 * MINUTE - 1
  expect(asked('ES256')).toEqual(['not-ready', 1, waits])
  expect(asked('EdDSA')).toEqual(['not-ready', 5, 'no EdDSA token key is published now'])
})

describe('what goes wrong', () => {
  it('is said once, and again when it is something else or comes back', async () => {
    let why: string | undefined = 'the disk is full'
    const append = async () => {
      if (why !== undefined) throw new Error(why)
    }
    const machine = await keep({ audit: { append, close: async () => {} } })
    await machine.look()
    const full = 'the public token keys could not be published: the disk is full'
    expect(said).toEqual([full])
    why = 'the log is closed'
    await machine.look()
    expect(said).toEqual([full, 'the public token keys could not be published: the log is closed'])
    why = undefined
    await machine.look()
    expect(machine.ring.shown()).toHaveLength(1)
    machine.stop()
  })

  it('is told of a store that gives no answer, and of files that cannot be read', async () => {
    const store = publishedKeysIn(memoryStores().documents)
    let isAway = false
    const revision: PublishedKeys['revision'] = async () => {
      if (isAway) throw new Error('no answer')
      return store.revision()
    }
    const machine = await keep({ published: { ...store, revision } })
    isAway = true
    await machine.look()
    expect(said).toEqual(['the list of public token keys cannot be read: no answer'])
    isAway = false
    await writeFile(join(folder, 'token-key'), 'nothing')
    await machine.look()
    expect(said.at(-1)).toMatch(/^the token keys cannot be read; those that were read before count: .*token-key holds no private key/)
    machine.stop()
  })

  it('is a list that others write at every moment, or that is full', async () => {
    let attempts = 0
    const store = publishedKeysIn(memoryStores().documents)
    const replace: PublishedKeys['replace'] = async () => {
      attempts += 1
      return 'conflict'
    }
    const machine = await keep({ published: { ...store, replace } })
    expect([attempts, said]).toEqual([
      10,
      ['the public token keys could not be published: the list of public token keys changes too often to be changed'],
    ])
    machine.stop()
    said = []
    const crowd = Array.from({ length: MOST_KEYS }, (_, nth) => foreign(`${nth}`.padEnd(43, 'k')))
    const full = await keep({ published: { ...store, read: async () => ({ counter: 1, keys: crowd }) } })
    expect(said).toEqual([
      `the public token keys could not be published: there are ${MOST_KEYS + 1} token keys; ${MOST_KEYS} can be published`,
    ])
    full.stop()
  })
})

/** A key of another replica. */
const foreign = (kid: string): PublishedKey => ({
  kid,
  alg: 'ES256',
  jwk: tokenKey('ES256').publicJwk,
  signsFrom: now,
  shownUntil: now + 60 * MINUTE,
  superseded: false,
})

describe('the list in the store', () => {
  it('keeps what it was given, of every algorithm, and refuses what was read before another change', async () => {
    const list = publishedKeysIn(memoryStores().documents)
    const at = new Date(now)
    expect(await list.read()).toEqual({ counter: 0, keys: [] })
    const keys = (['ES256', 'PS256', 'EdDSA'] as const).map((alg) => ({ ...foreign(alg), alg, jwk: tokenKey(alg).publicJwk }))
    expect(await list.replace({ counter: 0, keys }, at)).toBe('replaced')
    expect(await list.read()).toEqual({ counter: 1, keys })
    expect(await list.replace({ counter: 0, keys: [] }, at)).toBe('conflict')
    const before = await list.revision()
    expect(await list.replace({ counter: 1, keys: [] }, at)).toBe('replaced')
    expect(await list.revision()).not.toBe(before)
    expect(await list.read()).toEqual({ counter: 2, keys: [] })
  })
})
