import { beforeAll, describe, expect, it } from 'vitest'
import { GUID, certTableBytes } from '../../../test/cert-table-bytes.ts'
import { reportBytes } from '../../../test/snp-report-bytes.ts'
import { fakeAmd, type FakeAmd } from '../../simulator/amd.ts'
import { signedReport } from '../../simulator/report.ts'
import type { FakeVek } from '../../simulator/veks.ts'
import { AttestationError } from '../problems.ts'
import type { SnpEvidence } from '../verifier.ts'
import { inspectCertificate } from './inspect-certificate.ts'
import { inspectSnp } from './inspect.ts'

const NOW = new Date('2026-11-24T00:00:00Z')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

let amd: FakeAmd
let turin: FakeVek

beforeAll(async () => {
  amd = await fakeAmd({ now: NOW, products: ['Turin'] })
  turin = amd.vcek({ product: 'Turin' })
})

const evidence = (bytes: Uint8Array, more: Partial<SnpEvidence> = {}): SnpEvidence => ({
  type: 'snp',
  form: 'report',
  bytes,
  certificates: [],
  ...more,
})

/** The code with which evidence is refused; undefined when it is shown. */
function codeOf(of: SnpEvidence): string | undefined {
  try {
    inspectSnp(of)
    return undefined
  } catch (error) {
    if (error instanceof AttestationError) return error.code
    throw error
  }
}

describe('inspectSnp', () => {
  it('shows every field of a report, marked as unverified, as plain JSON', () => {
    const bytes = signedReport(turin, { vmpl: 1, platformInfo: 0x67n, policy: 0x3001fn })
    const shown = inspectSnp(evidence(bytes))
    expect(shown.verified).toBe(false)
    expect(JSON.parse(JSON.stringify(shown))).toEqual(shown)
    expect(shown.report).toMatchObject({
      version: 5,
      product: 'Turin',
      vmpl: 1,
      signing_key: 'vcek',
      key_info: '0x0',
      policy: { value: '0x000000000003001f', abi_major: 0, abi_minor: 31, smt_allowed: true, debug_allowed: false },
      platform_info: {
        value: '0x0000000000000067',
        smt_enabled: true,
        tsme_enabled: true,
        alias_check_complete: true,
        unknown_bits: '0x40',
      },
      cpuid: { family: 0x1a, model: 2, stepping: 1 },
      chip_id: hex(turin.hwid).padEnd(128, '0'),
      reported_tcb: { value: hex(bytes.subarray(0x180, 0x188)), parts: turin.tcb },
      launch_tcb: { parts: turin.tcb },
      committed_tcb: { parts: turin.tcb },
      current_tcb: { parts: turin.tcb },
      current_version: '1.55.40',
      launch_mit_vector: '0x0000000000000001',
      current_mit_vector: '0x0000000000000001',
    })
    expect(shown.report.signature.r).toBe(hex(bytes.slice(0x2a0, 0x2d0).toReversed()))
    expect(shown.report.signature.s).toBe(hex(bytes.slice(0x2e8, 0x318).toReversed()))
    expect(shown.checks.every(({ outcome }) => outcome !== 'fail')).toBe(true)
  })

  it('shows a report that verification would refuse, with the check that fails', () => {
    const shown = inspectSnp(evidence(reportBytes({ patches: [[0x048, '1c'] as const, [0x49f, '01'] as const] })))
    expect(shown.report).toMatchObject({ signing_key: 'none', product: 'Milan' })
    expect(shown.checks.at(-1)).toMatchObject({ id: 'SNP-08', outcome: 'fail', code: 'snp-report-unsigned' })
  })

  it.each([
    ['a reserved signing key', [0x048, '0c'], { signing_key: 'reserved 3' }],
    ['an unknown processor', [0x188, '1b'], { product: null, reported_tcb: { value: '04000000000018db', parts: null } }],
    ['Venice', [0x188, '1a50'], { product: 'Venice', reported_tcb: { parts: null } }],
    ['a TCB with reserved bytes', [0x182, '01'], { reported_tcb: { value: '04000100000018db', parts: null } }],
  ] as const)('shows %s', (_, patch, expected) => {
    const shown = inspectSnp(evidence(reportBytes({ patches: [patch] })))
    expect(shown.report).toMatchObject(expected)
    expect(shown.checks.at(-1)?.outcome).toBe('fail')
  })

  it('reads the TCBs of version 2 in the only layout that makes it', () => {
    const { report } = inspectSnp(evidence(reportBytes({ version: 2 })))
    expect(report).toMatchObject({ product: null, cpuid: null, launch_mit_vector: null, current_mit_vector: null })
    expect(report.reported_tcb.parts).toEqual({ bootloader: 4, tee: 0, snp: 24, microcode: 219 })
  })

  it('shows the table and every certificate in it, also those that cannot be read', () => {
    const table = certTableBytes([
      { guid: GUID.vcek, blob: turin.der },
      { guid: GUID.ask, blob: new Uint8Array([1, 2, 3]) },
      { guid: GUID.crl, blob: new Uint8Array([4]) },
      { guid: '11111111-2222-3333-4444-555555555555', blob: new Uint8Array([5]) },
    ])
    const shown = inspectSnp(evidence(signedReport(turin), { certTable: table, certificates: [amd.root('Turin')] }))
    expect(shown.cert_table?.map(({ kind, length }) => [kind, length])).toEqual([
      ['vcek', turin.der.length],
      ['ask', 3],
      ['crl', 1],
      [null, 1],
    ])
    expect(shown.certificates.map(({ at }) => at)).toEqual(['cert_table.vcek', 'cert_table.ask', 'certificates[0]'])
    expect(shown.certificates[0]).toMatchObject({ vek: { kind: 'vcek', tcb: turin.tcb, hwid: hex(turin.hwid), struct_version: 1 } })
    expect(shown.certificates[1]).toMatchObject({ code: 'snp-certificate-malformed' })
    expect(shown.certificates[2]).toMatchObject({ subject: expect.stringContaining('CN=ARK-Turin') })
  })

  it.each([
    ['a report of another size', evidence(new Uint8Array(1183)), 'snp-report-size'],
    ['an unknown version', evidence(reportBytes({ patches: [[0, '06']] })), 'snp-report-version-unsupported'],
    ['a broken envelope', evidence(reportBytes(), { form: 'report_response' }), 'snp-envelope-not-raw'],
    ['a table without an end', evidence(reportBytes(), { certTable: new Uint8Array(3) }), 'snp-cert-table-malformed'],
  ])('refuses %s', (_, of, code) => expect(codeOf(of)).toBe(code))
})

