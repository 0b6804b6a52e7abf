import { verify, X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { fakeAmd, type FakeAmd } from './amd.ts'
import { CERT_GUID, certTable, pem, reportResponse } from './envelopes.ts'
import { signedReport, SIM_MEASUREMENT, tcbBytes } from './report.ts'
import type { FakeVek } from './veks.ts'

let amd: FakeAmd
beforeAll(async () => {
  amd = await fakeAmd({ products: ['Milan', 'Turin'] })
})

/** R and S back to big-endian, as specification snp.md section 4 says. */
const signatureOf = (report: Uint8Array): Uint8Array =>
  Buffer.concat([report.subarray(0x2a0, 0x2a0 + 48).toReversed(), report.subarray(0x2e8, 0x2e8 + 48).toReversed()])
const verifies = (vek: FakeVek, report: Uint8Array): boolean =>
  verify(
    'sha384',
    report.subarray(0, 0x2a0),
    { key: new X509Certificate(vek.der).publicKey, dsaEncoding: 'ieee-p1363' },
    signatureOf(report),
  )

describe('a simulated report', () => {
  it.each([2, 3, 4, 5])('of version %i is 1184 bytes and signed by its VEK', (version) => {
    const vek = amd.vcek({ product: 'Milan' })
    const report = signedReport(vek, { version })
    expect(report.length).toBe(1184)
    expect(report[0]).toBe(version)
    expect(verifies(vek, report)).toBe(true)
    expect(report.subarray(0x330).every((b) => b === 0)).toBe(true)
    expect(report.subarray(0x188, 0x18b)).toEqual(version === 2 ? new Uint8Array(3) : Uint8Array.of(0x19, 1, 1))
    expect(report[0x1f8]).toBe(version < 4 ? 0 : 1)
  })

  it('carries the chip and the firmware of its VEK, in the product’s layout', () => {
    const turin = amd.vcek({ product: 'Turin' })
    const report = signedReport(turin)
    expect(report.subarray(0x1a0, 0x1a8)).toEqual(turin.hwid)
    expect(report.subarray(0x1a8, 0x1e0).every((b) => b === 0)).toBe(true)
    for (const at of [0x38, 0x180, 0x1e0, 0x1f0]) expect(report.subarray(at, at + 8)).toEqual(Uint8Array.of(1, 3, 2, 4, 0, 0, 0, 0x47))
    expect(tcbBytes('Milan', { bootloader: 3, tee: 0, snp: 8, microcode: 0x73 })).toEqual(Uint8Array.of(3, 0, 0, 0, 0, 0, 8, 0x73))
  })

  it('of a VLEK says so and masks the chip', () => {
    const vlek = amd.vlek({ product: 'Milan' })
    const report = signedReport(vlek)
    expect(report[0x48]).toBe(0b100)
    expect(report.subarray(0x1a0, 0x1e0).every((b) => b === 0)).toBe(true)
    expect(verifies(vlek, report)).toBe(true)
  })

  it('takes fields, patches under the signature and tampering behind it', () => {
    const vek = amd.vcek({ product: 'Milan' })
    const reportData = new Uint8Array(64).fill(7)
    const report = signedReport(vek, { reportData, currentVersion: '2.3.4', patch: [[0x4c, Uint8Array.of(1)]] })
    expect(report.subarray(0x50, 0x90)).toEqual(reportData)
    expect(report.subarray(0x90, 0xc0)).toEqual(SIM_MEASUREMENT)
    expect(report.subarray(0x1e8, 0x1eb)).toEqual(Uint8Array.of(4, 3, 2))
    expect(report[0x4c]).toBe(1)
    expect(verifies(vek, report)).toBe(true)
    expect(verifies(vek, signedReport(vek, { tamper: [[0x90, Uint8Array.of(1)]] }))).toBe(false)
  })
})

describe('envelopes', () => {
  it('are laid out as the guest driver does', () => {
    const report = signedReport(amd.vcek({ product: 'Milan' }))
    const response = reportResponse(report)
    expect([response.length, Buffer.from(response).readUInt32LE(0), Buffer.from(response).readUInt32LE(4)]).toEqual([1216, 0, 1184])
    const table = Buffer.from(certTable([{ guid: CERT_GUID.vcek, bytes: Uint8Array.of(1, 2, 3) }]))
    expect(table.length).toBe(51)
    expect(table.subarray(0, 16).toString('hex')).toBe(CERT_GUID.vcek.replaceAll('-', ''))
    expect([table.readUInt32LE(16), table.readUInt32LE(20)]).toEqual([48, 3])
    expect(table.subarray(24, 48).every((b) => b === 0)).toBe(true)
    expect(pem(Uint8Array.of(1))).toBe('-----BEGIN CERTIFICATE-----\nAQ==\n-----END CERTIFICATE-----\n')
  })
})
