import { spawnSync } from 'node:child_process'
import { X509Certificate, createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SNP_PRODUCTS } from '../verifiers/snp/address.ts'
import { fakeAmd, SIM_CSP_ID, type FakeAmd } from './amd.ts'
import { pem } from './envelopes.ts'
import { VEK_OID } from './veks.ts'

/** Design section 5, written out; OpenSSL encodes it in the test. */
const MARKER = '2.25.291172566907466161648125306256757391295.1'

let amd: FakeAmd
let dir: string
beforeAll(async () => {
  amd = await fakeAmd()
  dir = mkdtempSync(join(tmpdir(), 'assay-amd-'))
})
afterAll(() => rmSync(dir, { recursive: true }))

const x509 = (der: Uint8Array) => new X509Certificate(der)
const openssl = (args: string[]): string => {
  const run = spawnSync('openssl', args, { encoding: 'utf8' })
  return run.stdout + run.stderr
}
const file = (name: string, der: Uint8Array, label?: string): string => {
  const path = join(dir, name)
  writeFileSync(path, pem(der, label))
  return path
}
const text = (der: Uint8Array) => openssl(['x509', '-in', file('text.pem', der), '-noout', '-text'])

const keyDigest = (der: Uint8Array) =>
  createHash('sha256')
    .update(x509(der).publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')

const bits = (of: FakeAmd) => of.authority('Turin', 'ark').publicKey.asymmetricKeyDetails?.modulusLength

describe.each(SNP_PRODUCTS)('the fake AMD’s %s', (product) => {
  it.each(['ask', 'asvk'] as const)('mints an %s that Node verifies under the ARK', (role) => {
    const [ark, intermediate] = [x509(amd.root(product)), x509(amd.intermediate(product, role))]
    expect(ark.verify(ark.publicKey)).toBe(true)
    expect(intermediate.verify(ark.publicKey)).toBe(true)
    expect(intermediate.checkIssued(ark)).toBe(true)
    expect(intermediate.ca).toBe(true)
  })

  it('mints VEKs that Node verifies under their own intermediate only', () => {
    const [ask, asvk] = [amd.authority(product, 'ask').publicKey, amd.authority(product, 'asvk').publicKey]
    const [vcek, vlek] = [x509(amd.vcek({ product }).der), x509(amd.vlek({ product }).der)]
    expect([vcek.verify(ask), vcek.verify(asvk), vlek.verify(ask), vlek.verify(asvk)]).toEqual([true, false, false, true])
  })

  it('mints chains that OpenSSL verifies, and refuses for their marker', () => {
    const ark = file('ark.pem', amd.root(product))
    const ask = file('ask.pem', amd.intermediate(product, 'ask'))
    const vcek = file('vcek.pem', amd.vcek({ product }).der)
    const chain = ['-CAfile', ark, '-untrusted', ask, vcek]
    expect(openssl(['verify', '-ignore_critical', ...chain])).toContain(': OK')
    expect(openssl(['verify', ...chain])).toContain('unhandled critical extension')
  })

  it('signs lists that OpenSSL verifies under the ARK', () => {
    const list = file('list.pem', amd.crl({ product, number: 7n, revoked: [0x30001n, 0xffn] }), 'X509 CRL')
    const shown = openssl(['crl', '-in', list, '-noout', '-text', '-CAfile', file('ark.pem', amd.root(product))])
    expect(shown).toContain('verify OK')
    expect(shown).toContain('Version 2')
    expect(shown).toMatch(/X509v3 CRL Number: \n\s+7\n/)
    expect(shown).toMatch(/Serial Number: 030001[^]*Serial Number: FF/)
    expect(shown).toContain(`CN = ARK-${product}`)
  })

  it('publishes anchors that are its certificates’ keys', () => {
    const anchors = amd.anchors().filter((a) => a.product === product)
    expect(anchors.map((a) => [a.role, a.commonName, a.origin])).toEqual([
      ['ark', `ARK-${product}`, 'test'],
      ['ask', `SEV-${product}`, 'test'],
      ['asvk', `SEV-VLEK-${product}`, 'test'],
    ])
    for (const anchor of anchors) {
      const certificate = x509(amd.authority(product, anchor.role).der)
      expect(Buffer.from(anchor.spki)).toEqual(certificate.publicKey.export({ type: 'spki', format: 'der' }))
      expect(BigInt(`0x${certificate.serialNumber}`)).toBe(anchor.serial)
      expect(certificate.validFromDate).toEqual(anchor.notBefore)
      expect(certificate.validToDate).toEqual(anchor.notAfter)
    }
  })
})

describe('a certificate of the fake AMD', () => {
  it('has AMD’s names, algorithm and serial number', () => {
    const shown = text(amd.vcek({ product: 'Milan' }).der)
    expect(shown).toContain('Serial Number: 0 (0x0)')
    expect(shown).toContain('Subject: OU = Engineering, C = US, L = Santa Clara, ST = CA, O = Advanced Micro Devices, CN = SEV-VCEK')
    expect(shown).toContain('CN = SEV-Milan')
    expect(shown).toMatch(/rsassaPss[^]*Hash Algorithm: sha384[^]*mgf1 with sha384[^]*Salt Length: 0x30/)
    expect(shown).toContain('secp384r1')
  })

  it('carries the marker as a critical extension whose bytes are exact', () => {
    expect(openssl(['asn1parse', '-genstr', `OID:${MARKER}`, '-noout', '-out', join(dir, 'oid')])).toBe('')
    const oid = readFileSync(join(dir, 'oid'))
    const critical = Buffer.concat([oid, Buffer.from('0101ff04020500', 'hex')])
    for (const der of [amd.root('Genoa'), amd.intermediate('Genoa', 'asvk'), amd.vcek({ product: 'Genoa' }).der])
      expect(Buffer.from(der).includes(critical)).toBe(true)
    const plain = amd.vcek({ product: 'Genoa', overrides: { marker: 'omit' } }).der
    expect(Buffer.from(plain).includes(oid)).toBe(false)
  })

  it('names the chip raw in a VCEK and the provider in a VLEK', () => {
    const hwid = new Uint8Array(64).fill(0x04)
    expect(Buffer.from(amd.vcek({ product: 'Milan', hwid }).der).includes(Buffer.from([0x04, 0x40, ...hwid]))).toBe(true)
    const vlek = amd.vlek({ product: 'Milan' })
    expect(Buffer.from(vlek.der).includes(SIM_CSP_ID)).toBe(true)
    expect(vlek.hwid).toEqual(new Uint8Array(64))
  })

  it('can be made wrong in any part', () => {
    const other = amd.authority('Genoa', 'ask')
    const overrides = { commonName: 'SEV-VLEK', signedBy: other, serial: 5n, extensions: () => [] }
    const certificate = x509(amd.vcek({ product: 'Milan', overrides }).der)
    expect(certificate.verify(other.publicKey)).toBe(true)
    expect(certificate.issuer).toContain('CN=SEV-Genoa')
    expect(certificate.subject).toContain('CN=SEV-VLEK')
    expect(certificate.serialNumber).toBe('05')
    expect(text(amd.vcek({ product: 'Milan', overrides: { scheme: 'pkcs1-sha384' } }).der)).toContain('sha384WithRSAEncryption')
    expect(text(amd.vcek({ product: 'Milan', overrides: { scheme: 'pss-sha256' } }).der)).toContain('Hash Algorithm: sha256')
    expect(text(amd.vcek({ product: 'Milan', overrides: { scheme: 'pss-sha384-salt20' } }).der)).toContain('Salt Length: 0x14')
    const without = amd.vcek({ product: 'Milan', overrides: { extensions: (all) => all.filter((e) => e.oid !== VEK_OID.hwid) } })
    expect(text(without.der)).not.toMatch(/1\.3\.6\.1\.4\.1\.3704\.1\.4:/)
  })
})

describe('keys of the fake AMD', () => {
  it('are as large as asked for', async () => {
    const [small, large] = [amd, await fakeAmd({ products: ['Turin'], rsaBits: 3072 })]
    expect([bits(small), bits(large)]).toEqual([2048, 3072])
    expect(x509(large.vcek({ product: 'Turin' }).der).verify(large.authority('Turin', 'ask').publicKey)).toBe(true)
  })

  it('are the same for the same chip and TCB, in a new certificate, and others elsewhere', () => {
    const hwid = new Uint8Array(64).fill(9)
    const first = amd.vcek({ product: 'Milan', hwid })
    const again = amd.vcek({ product: 'Milan', hwid })
    const older = amd.vcek({ product: 'Milan', hwid, tcb: { ...first.tcb, snp: 1 } })
    expect(again.der).not.toEqual(first.der)
    expect(keyDigest(again.der)).toBe(keyDigest(first.der))
    expect(keyDigest(older.der)).not.toBe(keyDigest(first.der))
    expect(amd.knows('Milan', '09'.repeat(64))).toBe(true)
    expect(amd.knows('Genoa', '09'.repeat(64))).toBe(false)
  })

  it('of another fake AMD differ, though the names are the same', async () => {
    const lookalike = await fakeAmd({ products: ['Milan'] })
    expect(x509(lookalike.root('Milan')).subject).toBe(x509(amd.root('Milan')).subject)
    expect(x509(lookalike.intermediate('Milan', 'ask')).verify(x509(amd.root('Milan')).publicKey)).toBe(false)
    expect(() => lookalike.root('Turin')).toThrow('no Turin')
  })

  it('certify an intermediate again with other extensions', () => {
    const again = x509(amd.reissue('Milan', 'ask', { extensions: () => [] }))
    expect(again.ca).toBe(false)
    expect(again.verify(x509(amd.root('Milan')).publicKey)).toBe(true)
    expect(again.publicKey.equals(x509(amd.intermediate('Milan', 'ask')).publicKey)).toBe(true)
  })
})
