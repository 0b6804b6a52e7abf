import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { assay, tempFiles, type Files } from '../../test/cli.ts'
import { memoryStores } from '../stores/memory.ts'
import { createLog } from '../telemetry/log.ts'
import { keepTokenKeys, rotationRequest, type KeptKeys } from '../tokens/key-keeper.ts'
import { tokenKeyFiles } from '../tokens/key-files.ts'
import { temporaryTokenKey } from '../tokens/keys.ts'
import { keyTimes } from '../tokens/published-key.ts'
import { publishedKeysIn } from '../tokens/published-keys.ts'

let files: Files
let folder = ''
beforeEach(() => {
  files = tempFiles()
  files.write('data/placeholder', '')
  folder = files.path('data')
})
afterEach(() => files.remove())

const keys = (command: string, ...more: readonly string[]) => assay(['keys', command, ...more], environment())
const environment = () => ({ ASSAY_DATA_DIR: folder })

/** What a service does for its keys, in this process. */
async function service(): Promise<KeptKeys> {
  return keepTokenKeys({
    folder,
    files: tokenKeyFiles({ algorithms: ['ES256'], named: {}, folder, mode: 'production' }),
    published: publishedKeysIn(memoryStores().documents),
    denied: new Set(),
    times: keyTimes(300, 900),
    now: () => new Date(),
    log: createLog('silent'),
    audit: { append: async () => {}, close: async () => {} },
    rotateMs: undefined,
    everyMs: 20,
  })
}

describe('assay keys list', () => {
  it('tells which private keys there are, and makes none', async () => {
    expect(await keys('list')).toMatchObject({ code: 0, out: '', err: 'assay: 0 keys' })
    expect(readdirSync(folder)).toEqual(['placeholder'])
    const { ring, stop } = await service()
    stop()
    const [key] = ring.filed()
    expect((await keys('list')).out).toBe(`ES256  ${key?.kid} in ${folder}/token-key`)
    const json = await keys('list', '--json')
    expect(JSON.parse(json.out)).toEqual([{ kid: key?.kid, alg: 'ES256', file: `${folder}/token-key` }])
    const { d } = (JSON.parse(readFileSync(`${folder}/token-key`, 'utf8')) as { keys: [{ d: string }] }).keys[0]
    expect(json.out).not.toContain(d)
  })
})

describe('assay keys rotate', () => {
  it('has a running service make a successor, and says when it signs', async () => {
    const { ring, stop } = await service()
    const first = await keys('rotate')
    const fresh = ring.filed().at(1)?.kid ?? ''
    expect(first).toMatchObject({ code: 0, out: `ES256  ${fresh}` })
    expect(first.err).toContain('1 keys made; they sign in 10 minutes at the latest')
    await expect.poll(ring.shown).toHaveLength(2)
    const second = await keys('rotate')
    expect([second.code, second.out]).toEqual([0, ''])
    expect(second.err).toContain('every key has a successor already')
    expect(ring.filed()).toHaveLength(2)
    stop()
  })

  it('leaves the request to the next service where none runs', async () => {
    const { code, err } = await keys('rotate')
    expect([code, err]).toEqual([3, expect.stringContaining('no service took the request; the next one that starts')])
    const { ring, stop } = await service()
    await expect.poll(() => ring.filed()).toHaveLength(2)
    expect(readdirSync(folder)).not.toContain('rotate-token-keys')
    stop()
  })

  it('is no way to change a key that is yours', async () => {
    const path = files.write('mounted.pem', String(temporaryTokenKey('ES256').privateKey.export({ format: 'pem', type: 'pkcs8' })))
    const { code, err } = await assay(['keys', 'rotate'], { ...environment(), ASSAY_TOKEN_KEY_FILE: path })
    expect([code, err]).toEqual([2, 'assay: every key is in a file of yours: put the new one behind the old one there'])
    expect(readdirSync(folder)).toEqual(['placeholder'])
  })

  it('says where the data folder cannot be written to', async () => {
    const { code, err } = await assay(['keys', 'rotate'], { ASSAY_DATA_DIR: files.path('absent') })
    expect([code, err]).toEqual([2, expect.stringContaining(`the data folder ${files.path('absent')} cannot be written to`)])
    expect(rotationRequest(folder)).toBe(`${folder}/rotate-token-keys`)
  })
})
