import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { readOwnStatement, type OwnStatement } from '../verifiers/tpm/trust/own-certificate.ts'
import { isSimulated } from '../verifiers/x509-ca.ts'
import { parseCertificate } from '../verifiers/x509.ts'
import { createAkAuthority } from './authority.ts'

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const STATEMENT: OwnStatement = {
  mode: 'production',
  akName: `000b${'a1'.repeat(32)}`,
  ekSpkiSha256: 'b2'.repeat(32),
  basis: 'listed',
  listedBy: 'c3'.repeat(32),
}
const subject = {
  publicKey: generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey,
  statement: STATEMENT,
  notBefore: new Date('2026-01-01T00:00:00Z'),
  notAfter: new Date('2026-01-02T00:00:00Z'),
}

describe('the authority for attestation keys', () => {
  it.each(['production', 'demo', 'test'] as const)('says in mode %s what mode it is of, whatever it is told', async (mode) => {
    const authority = createAkAuthority(pair.privateKey, mode)
    const certificate = parseCertificate(await authority.certify(subject))
    expect(readOwnStatement(certificate)).toEqual({ ...STATEMENT, mode })
    const own = parseCertificate(await authority.certificate())
    expect([certificate, own].map(isSimulated)).toEqual([mode !== 'production', mode !== 'production'])
    expect(own.spki).toEqual(authority.spki)
    expect(new X509Certificate(certificate.der).verify(pair.publicKey)).toBe(true)
  })

  it('leaves out the authority of a list where there is none', async () => {
    const statement = { ...STATEMENT, listedBy: null, basis: 'any' } as const
    const der = await createAkAuthority(pair.privateKey, 'production').certify({ ...subject, statement })
    expect(readOwnStatement(parseCertificate(der))).toEqual(statement)
  })

  it('gives no two certificates one serial number', async () => {
    const authority = createAkAuthority(pair.privateKey, 'production')
    const serials = await Promise.all(Array.from({ length: 20 }, async () => parseCertificate(await authority.certify(subject)).serial))
    expect(new Set(serials).size).toBe(20)
    expect(serials.every((serial) => serial > 0n && serial < 2n ** 129n)).toBe(true)
  })
})
