import { describe, expect, it } from 'vitest'
import { DerReader } from './der.ts'
import { AttestationError } from './problems.ts'
import { describeAlgorithm, isAmdPss, readAlgorithm } from './x509-algorithm.ts'

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const read = (hex: string) => DerReader.all(bytes(hex), { what: 'x', code: 'evidence-malformed' }, (r) => readAlgorithm(r, 'algorithm'))
const tlv = (tag: string, hex: string): string => {
  const content = hex.replaceAll(' ', '')
  return `${tag}${(content.length / 2).toString(16).padStart(2, '0')}${content}`
}

describe('signature algorithms', () => {
  const PSS = '06092a864886f70d01010a'
  const SHA384 = '300d 0609608648016503040202 0500'
  const SHA384_BARE = '300b 0609608648016503040202'
  const SHA256 = '300d 0609608648016503040201 0500'
  const MGF1 = '06092a864886f70d010108'
  const pss = (...parts: readonly string[]): string => tlv('30', PSS + tlv('30', parts.join('')))
  const mask = (hash: string, mgf = MGF1): string => tlv('a1', tlv('30', mgf + hash))
  const hash = (algorithm: string): string => tlv('a0', algorithm)
  const salt = (hex: string): string => tlv('a2', tlv('02', hex))

  it.each([
    ['as AMD writes it now', pss(hash(SHA384), mask(SHA384), salt('30'))],
    ['as AMD wrote it, trailer included', pss(hash(SHA384), mask(SHA384), salt('30'), tlv('a3', '020101'))],
    ['without NULL parameters', pss(hash(SHA384_BARE), mask(SHA384_BARE), salt('30'))],
  ])('%s', (_, hex) => {
    const algorithm = read(hex)
    expect(algorithm.pss).toEqual({ hash: 'sha384', saltLength: 48 })
    expect(isAmdPss(algorithm, read(hex))).toBe(true)
  })

  it.each([
    ['defaults, which are SHA-1', pss()],
    ['a hash of SHA-256', pss(hash(SHA256), mask(SHA384), salt('30'))],
    ['a mask of SHA-256', pss(hash(SHA384), mask(SHA256), salt('30'))],
    ['SHA-256 throughout', pss(hash(SHA256), mask(SHA256), salt('30'))],
    ['another mask function', pss(hash(SHA384), mask(SHA384, '06092a864886f70d010109'), salt('30'))],
    ['no mask', pss(hash(SHA384), salt('30'))],
    ['the default salt', pss(hash(SHA384), mask(SHA384))],
    ['a salt of 32', pss(hash(SHA384), mask(SHA384), salt('20'))],
    ['a negative salt', pss(hash(SHA384), mask(SHA384), salt('d0'))],
    ['another trailer', pss(hash(SHA384), mask(SHA384), salt('30'), tlv('a3', '020102'))],
    ['PKCS#1 v1.5', tlv('30', '06092a864886f70d01010c0500')],
  ])('are not AMD’s with %s', (_, hex) => expect(isAmdPss(read(hex), read(hex))).toBe(false))

  it('must be written alike inside and outside', () => {
    const now = read(pss(hash(SHA384), mask(SHA384), salt('30')))
    expect(isAmdPss(now, read(pss(hash(SHA384), mask(SHA384), salt('30'), tlv('a3', '020101'))))).toBe(false)
    expect(isAmdPss(now, read(tlv('30', '06092a864886f70d01010c0500')))).toBe(false)
  })

  it.each([
    ['parameters that are no sequence', tlv('30', `${PSS}0500`)],
    ['no parameters', tlv('30', PSS)],
    ['a field twice', pss(hash(SHA384), hash(SHA384), mask(SHA384), salt('30'))],
    ['fields in another order', pss(mask(SHA384), hash(SHA384), salt('30'))],
    ['something behind the parameters', tlv('30', `${PSS}${tlv('30', '')}0500`)],
    ['a hash with other parameters', pss(hash('300e 0609608648016503040202 020100'), mask(SHA384), salt('30'))],
  ])('are malformed with %s', (_, hex) => expect(() => read(hex)).toThrow(AttestationError))

  it('are described for people', () => {
    expect(describeAlgorithm(read(pss(hash(SHA384), mask(SHA384), salt('30'))))).toBe('RSASSA-PSS sha384, salt 48')
    expect(describeAlgorithm(read(tlv('30', '06092a864886f70d01010c0500')))).toBe('1.2.840.113549.1.1.12')
  })
})
