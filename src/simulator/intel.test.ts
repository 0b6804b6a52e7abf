import { spawnSync } from 'node:child_process'
import { verify, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readVendorDocument } from '../verifiers/tdx/document.ts'
import { pem } from './envelopes.ts'
import { p256Keys, type IntelRole } from './intel-authorities.ts'
import { platformAt, platformLevels } from './intel-levels.ts'
import { fakeIntel, intelAddresses, intelCollateral, intelDocument, pckCrlDocument } from './intel.ts'

const intel = fakeIntel({ now: new Date('2026-06-01T12:00:00Z') })
let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'assay-intel-'))
})
afterAll(() => rmSync(dir, { recursive: true }))

const x509 = (der: Uint8Array) => new X509Certificate(der)
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const openssl = (args: string[]): string => {
  const run = spawnSync('openssl', args, { encoding: 'utf8' })
  return run.stdout + run.stderr
}
const file = (name: string, content: Uint8Array | string): string => {
  const path = join(dir, name)
  writeFileSync(path, content)
  return path
}
const shown = (der: Uint8Array) => openssl(['x509', '-in', file('shown.pem', pem(der)), '-noout', '-text'])
const ROLES: readonly IntelRole[] = ['root', 'platform', 'processor', 'tcb-signing']

describe('the fake Intel’s authorities', () => {
  it('are signed by the root, which signs itself', () => {
    const root = x509(intel.authority('root').der)
    for (const role of ROLES) {
      const certificate = x509(intel.authority(role).der)
      expect([role, certificate.verify(root.publicKey), certificate.checkIssued(root)]).toEqual([role, true, true])
    }
    expect(ROLES.map((role) => x509(intel.authority(role).der).ca)).toEqual([true, true, true, false])
  })

  it('have Intel’s names, extensions and key usages as OpenSSL reads them', () => {
    const text = shown(intel.authority('platform').der)
    expect(text).toContain('Subject: CN = Intel SGX PCK Platform CA, O = Intel Corporation, L = Santa Clara, ST = CA, C = US')
    expect(text).toContain('Issuer: CN = Intel SGX Root CA, O = Intel Corporation, L = Santa Clara, ST = CA, C = US')
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign\n/)
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/)
    expect(text).toMatch(
      /CRL Distribution Points: \s+Full Name:\s+URI:https:\/\/certificates.trustedservices.intel.com\/IntelSGXRootCA.der/,
    )
    expect(text).toContain('ecdsa-with-SHA256')
    const [signer, root] = [shown(intel.authority('tcb-signing').der), shown(intel.authority('root').der)]
    expect(signer).toMatch(/Key Usage: critical\s+Digital Signature, Non Repudiation\n[^]*CA:FALSE/)
    expect(root).toContain('CA:TRUE, pathlen:1')
    const [own] = /(?<=Subject Key Identifier: \s+)[0-9A-F:]+/.exec(root) ?? []
    expect([root, text, signer].map((each) => /(?<=Authority Key Identifier: \s+)[0-9A-F:]+/.exec(each)?.[0])).toEqual([own, own, own])
  })

  it('mint chains that OpenSSL verifies, and refuses for their marker', () => {
    const { chain } = intel.pck()
    const [leaf = '', ca = '', root = ''] = chain.map((der, index) => file(`${index}.pem`, pem(der)))
    expect(openssl(['verify', '-ignore_critical', '-CAfile', root, '-untrusted', ca, leaf])).toContain(': OK')
    expect(openssl(['verify', '-CAfile', root, '-untrusted', ca, leaf])).toContain('unhandled critical extension')
  })

  it('are test anchors, and no two Intels are one', () => {
    const [anchor] = intel.anchors()
    expect(anchor?.origin).toBe('test')
    expect(
      Buffer.from(anchor?.spki ?? []).equals(x509(intel.authority('root').der).publicKey.export({ type: 'spki', format: 'der' })),
    ).toBe(true)
    expect(fakeIntel().anchors()).not.toEqual(intel.anchors())
  })

  it('certify anew under any other name, key, issuer and algorithm', () => {
    const again = x509(intel.reissue('platform').der)
    expect(again.publicKey.equals(intel.authority('platform').publicKey)).toBe(true)
    const odd = intel.reissue('platform', {
      commonName: 'Somebody',
      keys: p256Keys(),
      signedBy: intel.authority('processor'),
      scheme: 'ecdsa-sha384',
      extensions: (standard) => standard.slice(0, 2),
      marker: 'omit',
    })
    expect(x509(odd.der).verify(intel.authority('processor').publicKey)).toBe(true)
    const text = shown(odd.der)
    expect(text).toContain('Subject: CN = Somebody, O = Intel')
    expect(text).toContain('Issuer: CN = Intel SGX PCK Processor CA')
    expect(text).toContain('ecdsa-with-SHA384')
    expect(text).not.toContain('Subject Key Identifier')
  })
})

