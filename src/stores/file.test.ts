import { type ChildProcess, spawn } from 'node:child_process'
import { createSecretKey, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLog } from '../telemetry/log.ts'
import type { CollateralAddress } from '../verifiers/verifier.ts'
import { fileStores } from './file.ts'
import { lockFolder } from './lock.ts'
import type { KnownMark } from './marks.ts'
import type { StoredDocument, Stores } from './stores.ts'

const address: CollateralAddress = 'amd/crl/Milan/vcek'
const secret = randomBytes(32)
const keys = { stored: createSecretKey(secret) }
const log = createLog('silent')
const mark = { number: 5n, thisUpdate: new Date('2026-01-05T00:00:00Z') }

let dataDir: string
const opened: Stores[] = []
const open = async (options: Partial<Parameters<typeof fileStores>[0]> = {}): Promise<Stores> => {
  const stores = await fileStores({ dataDir, keys, mode: 'test', log, ...options })
  opened.push(stores)
  return stores
}
const reopen = async (stores: Stores): Promise<Stores> => {
  await stores.close()
  return open()
}
const document = (bytes: number, fetchedAt = new Date(1000)): StoredDocument => ({
  address,
  bytes: new Uint8Array(bytes).fill(7),
  fetchedAt,
  expiresAt: new Date(2000),
})

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'assay-stores-'))
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((stores) => stores.close()))
  await rm(dataDir, { recursive: true, force: true })
})

describe('documents in files', () => {
  it('survive a restart', async () => {
    const stores = await open()
    await stores.collateral.put(document(3))
    const again = await reopen(stores)
    expect(await again.collateral.get(address)).toEqual(document(3))
    expect(await again.collateral.list()).toEqual([{ address, fetchedAt: new Date(1000), expiresAt: new Date(2000) }])
    expect(await again.collateral.get('amd/crl/Milan/vlek')).toBeUndefined()
  })

  it('are readable by the service alone', async () => {
    const stores = await open()
    await stores.collateral.put(document(3))
    const { mode } = await stat(join(dataDir, 'collateral', 'amd_crl_Milan_vcek.document'))
    expect(mode & 0o777).toBe(0o600)
  })

  it('count as absent once somebody else changed them, or renamed one to another', async () => {
    const stores = await open()
    await stores.collateral.put(document(300))
    const path = join(dataDir, 'collateral', 'amd_crl_Milan_vcek.document')
    const bytes = await readFile(path)
    await writeFile(join(dataDir, 'collateral', 'amd_crl_Milan_vlek.document'), bytes)
    bytes[200] = 0
    await writeFile(path, bytes)
    const again = await reopen(stores)
    expect(await again.collateral.get(address)).toBeUndefined()
    expect(await again.collateral.get('amd/crl/Milan/vlek')).toBeUndefined()
    expect(await again.collateral.list()).toEqual([])
  })

  it('refuse an address that could leave the folder', async () => {
    const stores = await open()
    const outside = 'amd/../../x' as CollateralAddress
    await expect(stores.collateral.put({ ...document(1), address: outside })).rejects.toThrow(/not an address/)
    await expect(stores.collateral.get(outside)).rejects.toThrow(/not an address/)
  })
})

describe('marks in files', () => {
  it('survive a restart and only advance', async () => {
    const stores = await open()
    await stores.collateral.advanceMark(address, mark)
    const again = await reopen(stores)
    await again.collateral.advanceMark(address, { number: 3n, thisUpdate: new Date('2026-01-09T00:00:00Z') })
    const third = await reopen(again)
    expect(await third.collateral.mark(address)).toEqual({ number: 5n, thisUpdate: new Date('2026-01-09T00:00:00Z') })
  })

  it('all arrive when many advance at once', async () => {
    const stores = await open()
    await Promise.all(Array.from({ length: 20 }, (_, i) => stores.collateral.advanceMark(address, { ...mark, number: BigInt(i) })))
    const again = await reopen(stores)
    expect(await again.collateral.mark(address)).toEqual({ ...mark, number: 19n })
  })

  it('are written again after a write that failed', async () => {
    const stores = await open()
    await mkdir(join(dataDir, 'collateral', 'marks'))
    await expect(stores.collateral.advanceMark(address, mark)).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST|directory/)
    expect(await stores.collateral.mark(address)).toEqual(mark)
    await rmdir(join(dataDir, 'collateral', 'marks'))
    await stores.collateral.advanceMark(address, mark)
    expect(await (await reopen(stores)).collateral.mark(address)).toEqual(mark)
  })

  it('are the strictest once somebody else changed them, and stay so', async () => {
    const stores = await open()
    await stores.collateral.advanceMark(address, mark)
    const path = join(dataDir, 'collateral', 'marks')
    const bytes = await readFile(path)
    bytes[bytes.length - 1] = 0
    await writeFile(path, bytes)
    const again = await reopen(stores)
    await again.collateral.advanceMark(address, mark)
    expect(await again.collateral.mark(address)).toBe('strictest')
    expect(await again.collateral.mark('amd/crl/Turin/vlek')).toBe('strictest')
  })
})

