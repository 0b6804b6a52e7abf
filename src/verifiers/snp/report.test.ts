import { assert, constantFrom, property, tuple, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { reportBytes, type Patch } from '../../../test/snp-report-bytes.ts'
import { AttestationError } from '../problems.ts'
import type { Check } from '../verifier.ts'
import { parseReport, readReport } from './report.ts'

/** The error with which bytes are refused; undefined when they are read. */
function refusalOf(bytes: Uint8Array): AttestationError | undefined {
  try {
    parseReport(bytes)
    return undefined
  } catch (error) {
    if (error instanceof AttestationError) return error
    throw error
  }
}

function refused(bytes: Uint8Array): void {
  expect(refusalOf(bytes)).toBeInstanceOf(AttestationError)
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const N = 'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973'
const littleEndian = (text: string): string => Buffer.from(Buffer.from(text, 'hex').toReversed()).toString('hex')

describe('parseReport', () => {
  it('reads every field of version 5 at its offset', () => {
    const patches: readonly Patch[] = [
      [0x004, '0b000100'],
      [0x008, '1f003b0200000000'],
      [0x010, '0f'.repeat(16)],
      [0x020, '1a'.repeat(16)],
      [0x030, '02'],
      [0x038, '05000000000019dc'],
      [0x040, '67'],
      [0x048, '05'],
      [0x0c0, '4d'.repeat(32)],
      [0x0e0, '1d'.repeat(48)],
      [0x110, 'a7'.repeat(48)],
      [0x1e0, '04000000000017db'],
      [0x1e8, '3d3701003c360100'],
      [0x1f0, '03000000000016da'],
      [0x1f8, '0b00000000000000'],
      [0x200, '0f00000000000080'],
    ]
    const bytes = reportBytes({ version: 5, patches })
    expect({ ...parseReport(bytes), signed: undefined, signature: undefined }).toEqual({
      version: 5,
      guestSvn: 65547,
      policy: 0x23b001fn,
      familyId: new Uint8Array(16).fill(0x0f),
      imageId: new Uint8Array(16).fill(0x1a),
      vmpl: 2,
      signatureAlgo: 1,
      currentTcb: new Uint8Array(Buffer.from('05000000000019dc', 'hex')),
      platformInfo: 0x67n,
      keyInfo: 5,
      authorKeyEn: true,
      maskChipKey: false,
      signingKey: 'vlek',
      reportData: new Uint8Array(64).fill(0xd1),
      measurement: new Uint8Array(48).fill(0xa1),
      hostData: new Uint8Array(32).fill(0x4d),
      idKeyDigest: new Uint8Array(48).fill(0x1d),
      authorKeyDigest: new Uint8Array(48).fill(0xa7),
      reportId: new Uint8Array(32).fill(0x4e),
      reportIdMa: new Uint8Array(32).fill(0xff),
      reportedTcb: new Uint8Array(Buffer.from('04000000000018db', 'hex')),
      cpuid: { family: 0x19, model: 1, stepping: 1 },
      chipId: new Uint8Array(64).fill(0xc1),
      committedTcb: new Uint8Array(Buffer.from('04000000000017db', 'hex')),
      currentVersion: '1.55.61',
      committedVersion: '1.54.60',
      launchTcb: new Uint8Array(Buffer.from('03000000000016da', 'hex')),
      launchMitVector: 11n,
      currentMitVector: 0x800000000000000fn,
      signed: undefined,
      signature: undefined,
    })
  })

  it('keeps the signed bytes as received and turns R and S to big-endian', () => {
    const bytes = reportBytes({ patches: [[0x2a0, `01${'11'.repeat(46)}02`] as const, [0x2e8, `03${'22'.repeat(46)}04`] as const] })
    const report = parseReport(bytes)
    expect(hex(report.signed)).toBe(hex(bytes.subarray(0, 0x2a0)))
    expect(hex(report.signature)).toBe(`02${'11'.repeat(46)}0104${'22'.repeat(46)}03`)
  })

  it('holds copies: changing the bytes afterwards changes nothing', () => {
    const bytes = reportBytes()
    const report = parseReport(bytes)
    bytes.fill(0)
    expect([report.signed[0], report.measurement[0], report.signature[0]]).toEqual([3, 0xa1, 0x11])
  })

  it.each([2, 3, 4, 5])('reads version %i', (version) => {
    const report = parseReport(reportBytes({ version }))
    expect(report.version).toBe(version)
    expect(report.cpuid === null).toBe(version === 2)
    expect(report.launchMitVector).toBe(version < 4 ? null : 0n)
  })

  it('reads Turin', () => expect(parseReport(reportBytes({ product: 'Turin', version: 5 })).cpuid?.family).toBe(0x1a))

  it.each([0, 1, 32, 1183, 1185, 1216])('refuses %i bytes', (length) =>
    expect(refusalOf(new Uint8Array(length))?.code).toBe('snp-report-size'),
  )

  it.each(['00', '01', '06', 'ff', '00000001', '03000001'])('refuses version bytes %s', (version) =>
    expect(refusalOf(reportBytes({ patches: [[0, version]] }))?.code).toBe('snp-report-version-unsupported'),
  )
})

type Row = readonly [what: string, code: string, id: string, options: Parameters<typeof reportBytes>[0]]
const patch = (...patches: readonly Patch[]): { patches: readonly Patch[] } => ({ patches })

/** Each row breaks one rule of an otherwise sound report. */
const ROWS: readonly Row[] = [
  ['reserved 04Ch', 'snp-reserved-nonzero', 'SNP-03', patch([0x4c, '01'])],
  ['reserved 04Fh', 'snp-reserved-nonzero', 'SNP-03', patch([0x4f, '80'])],
  ['reserved 18Bh', 'snp-reserved-nonzero', 'SNP-03', patch([0x18b, '01'])],
  ['reserved 19Fh', 'snp-reserved-nonzero', 'SNP-03', patch([0x19f, '01'])],
  ['reserved 1EBh', 'snp-reserved-nonzero', 'SNP-03', patch([0x1eb, '01'])],
  ['reserved 1EFh', 'snp-reserved-nonzero', 'SNP-03', patch([0x1ef, '01'])],
  ['CPUID bytes in version 2', 'snp-reserved-nonzero', 'SNP-03', { version: 2, ...patch([0x188, '19']) }],
  ['mitigation vector in version 2', 'snp-reserved-nonzero', 'SNP-03', { version: 2, ...patch([0x1f8, '01']) }],
  ['mitigation vector in version 3', 'snp-reserved-nonzero', 'SNP-03', { version: 3, ...patch([0x200, '01']) }],
  ['reserved 208h in version 3', 'snp-reserved-nonzero', 'SNP-03', { version: 3, ...patch([0x208, '01']) }],
  ['reserved 208h in version 4', 'snp-reserved-nonzero', 'SNP-03', { version: 4, ...patch([0x208, '01']) }],
  ['reserved 29Fh in version 5', 'snp-reserved-nonzero', 'SNP-03', { version: 5, ...patch([0x29f, '01']) }],
  ['policy bit 17 clear', 'snp-policy-reserved-bits', 'SNP-04', patch([0x00a, '01'])],
  ['policy bit 26', 'snp-policy-reserved-bits', 'SNP-04', patch([0x00b, '04'])],
  ['policy bit 63', 'snp-policy-reserved-bits', 'SNP-04', patch([0x00f, '80'])],
  ['signature algorithm 0', 'snp-signature-algo-unsupported', 'SNP-05', patch([0x034, '00'])],
  ['signature algorithm 2', 'snp-signature-algo-unsupported', 'SNP-05', patch([0x034, '02'])],
  ['key info bit 5', 'snp-key-info-reserved-bits', 'SNP-06', patch([0x048, '20'])],
  ['key info bit 31', 'snp-key-info-reserved-bits', 'SNP-06', patch([0x04b, '80'])],
  ['signing key 2', 'snp-signing-key-reserved', 'SNP-07', patch([0x048, '08'])],
  ['signing key 6', 'snp-signing-key-reserved', 'SNP-07', patch([0x048, '18'])],
  ['signing key NONE', 'snp-report-unsigned', 'SNP-08', patch([0x048, '1c'])],
  ['masked chip key', 'snp-report-unsigned', 'SNP-08', patch([0x048, '02'])],
  ['VMPL 4', 'snp-vmpl-out-of-range', 'SNP-09', patch([0x030, '04'])],
  ['VMPL of the host', 'snp-vmpl-out-of-range', 'SNP-09', patch([0x030, 'ffffffff'])],
  ['padding of R, first byte', 'snp-signature-out-of-range', 'SNP-10', patch([0x2d0, '01'])],
  ['padding of R, last byte', 'snp-signature-out-of-range', 'SNP-10', patch([0x2e7, '01'])],
  ['padding of S, first byte', 'snp-signature-out-of-range', 'SNP-10', patch([0x318, '01'])],
  ['padding of S, last byte', 'snp-signature-out-of-range', 'SNP-10', patch([0x32f, '01'])],
  ['R = 0', 'snp-signature-out-of-range', 'SNP-10', patch([0x2a0, '00'.repeat(48)])],
  ['S = 0', 'snp-signature-out-of-range', 'SNP-10', patch([0x2e8, '00'.repeat(48)])],
  ['R = n', 'snp-signature-out-of-range', 'SNP-10', patch([0x2a0, littleEndian(N)])],
  ['S = n', 'snp-signature-out-of-range', 'SNP-10', patch([0x2e8, littleEndian(N)])],
  ['S all ones', 'snp-signature-out-of-range', 'SNP-10', patch([0x2e8, 'ff'.repeat(48)])],
  ['tail, first byte', 'snp-reserved-nonzero', 'SNP-10', patch([0x330, '01'])],
  ['tail, last byte', 'snp-reserved-nonzero', 'SNP-10', patch([0x49f, '01'])],
  ['author key bit without digest', 'snp-id-block-inconsistent', 'SNP-17', patch([0x048, '01'], [0x0e0, '1d'])],
  ['author key digest without bit', 'snp-id-block-inconsistent', 'SNP-17', patch([0x110, '01'], [0x0e0, '1d'])],
  ['author key without ID key', 'snp-id-block-inconsistent', 'SNP-17', patch([0x048, '01'], [0x110, '01'])],
  ['unknown family', 'snp-product-unknown', 'SNP-18', patch([0x188, '1b'])],
  ['unknown model', 'snp-product-unknown', 'SNP-18', patch([0x189, '20'])],
  ['Venice', 'snp-product-unsupported', 'SNP-19', patch([0x188, '1a50'])],
  ['CURRENT_TCB reserved', 'snp-tcb-malformed', 'SNP-11', patch([0x03a, '01'])],
  ['REPORTED_TCB reserved', 'snp-tcb-malformed', 'SNP-11', patch([0x182, '01'])],
  ['COMMITTED_TCB reserved', 'snp-tcb-malformed', 'SNP-11', patch([0x1e2, '01'])],
  ['LAUNCH_TCB reserved', 'snp-tcb-malformed', 'SNP-11', patch([0x1f2, '01'])],
  ['LAUNCH_TCB part above 127', 'snp-tcb-malformed', 'SNP-11', patch([0x1f0, '80'])],
  ['Turin-like chip in version 2', 'snp-product-mismatch', 'SNP-20', { version: 2, ...patch([0x1a8, '00'.repeat(56)]) }],
  ['Turin chip of nine bytes', 'snp-chip-id-malformed', 'SNP-21', { product: 'Turin', ...patch([0x1a8, '01']) }],
  ['Turin chip, last byte', 'snp-chip-id-malformed', 'SNP-21', { product: 'Turin', ...patch([0x1df, '01']) }],
]

describe('the structure of a report', () => {
  it.each(ROWS)('refuses %s', (...[, code, id, options]) => {
    const error = refusalOf(reportBytes(options))
    expect(error?.code).toBe(code)
    expect(error?.at).toMatch(/^[A-Z_]+$/)
    const last = error?.checks.at(-1)
    expect(last).toMatchObject({ id, outcome: 'fail', code, origin: 'specification' })
    expect(error?.checks.slice(0, -1).some(({ outcome }: Check) => outcome === 'fail')).toBe(false)
  })

  it('takes the largest numbers of the group', () => {
    const last = littleEndian(`${N.slice(0, -2)}72`)
    expect(refusalOf(reportBytes({ patches: [[0x2a0, last] as const, [0x2e8, last] as const] }))).toBeUndefined()
  })

  it('takes an all-zero chip id in version 2 and on Turin: masked or a VLEK, not Turin-like', () => {
    expect(refusalOf(reportBytes({ version: 2, patches: [[0x1a0, '00'.repeat(64)]] }))).toBeUndefined()
    expect(refusalOf(reportBytes({ product: 'Turin', patches: [[0x1a0, '00'.repeat(64)]] }))).toBeUndefined()
  })

  it('takes a Milan chip id whose tail is zero from version 3 on', () =>
    expect(refusalOf(reportBytes({ patches: [[0x1a8, '00'.repeat(56)]] }))).toBeUndefined())

  it('takes mitigation vectors from version 4 on', () =>
    expect(parseReport(reportBytes({ version: 4, patches: [[0x200, '0b']] })).currentMitVector).toBe(11n))

  it('lists the checks that passed, in the order of the specification', () => {
    const { checks } = readReport(reportBytes())
    expect(checks.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10].map((n) => `SNP-${String(n).padStart(2, '0')}`))
    expect(checks.every((c) => c.outcome === 'pass' && c.actual !== undefined && c.expected !== undefined)).toBe(true)
  })

  it('lets nothing but AttestationError escape, whatever the bytes are', () => {
    assert(property(uint8Array({ maxLength: 2000 }), refused), { seed: 20261123, numRuns: 200 })
    const rightSize = tuple(constantFrom(2, 3, 4, 5), uint8Array({ minLength: 1180, maxLength: 1180 }))
    assert(
      property(rightSize, ([version, rest]) => refused(new Uint8Array([version, 0, 0, 0, ...rest]))),
      { seed: 20261123, numRuns: 200 },
    )
  })
})