describe('a PCK of the fake Intel', () => {
  it('says of its platform what was asked', () => {
    const pck = intel.pck({ fmspc: Buffer.from('a0b1c2d3e4f5', 'hex'), pcesvn: 300, sgxType: 2, configuration: { smtEnabled: false } })
    const hex = Buffer.from(pck.der).toString('hex')
    expect(hex).toContain('3014060a2a864886f84d010d01040406a0b1c2d3e4f5')
    expect(hex).toContain('3011060b2a864886f84d010d0102110202012c')
    expect(hex).toContain('300f060a2a864886f84d010d01050a0102')
    expect(hex).toContain('060b2a864886f84d010d010703010100')
    expect(hex).not.toContain('060b2a864886f84d010d01070101')
    expect(intel.knows('a0b1c2d3e4f5')).toBe(true)
    expect(intel.knows('a0b1c2d3e4f6')).toBe(false)
  })

  it('of the Processor CA has neither instance id nor configuration', () => {
    const pck = intel.pck({ ca: 'processor' })
    expect(x509(pck.der).verify(intel.authority('processor').publicKey)).toBe(true)
    const hex = Buffer.from(pck.der).toString('hex')
    expect([hex.includes('2a864886f84d010d0106'), hex.includes('2a864886f84d010d0107')]).toEqual([false, false])
    expect(hex).toContain('2a864886f84d010d0105')
  })

  it('can have any entry wrong', () => {
    const dropped = intel.pck({ sgx: { entries: (all) => all.slice(1), tcb: (all) => all.slice(0, 17), configuration: () => [] } })
    const hex = Buffer.from(dropped.der).toString('hex')
    expect(hex).not.toContain('060a2a864886f84d010d01010410')
    expect(hex).not.toContain('2a864886f84d010d010212')
    expect(hex).toContain('300e060a2a864886f84d010d01073000')
  })
})

describe('revocation lists of the fake Intel', () => {
  it.each(['root', 'platform', 'processor'] as const)('of %s verify as OpenSSL reads them', (issuer) => {
    const list = file('list.der', intel.crl({ issuer, revoked: [5n, 2n ** 159n] }))
    const ca = file('ca.pem', pem(intel.authority(issuer).der))
    const text = openssl(['crl', '-inform', 'der', '-in', list, '-noout', '-text', '-CAfile', ca])
    expect(text).toContain('verify OK')
    expect(text).toMatch(/CRL Number: \s+1\n/)
    expect(text).toContain('Authority Key Identifier')
    expect(text).toContain(`Serial Number: 80${'00'.repeat(19)}`)
    expect(text).toContain('Key Compromise')
  })

  it('may have other dates, entries and signers', () => {
    const request = { thisUpdate: new Date('2026-01-01T00:00:00Z'), nextUpdate: 'absent' } as const
    const forged = intel.crl({ issuer: 'platform', ...request, overrides: { signWith: intel.authority('root'), extensions: () => [] } })
    const ca = file('ca.pem', pem(intel.authority('platform').der))
    const text = openssl(['crl', '-inform', 'der', '-in', file('list.der', forged), '-noout', '-text', '-CAfile', ca])
    expect(text).toContain('verify failure')
    expect(text).toContain('Next Update: NONE')
    expect(text).not.toContain('CRL Number')
    const { issuerChain } = pckCrlDocument(intel, { issuer: 'processor' })
    expect(x509(issuerChain).subject).toContain('Processor CA')
  })
})

type Signed = { tcbInfo?: Record<string, unknown>; enclaveIdentity?: Record<string, unknown>; signature: string }
const parsed = (body: Uint8Array) => JSON.parse(textOf(body)) as Signed

function verifies(body: Uint8Array, key = intel.authority('tcb-signing').publicKey): boolean {
  const [, value = '', signature = ''] = /^\{"\w+":(.*),"signature":"([0-9a-f]{128})"\}$/s.exec(textOf(body)) ?? []
  return verify('sha256', Buffer.from(value), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'hex'))
}

