import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assay, tempFiles, type Files } from '../../test/cli.ts'
import { endVendors, startSimulation, type Simulation } from './simulation.ts'

const root = resolve(import.meta.dirname, '../..')

let files: Files
let simulation: Simulation
beforeAll(async () => {
  files = tempFiles()
  simulation = await startSimulation()
})
afterAll(async () => {
  await endVendors(simulation)
  files.remove()
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Where a demonstration has put its token and keys. */
const tokenFolder = (out: string): string => /readFileSync\('([^']+)\/'/.exec(out)?.[1] ?? 'none'

describe('assay demo', () => {
  it('shows every verdict with its check, one token, and a fleet that needs no vendor', async () => {
    const { code, out } = await assay(['demo'])
    rmSync(tokenFolder(out), { recursive: true })
    expect(code).toBe(0)
    for (const { name, expected } of simulation.fleet)
      expect(out).toMatch(new RegExp(`^${name} .*${expected === 'issued' ? 'token' : expected}`, 'm'))
    expect(out).toMatch(/SNP-46 +expected CHIP_ID[^]*actual {3}hwID/)
    expect(out).toMatch(/request +expected a challenge that no request has used\n +actual {3}the challenge has been used before/)
    expect(out).toContain('"typ": "demo+JWT"')
    expect(out).toContain('"demo": true')
    expect(out).toMatch(/Good hosts that still get a token: (\d+) of \1\./)
    expect(out).toMatch(/the node, with its key +201 its secret: join-[0-9a-f]{12}\n/)
    for (const why of ['proof-replayed', 'confirmation-mismatch', 'proof-missing'])
      expect(out).toMatch(new RegExp(`a thief, .+ 401 ${why}\n`))
    expect(out).toContain('What to try next')
    // A terminal that nobody has widened. Digests stay whole in the token, where they can be copied.
    expect(out.split('\n').filter((line) => line.length > 80 && !/[0-9a-f]{64}/.test(line))).toEqual([])
  })

  it('shows a command that verifies the token when the demonstration is over', async () => {
    const { out } = await assay(['demo'])
    const [command = ''] = /^node --input-type[^]*?payload\)"$/m.exec(out) ?? []
    const verified = spawnSync('sh', ['-c', command], { cwd: root, encoding: 'utf8' })
    rmSync(tokenFolder(out), { recursive: true })
    expect(verified.stderr).toBe('')
    expect(verified.stdout).toContain("iss: 'https://demo.assay.invalid'")
  })

  it('stays with --keep, believes in its own hosts only, and leaves nothing behind', async () => {
    const child = spawn(process.execPath, ['bin/assay.mjs', 'demo', '--keep', '--tsm', files.path('tsm')], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines: string[] = []
    const { promise, resolve: found } = Promise.withResolvers<string>()
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line)
      const url = /^The service stays at (http:\S+)\. /.exec(line)?.[1]
      if (url !== undefined) found(url)
    })
    const url = await promise
    const stranger = simulation.fleet.find(({ expected }) => expected === 'issued')
    expect(await stranger?.run({ url })).toMatchObject({ status: 422 })
    const token = tokenFolder(lines.join('\n'))
    expect(existsSync(token)).toBe(true)
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
    expect(existsSync(token)).toBe(false)
  })

  it('listens nowhere but on this machine', async () => {
    const { code, err } = await assay(['demo', '--listen', '0.0.0.0:0'])
    expect(code).toBe(2)
    expect(err).toContain('loopback')
  })
})

describe('assay simulate', () => {
  it('writes what a service needs to believe it, and its fleet gets what it should', async () => {
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const folder = files.path('sim')
    const fleet = assay(['simulate', '--out', folder, '--url', url])
    await expect.poll(() => existsSync(`${folder}/assay.yaml`), { timeout: 10_000 }).toBe(true)
    const service = spawn(process.execPath, ['bin/assay.mjs', 'serve'], {
      cwd: root,
      env: { PATH: process.env['PATH'], ASSAY_CONFIG: `${folder}/assay.yaml`, ASSAY_LISTEN: `127.0.0.1:${port}`, ASSAY_LOG_LEVEL: 'error' },
      stdio: 'inherit',
    })
    const { code, out } = await fleet
    expect(out).not.toContain('this is not what must come of it')
    expect(code).toBe(0)
    service.kill('SIGTERM')
    expect(await once(service, 'exit')).toEqual([0, null])
  })

  it('writes evidence that verifies offline with its roots and bundle', async () => {
    const folder = files.path('sim')
    const trust = ['milan', 'genoa', 'turin'].flatMap((product) => ['--insecure-test-root', `${folder}/ark-${product}.der`])
    const { code } = await assay([
      'verify',
      `${folder}/evidence-milan-1.json`,
      '--offline',
      '--json',
      '--collateral',
      `${folder}/bundle.json`,
      '--policy',
      `${folder}/policies/fleet.yaml`,
      ...trust,
    ])
    expect(code).toBe(0)
  })

  it('writes evidence of a TPM whose cloud certified its key', async () => {
    const folder = files.path('sim')
    const verify = (anchor: string) =>
      assay([
        'verify',
        `${folder}/evidence-vtpm-1.json`,
        '--offline',
        '--json',
        '--policy',
        `${folder}/policies/fleet.yaml`,
        '--insecure-test-root',
        `${folder}/ark-milan.der`,
        '--trust-anchor',
        `${folder}/${anchor}`,
      ])
    expect((await verify('tpm-cloud-root.der')).code).toBe(0)
    expect((await verify('tpm-manufacturer-root.der')).code).toBe(1)
    // A key that was not enrolled yet has nobody who vouches for it.
    expect(existsSync(`${folder}/evidence-tpm-1.json`)).toBe(false)
  })

  it('needs to know what for', async () => {
    expect((await assay(['simulate'])).code).toBe(2)
  })
})
