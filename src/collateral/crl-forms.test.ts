import { describe, expect, it } from 'vitest'
import { listInDer } from './crl-forms.ts'

const der = Uint8Array.from([0x30, 0x82, 1, 2, ...Array.from({ length: 300 }, (_, i) => i & 0xff)])
const text = (form: string): Uint8Array => new Uint8Array(Buffer.from(form))
const base64 = Buffer.from(der).toString('base64')
const lines = base64.replaceAll(/.{64}/g, '$&\n')
const pem = (begin = 'X509 CRL'): string => `-----BEGIN ${begin}-----\n${lines}\n-----END ${begin}-----\n`

describe('a revocation list', () => {
  it.each([
    ['DER', der],
    ['PEM', text(pem())],
    ['PEM with CRLF', text(pem().replaceAll('\n', '\r\n'))],
    ['hex', text(Buffer.from(der).toString('hex'))],
    ['upper-case hex with a line end', text(`${Buffer.from(der).toString('hex').toUpperCase()}\n`)],
    ['base64', text(base64)],
    ['base64 in lines', text(lines)],
  ])('is read from %s', (_, bytes) => expect(listInDer(bytes)).toEqual(der))

  it.each([
    ['nothing', text('')],
    ['one byte', Uint8Array.of(0x30)],
    ['JSON', text('{"statusCode":404}')],
    ['HTML', text('<html></html>')],
    ['a certificate', text(pem('CERTIFICATE'))],
    ['two lists', text(pem() + pem())],
    ['hex of something else', text('00'.repeat(100))],
    ['half a digit of hex', text(Buffer.from(der).toString('hex').slice(0, -1))],
    ['base64 that is not canonical', text(`${base64}=`)],
    ['a short SEQUENCE', Uint8Array.from([0x30, 0x03, 2, 1, 0])],
  ])('is not read from %s', (_, bytes) => expect(listInDer(bytes)).toBeUndefined())

  it('of the largest size is read without effort', () => {
    const large = new Uint8Array(8 * 1024 * 1024 - 1024)
    large.set(der)
    expect(listInDer(text(Buffer.from(large).toString('hex')))?.length).toBe(large.length)
    expect(listInDer(text(Buffer.from(large).toString('base64')))?.length).toBe(large.length)
  })
})