describe('signed documents of the fake Intel', () => {
  it('are signed over their exact text and bring the signer’s chain', () => {
    for (const document of [intel.tcbInfo(), intel.qeIdentity(), intel.tcbInfo({ tee: 'sgx', version: 2 })]) {
      expect(verifies(document.body)).toBe(true)
      expect(verifies(Buffer.from(textOf(document.body).replace('":', '": ')))).toBe(false)
      const certificates = textOf(document.issuerChain).split(/(?<=-----END CERTIFICATE-----\n)/)
      expect(certificates.map((each) => x509(Buffer.from(each)).serialNumber.length)).toHaveLength(2)
    }
  })

  it('hold levels of every status, each reached by the platform of its name', () => {
    const levels = platformLevels('standard')
    expect(levels.map(({ status }) => status)).toEqual([
      'UpToDate',
      'SWHardeningNeeded',
      'ConfigurationNeeded',
      'ConfigurationAndSWHardeningNeeded',
      'OutOfDate',
      'OutOfDateConfigurationNeeded',
      'Revoked',
    ])
    for (const { status, sgx, pcesvn } of levels) expect(platformAt(status as 'UpToDate')).toEqual({ components: sgx, pcesvn })
    expect(platformAt('none').components[7]).toBeLessThan(levels.at(-1)?.sgx[7] ?? 0)
  })

  it('know early of what is to come', () => {
    const [standard, early] = [platformLevels('standard'), platformLevels('early')]
    expect([early.length, early[0]?.status, early[1]?.status]).toEqual([standard.length + 1, 'UpToDate', 'OutOfDate'])
    expect(early[1]?.sgx).toEqual(standard[0]?.sgx)
    const numbers = (['standard', 'early'] as const).map(
      (update) => parsed(intel.tcbInfo({ update }).body).tcbInfo?.['tcbEvaluationDataNumber'],
    )
    expect(numbers).toEqual([20, 21])
  })

  it('follow the shape of their version and technology', () => {
    const info = (request: Parameters<typeof intel.tcbInfo>[0]) => parsed(intel.tcbInfo(request).body).tcbInfo ?? {}
    const [tdx, sgx, old] = [info({}), info({ tee: 'sgx' }), info({ tee: 'sgx', version: 2 })]
    expect([tdx['id'], tdx['issueDate'], tdx['nextUpdate']]).toEqual(['TDX', '2026-06-01T11:00:00Z', '2026-07-01T11:00:00Z'])
    expect(Object.keys(tdx)).toEqual(expect.arrayContaining(['tdxModule', 'tdxModuleIdentities']))
    expect(Object.keys(sgx)).not.toContain('tdxModule')
    expect(JSON.stringify(sgx)).not.toContain('tdxtcbcomponents')
    expect([old['id'], old['version']]).toEqual([undefined, 2])
    expect(JSON.stringify(old)).toContain('"sgxtcbcomp08svn":9,')
    expect(Object.keys(info({ modules: 'absent' }))).not.toContain('tdxModuleIdentities')
    expect(parsed(intel.qeIdentity({ tee: 'sgx' }).body).enclaveIdentity).toMatchObject({ id: 'QE', isvprodid: 1 })
  })

  it('can be wrong in any way and signed all the same', () => {
    const changed = intel.tcbInfo({
      change: (info) => ({ ...info, tcbType: 1 }),
      text: (json) => json.replace('"version":3', '"version":3,"version":3'),
    })
    expect(verifies(changed.body)).toBe(true)
    expect(textOf(changed.body)).toContain('"version":3,"version":3')
    expect(textOf(changed.body)).toContain('"tcbType":1')
    const wrapped = intel.qeIdentity({ wrap: (text, signature) => `{"signature":"${signature}","x":${text}}`, chain: [] })
    expect([textOf(wrapped.body).startsWith('{"signature"'), wrapped.issuerChain.length]).toEqual([true, 0])
    expect(verifies(intel.tcbInfo({ signWith: intel.authority('root').privateKey }).body)).toBe(false)
  })

  it('are at hand for every address of a platform', () => {
    const documents = intelCollateral(intel, { updates: ['standard', 'early'] })
    expect([...documents.keys()]).toEqual(intelAddresses({ updates: ['standard', 'early'] }))
    expect(documents.size).toBe(6)
    const tcbInfo = readVendorDocument(documents.get('intel/tcb-info/tdx/00806f050000/early') ?? new Uint8Array())
    expect(parsed(tcbInfo.body).tcbInfo).toMatchObject({ fmspc: '00806f050000', tcbEvaluationDataNumber: 21 })
    expect(readVendorDocument(documents.get('intel/root-ca-crl') ?? new Uint8Array()).issuerChain.length).toBe(0)
    expect(() => intelDocument(intel, 'amd/ark')).toThrow('no address of Intel')
  })
})
