import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { AttestationError } from '../problems.ts'
import { openSignedJson, type SignedKind } from './signed-json.ts'

const KIND: SignedKind = { member: 'tcbInfo', malformed: 'tdx-tcb-info-malformed', unsigned: 'tdx-tcb-info-invalid-signature' }
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const signatureOf = (text: string): string =>
  sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('hex')
const bodyText = (text: string, signature = signatureOf(text)): string => `{"tcbInfo":${text},"signature":"${signature}"}`
const bodyOf = (text: string, signature?: string): Uint8Array => new Uint8Array(Buffer.from(bodyText(text, signature)))

function outcome(body: Uint8Array, key = publicKey): string {
  try {
    const value = openSignedJson(body, KIND, key)
    return value instanceof Map ? 'read' : 'read something else'
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return error.code
  }
}

const TEXT = '{"a": 1.50, "é":"€\\u20ac"}'

describe('a signed document', () => {
  it('is verified over its exact bytes, whatever stands around them', () => {
    expect(outcome(bodyOf(TEXT))).toBe('read')
    expect(outcome(new Uint8Array(Buffer.from(` { "signature" : "${signatureOf(TEXT).toUpperCase()}" ,\n"tcbInfo" : ${TEXT} } \n`)))).toBe(
      'read',
    )
  })

  it.each([
    ['white space', TEXT.replace('1.50,', '1.50 ,')],
    ['another spelling of a number', TEXT.replace('1.50', '1.5')],
    ['another spelling of a character', TEXT.replace('\\u20ac', '€')],
    ['the text as the language would write it', JSON.stringify(JSON.parse(TEXT))],
  ])('is not signed with %s', (_, text) => {
    expect(outcome(bodyOf(text, signatureOf(TEXT)))).toBe('tdx-tcb-info-invalid-signature')
  })

  it.each([
    ['a third member', `{"tcbInfo":${TEXT},"signature":"${signatureOf(TEXT)}","x":1}`],
    ['no document', `{"signature":"${signatureOf(TEXT)}"}`],
    ['no signature', `{"tcbInfo":${TEXT}}`],
    ['a document of another name', `{"enclaveIdentity":${TEXT},"signature":"${signatureOf(TEXT)}"}`],
    ['a second document', `{"tcbInfo":${TEXT},"signature":"${signatureOf(TEXT)}","tcbInfo":${TEXT}}`],
    ['126 digits', `{"tcbInfo":${TEXT},"signature":"${signatureOf(TEXT).slice(2)}"}`],
    ['130 digits', `{"tcbInfo":${TEXT},"signature":"${signatureOf(TEXT)}00"}`],
    ['a digit that is none', `{"tcbInfo":${TEXT},"signature":"g${signatureOf(TEXT).slice(1)}"}`],
    ['a signature that is no text', `{"tcbInfo":${TEXT},"signature":1}`],
    ['a list', `[${TEXT}]`],
    ['nothing', ''],
    ['something behind it', `{"tcbInfo":${TEXT},"signature":"${signatureOf(TEXT)}"}{}`],
    ['a member twice inside', bodyText('{"a":1,"a":1}')],
  ])('is malformed with %s', (_, text) => {
    expect(outcome(new Uint8Array(Buffer.from(text)))).toBe('tdx-tcb-info-malformed')
  })

  it.each([
    ['zeros', '0'.repeat(128)],
    ['r of zero', `${'0'.repeat(64)}${signatureOf(TEXT).slice(64)}`],
    ['s of zero', `${signatureOf(TEXT).slice(0, 64)}${'0'.repeat(64)}`],
    ['all ones', 'f'.repeat(128)],
  ])('is not signed by %s', (_, signature) => {
    expect(outcome(bodyOf(TEXT, signature))).toBe('tdx-tcb-info-invalid-signature')
  })

  it('is not signed by another key, nor by one of another curve', () => {
    expect(outcome(bodyOf(TEXT), generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)).toBe('tdx-tcb-info-invalid-signature')
    expect(outcome(bodyOf(TEXT), generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey)).toBe('tdx-tcb-info-invalid-signature')
  })

  it('never succeeds with a bit flipped, nor cut short', () => {
    const whole = bodyOf(TEXT)
    const flips = [...whole.keys()].flatMap((at) =>
      [0x01, 0x80].map((bit) => whole.map((byte, index) => (index === at ? byte ^ bit : byte))),
    )
    const cuts = [...whole.keys()].map((length) => whole.subarray(0, length))
    const codes = new Set([...flips, ...cuts].map((body) => outcome(body)))
    expect([...codes].toSorted()).toEqual(['tdx-tcb-info-invalid-signature', 'tdx-tcb-info-malformed'])
  })
})
