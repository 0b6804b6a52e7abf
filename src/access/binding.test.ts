import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bindingInput, extraDataOf, nonceBinding, proofInput, reportDataOf } from './binding.ts'
import { readCnfJwk, verifyCnfProof } from './cnf.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const nonce = Uint8Array.from({ length: 32 }, (_, i) => i)
const digest = (algorithm: string, ...parts: readonly (string | Uint8Array)[]): string =>
  parts.reduce((h, part) => h.update(part), createHash(algorithm)).digest('hex')

describe('bindingInput', () => {
  it('is the tag and four digests, 144 bytes', () => {
    const thumbprint = new Uint8Array(32).fill(7)
    const p = bindingInput({ nonce, thumbprint, runtimeData: Buffer.from('data'), audience: 'https://rp.example' })
    expect(p).toHaveLength(144)
    expect(hex(p)).toBe(
      Buffer.from('assay-binding/1\0').toString('hex') +
        digest('sha256', nonce) +
        '07'.repeat(32) +
        digest('sha256', 'data') +
        digest('sha256', 'https://rp.example'),
    )
  })

  it('stands zeros for an absent key and the empty digest for absent runtime data', () => {
    const p = bindingInput({ nonce, audience: 'default' })
    expect(p).toHaveLength(144)
    expect(hex(p.subarray(48, 80))).toBe('00'.repeat(32))
    expect(hex(p.subarray(80, 112))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(p).toEqual(bindingInput({ nonce, thumbprint: undefined, runtimeData: new Uint8Array(0), audience: 'default' }))
  })

  it.each([
    ['nonce', { nonce: nonce.subarray(1), audience: 'default' }],
    ['audience', { nonce, audience: 'Default' }],
    ['runtime data', { nonce, runtimeData: new Uint8Array(1), audience: 'default' }],
    ['key', { nonce, thumbprint: new Uint8Array(32).fill(1), audience: 'default' }],
  ])('changes with the %s', (_, parts) => {
    expect(bindingInput(parts)).not.toEqual(bindingInput({ nonce, audience: 'default' }))
  })

  it('refuses a thumbprint of another length, which would move every later part', () => {
    expect(() => bindingInput({ nonce, thumbprint: new Uint8Array(20), audience: 'default' })).toThrow(RangeError)
  })
})

describe('what is bound', () => {
  const p = bindingInput({ nonce, audience: 'default' })

  it('is SHA-512 of P in a report and SHA-256 of P in a TPM quote', () => {
    expect(hex(reportDataOf(p))).toBe(digest('sha512', p))
    expect(hex(extraDataOf(p))).toBe(digest('sha256', p))
  })

  it('is signed by the key under a tag of its own', () => {
    expect(proofInput(p)).toHaveLength(76)
    expect(hex(proofInput(p))).toBe(Buffer.from('assay-pop/1\0').toString('hex') + digest('sha512', p))
  })

  it('is the nonce padded with zeros under binding nonce', () => {
    expect(hex(nonceBinding(nonce))).toBe(hex(nonce) + '00'.repeat(32))
    expect(nonceBinding(new Uint8Array(64).fill(1))).toEqual(new Uint8Array(64).fill(1))
    expect(() => nonceBinding(new Uint8Array(65))).toThrow(RangeError)
  })
})

const has = (program: string): boolean => {
  try {
    execFileSync(program, ['true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe('the recipe of docs/binding.md', () => {
  const recipe = /```sh\n([\s\S]+?)```/.exec(readFileSync(resolve(import.meta.dirname, '../../docs/binding.md'), 'utf8'))?.[1] ?? ''
  const shells = [['sh'], ['dash'], ...(has('busybox') ? [['busybox', 'sh']] : [])]

  const run = (shell: readonly string[], env: Record<string, string>): Record<string, Buffer> => {
    const cwd = mkdtempSync(join(tmpdir(), 'assay-recipe-'))
    try {
      const [program = 'sh', ...args] = shell
      execFileSync(program, [...args, '-c', recipe], {
        cwd,
        env: { PATH: process.env['PATH'], ...env },
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      return Object.fromEntries(['p', 'report_data', 'cnf_jwk.json', 'cnf_proof'].map((name) => [name, readFileSync(join(cwd, name))]))
    } finally {
      rmSync(cwd, { recursive: true })
    }
  }

  it.each(shells)('computes the same as we do under %s %s', async (...shell) => {
    const made = run(shell, {
      NONCE: Buffer.from(nonce).toString('base64'),
      AUDIENCE: 'https://rp.example',
      RUNTIME_DATA: 'some "data" $HOME',
    })
    const cnf = readCnfJwk(JSON.parse(String(made['cnf_jwk.json'])))
    const p = bindingInput({
      nonce,
      thumbprint: cnf.thumbprint,
      runtimeData: Buffer.from('some "data" $HOME'),
      audience: 'https://rp.example',
    })
    expect(hex(made['p'] ?? p.subarray(1))).toBe(hex(p))
    expect(hex(made['report_data'] ?? p)).toBe(hex(reportDataOf(p)))
    await expect(verifyCnfProof(cnf.key, p, Buffer.from(String(made['cnf_proof']), 'base64'))).resolves.toBeUndefined()
  })

  it('means the audience default and no runtime data where none is set', () => {
    const made = run(['sh'], { NONCE: Buffer.from(nonce).toString('base64') })
    const { thumbprint } = readCnfJwk(JSON.parse(String(made['cnf_jwk.json'])))
    expect(hex(made['p'] ?? thumbprint)).toBe(hex(bindingInput({ nonce, thumbprint, audience: 'default' })))
  })
})