describe('inspectCertificate', () => {
  it('shows every field of a VEK', () => {
    const shown = inspectCertificate(turin.der, 'vcek.der')
    expect(shown).toMatchObject({
      at: 'vcek.der',
      version: 3,
      public_key: 'EC secp384r1',
      signature_algorithm: 'RSASSA-PSS sha384, salt 48',
      issuer: expect.stringContaining('CN=SEV-Turin'),
      subject: expect.stringContaining('CN=SEV-VCEK'),
      vek: { kind: 'vcek', product_name: 'Turin', csp_id: null },
    })
    const names = shown.extensions.map(({ name }) => name)
    expect(names).toEqual(
      expect.arrayContaining(['structVersion', 'productName', 'blSPL', 'teeSPL', 'snpSPL', 'ucodeSPL', 'fmcSPL', 'hwID']),
    )
    // The marker has no name: it is ours, not AMD's.
    expect(shown.extensions.filter(({ name }) => name === null)).toMatchObject([{ critical: true }])
    expect(shown.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(shown.not_after > shown.not_before).toBe(true)
  })

  it('says why an authority is no VEK', () => {
    const shown = inspectCertificate(amd.intermediate('Turin', 'ask'), 'ask.der')
    expect(shown).toMatchObject({ public_key: 'RSA 2048', vek: { code: expect.stringMatching(/^snp-vek-/) } })
  })

  it('shows no public key where none can be read', () => {
    // The curve secp384r1 (1.3.132.0.34) becomes one that nobody knows.
    const der = Buffer.from(turin.der)
    der.set([0x7f], der.indexOf(Buffer.from('06052b81040022', 'hex')) + 6)
    expect(inspectCertificate(new Uint8Array(der), 'x').public_key).toBeNull()
  })

  it('refuses what is no certificate', () => expect(() => inspectCertificate(new Uint8Array([1]), 'x')).toThrowError(AttestationError))
})
