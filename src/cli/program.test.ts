import { akCertificate, authority, ecKeys } from '../../test/tpm-trust-lab.ts'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { assay, tempFiles } from '../../test/cli.ts'
import { fakeAmd } from '../simulator/amd.ts'
import { fakeHost } from '../simulator/hosts.ts'

const root = resolve(import.meta.dirname, '../..')
const files = tempFiles()
afterAll(() => files.remove())

describe('assay', () => {
  it('tells its version', async () => {
    const { version } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')) as { version: string }
    expect(await assay(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' })
  })

  it.each(['--help', 'help', 'verify --help', 'help verify', 'collateral fetch --help'])('explains itself: %s', async (args) => {
    const { code, out } = await assay(args.split(' '))
    expect(code).toBe(0)
    expect(out).toContain('Usage: assay')
    expect(out).not.toContain('default: []')
  })

  it.each(['nonsense', 'doctor', 'policy', 'worker', 'verify', 'verify x --bogus', '', 'collateral', 'config'])(
    'takes a wrong command line for what it is: %s',
    async (args) => {
      const { code, out, err } = await assay(args.split(' ').filter((arg) => arg !== ''))
      expect(code).toBe(2)
      expect(out).toBe('')
      expect(err).not.toBe('')
    },
  )

  it('keeps its exit code when nobody reads to the end', async () => {
    const child = spawn(process.execPath, ['bin/assay.mjs', 'nonsense'], { cwd: root })
    child.stdout.destroy()
    child.stderr.destroy()
    expect(await once(child, 'exit')).toEqual([2, null])
  })
})

describe('evidence from an editor that marks the byte order', () => {
  it('is read all the same', async () => {
    const item = fakeHost(await fakeAmd()).evidence(new Uint8Array(64))
    const path = files.write('marked.json', `\uFEFF${JSON.stringify(item)}`)
    expect(await assay(['inspect', path])).toMatchObject({ code: 0 })
    const { code, out } = await assay(['verify', path, '--offline'])
    expect([code, out]).toEqual([1, expect.stringContaining('snp-root-untrusted')])
  })
})

describe('npm start', () => {
  it('takes no argument for granted', () => {
    const { status, stderr } = spawnSync(process.execPath, ['src/main.ts', '--listen', '127.0.0.1:0'], { cwd: root, encoding: 'utf8' })
    expect(status).toBe(2)
    expect(stderr).toContain('takes no arguments')
  })
})

describe('--trust-anchor', () => {
  it('takes authorities in PEM or DER, and never in place of AMD’s', async () => {
    const evidence = files.write('item.json', fakeHost(await fakeAmd()).evidence(new Uint8Array(64)))
    const anchor = files.write('tpm.der', authority('tpm root').der)
    const { code, err } = await assay(['verify', evidence, '--offline', '--trust-anchor', anchor])
    // The fake AMD stays a stranger.
    expect(code).toBe(1)
    expect(err).not.toContain('trust-anchor')
  })
  it('takes no authority of the simulator’s', async () => {
    const evidence = files.write('item.json', fakeHost(await fakeAmd()).evidence(new Uint8Array(64)))
    const { code, err } = await assay([
      'verify',
      evidence,
      '--offline',
      '--trust-anchor',
      files.write('root.der', (await fakeAmd()).root('Milan')),
    ])
    expect(code).toBe(2)
    expect(err).toContain('is one of the simulator')
  })

  it.each([
    ['nowhere.pem', undefined],
    ['text.pem', 'no certificate'],
    ['leaf.der', akCertificate(ecKeys().publicKey, authority('tpm root'))],
  ])('refuses %s', async (name, content) => {
    const evidence = files.write('item.json', fakeHost(await fakeAmd()).evidence(new Uint8Array(64)))
    const path = content === undefined ? files.path(name) : files.write(name, content)
    expect(await assay(['verify', evidence, '--offline', '--trust-anchor', path])).toMatchObject({ code: 2, out: '' })
  })
})
