import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assay, assayProcess, tempFiles, type Files } from '../../test/cli.ts'
import { bindingInput, proofInput, reportDataOf } from '../access/binding.ts'
import { bindingKey, thumbprint } from '../simulator/binding-keys.ts'

const NONCE = new Uint8Array(32).fill(7)
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

let files: Files
beforeAll(() => {
  files = tempFiles()
})
afterAll(() => files.remove())

describe('assay bind', () => {
  it('prints REPORT_DATA in hex', async () => {
    const { code, out } = await assay(['bind', '--nonce', hex(NONCE)])
    expect(code).toBe(0)
    expect(out).toBe(hex(reportDataOf(bindingInput({ nonce: NONCE, audience: 'default' }))))
  })

  it('binds key, runtime data and audience, and takes the nonce as the service gives it', async () => {
    const key = bindingKey('P-256')
    const args = [
      '--cnf-jwk',
      files.write('jwk.json', key.jwk),
      '--runtime-data',
      files.write('data', 'abc'),
      '--audience',
      'https://a.example',
    ]
    const input = bindingInput({
      nonce: NONCE,
      thumbprint: thumbprint(key.jwk),
      runtimeData: Buffer.from('abc'),
      audience: 'https://a.example',
    })
    const { out } = await assay(['bind', '--nonce-base64', Buffer.from(NONCE).toString('base64'), ...args, '--json'])
    expect(JSON.parse(out)).toEqual({
      input: hex(input),
      report_data: hex(reportDataOf(input)),
      extra_data: createHash('sha256').update(input).digest('hex'),
      proof_input: hex(proofInput(input)),
    })
  })

  it.each([
    ['base64', (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')],
    ['raw', (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')],
  ])('prints as %s', async (encoding, form) => {
    const { out } = await assay(['bind', '--nonce', hex(NONCE), '--print', 'proof-input', '--encoding', encoding])
    expect(out).toBe(form(proofInput(bindingInput({ nonce: NONCE, audience: 'default' }))))
  })

  it('writes raw bytes to a pipe without adding any', () => {
    const { code, bytes } = assayProcess(['bind', '--nonce', hex(NONCE), '--print', 'proof-input', '--encoding', 'raw'])
    expect([code, hex(bytes)]).toEqual([0, hex(proofInput(bindingInput({ nonce: NONCE, audience: 'default' })))])
  })

  it.each([
    ['no nonce', []],
    ['two nonces', ['--nonce', '00'.repeat(32), '--nonce-base64', 'AAAA']],
    ['half a byte', ['--nonce', '000']],
    ['no hex', ['--nonce', 'xy'.repeat(16)]],
    ['a short nonce', ['--nonce', '00'.repeat(7)]],
    ['a long nonce', ['--nonce', '00'.repeat(65)]],
    ['base64 that is not canonical', ['--nonce-base64', 'AAAAAAAAAAAAAAAAAAAAAB==']],
    ['an unknown encoding', ['--nonce', '00'.repeat(32), '--encoding', 'octal']],
    ['a file that is not there', ['--nonce', '00'.repeat(32), '--cnf-jwk', '/nowhere']],
  ])('refuses %s as wrong usage', async (_, args) => {
    const { code, out, err } = await assay(['bind', ...args])
    expect([code, out]).toEqual([2, ''])
    expect(err).not.toBe('')
  })

  it('refuses a private key, and does not print it', async () => {
    const { code, err } = await assay([
      'bind',
      '--nonce',
      hex(NONCE),
      '--cnf-jwk',
      files.write('private.json', { ...bindingKey('P-256').jwk, d: 'c2VjcmV0' }),
    ])
    expect(code).toBe(1)
    expect(err).toContain('cnf-key-invalid')
    expect(err).not.toContain('c2VjcmV0')
  })

  it('refuses a key file with a member twice as wrong usage', async () => {
    const { code } = await assay(['bind', '--nonce', hex(NONCE), '--cnf-jwk', files.write('twice.json', '{"kty":"EC","kty":"EC"}')])
    expect(code).toBe(2)
  })
})
