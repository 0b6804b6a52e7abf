import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { initdataClaims } from './initdata.ts'

const DOCUMENT = new Uint8Array(Buffer.from('algorithm = "sha384"\n'))
const digest = (name: string): Buffer => createHash(name).update(DOCUMENT).digest()
const field = (bytes: Uint8Array): Uint8Array => new Uint8Array(Buffer.concat([bytes, Buffer.alloc(48)]).subarray(0, 48))
const bindingOf = (mrConfigId: Uint8Array): string => initdataClaims(DOCUMENT, mrConfigId).binding

describe('initdata', () => {
  it.each(['sha384', 'sha256', 'sha512'])('is bound by %s', (name) => {
    expect(initdataClaims(DOCUMENT, field(digest(name)))).toEqual({ sha384: digest('sha384').toString('hex'), binding: name })
  })

  it.each([
    ['zeros', new Uint8Array(48)],
    ['SHA-256 with something behind', field(digest('sha256')).with(47, 1)],
    ['one bit less of SHA-384', field(digest('sha384')).with(47, (digest('sha384')[47] ?? 0) ^ 1)],
    ['one bit less of SHA-512', field(digest('sha512')).with(0, (digest('sha512')[0] ?? 0) ^ 1)],
    ['SHA-256 alone', new Uint8Array(digest('sha256'))],
    ['nothing', new Uint8Array()],
  ])('is not bound by %s', (_, mrConfigId) => {
    expect(bindingOf(mrConfigId)).toBe('none')
  })

  it('is not bound as another document', () => {
    expect(initdataClaims(DOCUMENT.with(0, 0), field(digest('sha384'))).binding).toBe('none')
  })
})