describe('the data folder', () => {
  it('belongs to one process, and is free again when it is closed', async () => {
    const stores = await open()
    await expect(open()).rejects.toThrow(new RegExp(`in use by process ${process.pid}`))
    await stores.close()
    await (await open()).ping()
  })

  it('belongs to one mode', async () => {
    await (await open()).close()
    await expect(open({ mode: 'production' })).rejects.toThrow(/belongs to mode test/)
    await (await open()).ping()
  })

  it.each(['assay-store/3 test\n', 'something else'])('is refused when its format mark says %j', async (text) => {
    await (await open()).close()
    await writeFile(join(dataDir, 'format'), text)
    await expect(open()).rejects.toThrow(/newer version|not the format mark/)
  })

  it('is taken over from a process that had the same id but is another', async () => {
    await writeFile(join(dataDir, 'lock'), `${process.pid} 00000000-0000-0000-0000-000000000000 1\n`)
    await expect(open().then((stores) => stores.ping())).resolves.toBeUndefined()
  })

  it('is not given back by somebody whose lock it no longer is', async () => {
    const release = await lockFolder(dataDir)
    await writeFile(join(dataDir, 'lock'), 'somebody else\n')
    await release()
    expect(await readFile(join(dataDir, 'lock'), 'utf8')).toBe('somebody else\n')
  })

  it('is given to exactly one of many that open it over a dead lock', async () => {
    await writeFile(join(dataDir, 'lock'), `${process.pid} ended\n`)
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(dataDir)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('is swept of what killed processes left, and of nothing else', async () => {
    await (await open()).close()
    const left = ['lock.partial-0123456789abcdef', join('collateral', 'marks.partial-0123456789abcdef')]
    const other = ['audit.jsonl', join('collateral', 'notes.partial-x')]
    await Promise.all([...left, ...other].map((name) => writeFile(join(dataDir, name), '')))
    await open()
    const names = await readdir(dataDir, { recursive: true })
    expect(left.filter((name) => names.includes(name))).toEqual([])
    expect(other.filter((name) => names.includes(name))).toEqual(other)
  })

  it('starts a new epoch at every start', async () => {
    const stores = await open()
    const epoch = await stores.challenges.epoch()
    expect(await (await reopen(stores)).challenges.epoch()).not.toEqual(epoch)
  })
})

/** Writes marks and documents as fast as it can, and says the number of each that is done. */
const writer = (): ChildProcess =>
  spawn(
    process.execPath,
    [
      '--input-type=module-typescript',
      '-e',
      `import { createSecretKey } from 'node:crypto'
       import { fileStores } from ${JSON.stringify(join(import.meta.dirname, 'file.ts'))}
       import { createLog } from ${JSON.stringify(join(import.meta.dirname, '../telemetry/log.ts'))}
       const keys = { stored: createSecretKey(Buffer.from(process.env.SECRET, 'hex')) }
       const { collateral } = await fileStores({ dataDir: process.env.DIR, keys, mode: 'test', log: createLog('silent') })
       for (let i = 1; ; i += 1) {
         await collateral.advanceMark('${address}', { number: BigInt(i), thisUpdate: new Date(i) })
         await collateral.put({ address: '${address}', bytes: new Uint8Array(200_000).fill(7), fetchedAt: new Date(i), expiresAt: new Date(2000) })
         console.log(i)
       }`,
    ],
    { env: { ...process.env, DIR: dataDir, SECRET: secret.toString('hex') }, stdio: ['ignore', 'pipe', 'inherit'] },
  )

/** Lets it write, tries to open its folder meanwhile, and kills it in the middle. Resolves to the last number it said, and how the opening failed. */
async function killedWriter(): Promise<{ written: number; refusal: string; pid: number | undefined }> {
  const child = writer()
  const exit = once(child, 'exit')
  let written = 0
  let refusal = ''
  for await (const line of createInterface(child.stdout ?? process.stdin)) {
    written = Number(line)
    if (written === 10) refusal = await open().then(String, String)
    if (written === 25) child.kill('SIGKILL')
  }
  await exit
  return { written, refusal, pid: child.pid }
}

describe('kill -9', () => {
  it('in the middle of writing leaves whole documents, the marks, and a folder that the next process takes over', async () => {
    const { written, refusal, pid } = await killedWriter()
    expect(refusal).toContain(`in use by process ${pid}`)
    const { collateral } = await open()
    const kept = await collateral.get(address)
    expect(kept?.bytes).toEqual(new Uint8Array(200_000).fill(7))
    expect(kept?.fetchedAt.getTime()).toBeGreaterThanOrEqual(written)
    const left = (await collateral.mark(address)) as KnownMark
    expect(left.number).toBeGreaterThanOrEqual(BigInt(written))
    expect((await readdir(join(dataDir, 'collateral'))).filter((name) => name.includes('partial'))).toEqual([])
  })
})
