import { describe, expect, it } from 'vitest'
import { reportBytes, type Patch } from '../../../test/snp-report-bytes.ts'
import { AttestationError } from '../problems.ts'
import { readReport } from './report.ts'
import { judgeIdentity } from './structure-identity.ts'

type Options = Parameters<typeof reportBytes>[0]
const patch = (...patches: readonly Patch[]): Options => ({ patches })

/** Every check of a report’s structure, in order. */
function checksOf(options: Options) {
  const { report, checks } = readReport(reportBytes(options))
  return judgeIdentity(report, checks).checks
}

/** What operators read of the check that refuses a report. */
function refusal(read: () => unknown): string {
  try {
    read()
    return 'read'
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    const last = error.checks.at(-1)
    return `${last?.id} ${error.at} ${error.message}`
  }
}

const RS = `R 0x${'11'.repeat(48)}, S 0x${'22'.repeat(48)}`
const KEYS = 'AUTHOR_KEY_EN set exactly with AUTHOR_KEY_DIGEST, and only with ID_KEY_DIGEST'
const TCB = 'reserved bytes zero, parts other than microcode at most 127'
const ZERO = '00'.repeat(48)

describe('a report that is refused says what was expected and what was found', () => {
  it.each<[rule: string, expected: string, found: string, options: Options]>([
    ['SNP-02 VERSION The report version is supported', '2 to 5', '6', patch([0, '06'])],
    ['SNP-03 RESERVED Reserved bytes of this version are zero', 'zero', 'set in the 4 bytes at 0x4c', patch([0x4f, '80'])],
    ['SNP-03 RESERVED Reserved bytes of this version are zero', 'zero', 'set in the 1 bytes at 0x1ef', patch([0x1ef, '01'])],
    [
      'SNP-04 POLICY Reserved bits of POLICY are as required',
      'bit 17 set, bits 26 to 63 clear',
      '0x0000000000010000',
      patch([0x00a, '01']),
    ],
    ['SNP-05 SIGNATURE_ALGO The signature algorithm is ECDSA P-384 with SHA-384', '1', '2', patch([0x034, '02'])],
    ['SNP-06 KEY_INFO Reserved bits of KEY_INFO are clear', 'bits 5 to 31 clear', '0x20', patch([0x048, '20'])],
    ['SNP-07 KEY_INFO SIGNING_KEY is not reserved', '0 (VCEK), 1 (VLEK) or 7 (NONE)', '6', patch([0x048, '18'])],
    ['SNP-08 KEY_INFO The report is signed', 'SIGNING_KEY 0 or 1, MASK_CHIP_KEY 0', 'SIGNING_KEY 7, MASK_CHIP_KEY 0', patch([0x048, '1c'])],
    ['SNP-08 KEY_INFO The report is signed', 'SIGNING_KEY 0 or 1, MASK_CHIP_KEY 0', 'SIGNING_KEY 0, MASK_CHIP_KEY 1', patch([0x048, '02'])],
    ['SNP-09 VMPL A guest asked for the report', 'VMPL 0 to 3', 'VMPL 4', patch([0x030, '04'])],
    ['SNP-10 SIGNATURE The padding of R and S is zero', 'bytes 48 to 71 zero', 'R set, S zero', patch([0x2d0, '01'])],
    ['SNP-10 SIGNATURE The padding of R and S is zero', 'bytes 48 to 71 zero', 'R zero, S set', patch([0x32f, '01'])],
    [
      'SNP-10 SIGNATURE R and S are numbers of the group',
      '0 < R < n, 0 < S < n',
      `R 0x${ZERO}, S 0x${'22'.repeat(48)}`,
      patch([0x2a0, ZERO]),
    ],
    ['SNP-10 SIGNATURE The unsigned end of the report is zero', 'zero from 0x330 to 0x49f', 'set', patch([0x49f, '01'])],
    [
      'SNP-17 AUTHOR_KEY_DIGEST ID block fields agree with each other',
      KEYS,
      'AUTHOR_KEY_EN 1, AUTHOR_KEY_DIGEST zero, ID_KEY_DIGEST set',
      patch([0x048, '01'], [0x0e0, '1d']),
    ],
    [
      'SNP-17 AUTHOR_KEY_DIGEST ID block fields agree with each other',
      KEYS,
      'AUTHOR_KEY_EN 0, AUTHOR_KEY_DIGEST set, ID_KEY_DIGEST zero',
      patch([0x110, '01']),
    ],
    [
      'SNP-18 CPUID The processor is known',
      'a family and model of Milan, Genoa, Turin or Venice',
      'family 0x19, model 0x20',
      patch([0x189, '20']),
    ],
    ['SNP-19 CPUID The product has pinned roots', 'Milan, Genoa or Turin', 'Venice', patch([0x188, '1a50'])],
    ['SNP-11 CURRENT_TCB The four TCB versions are well-formed', TCB, 'CURRENT_TCB 04000100000018db', patch([0x03a, '01'])],
    ['SNP-11 LAUNCH_TCB The four TCB versions are well-formed', TCB, 'LAUNCH_TCB 80000000000018db', patch([0x1f0, '80'])],
    [
      'SNP-20 CHIP_ID A version 2 report is not of a Turin processor',
      'CHIP_ID of 64 bytes, or all zero',
      'CHIP_ID of 8 bytes',
      { version: 2, ...patch([0x1a8, '00'.repeat(56)]) },
    ],
    [
      'SNP-21 CHIP_ID CHIP_ID of a Turin processor has eight bytes',
      'zero from byte 8',
      'set from byte 8',
      { product: 'Turin', ...patch([0x1df, '01']) },
    ],
  ])('%s: expected %s, found %s', (...[rule, expected, found, options]) => {
    expect(refusal(() => checksOf(options))).toBe(`${rule}: expected ${expected}, found ${found}`)
  })

  it('SNP-01 by its length', () => {
    expect(refusal(() => readReport(new Uint8Array(1183)))).toBe(
      'SNP-01 report The report is 1184 bytes long: expected 1184 bytes, found 1183 bytes',
    )
  })
})

/** `id outcome actual` of each check. */
const told = (options: Options): readonly string[] => checksOf(options).map(({ id, outcome, actual }) => `${id} ${outcome} ${actual}`)

const SOUND = [
  'SNP-01 pass 1184 bytes',
  'SNP-02 pass 5',
  'SNP-03 pass zero',
  'SNP-04 pass 0x0000000000030000',
  'SNP-05 pass 1',
  'SNP-06 pass 0x0',
  'SNP-07 pass 0',
  'SNP-08 pass SIGNING_KEY 0, MASK_CHIP_KEY 0',
  'SNP-09 pass VMPL 0',
  'SNP-10 pass R zero, S zero',
  `SNP-10 pass ${RS}`,
  'SNP-10 pass zero',
  'SNP-17 pass AUTHOR_KEY_EN 0, AUTHOR_KEY_DIGEST zero, ID_KEY_DIGEST zero',
]

describe('a report that is sound says what was looked at', () => {
  it('of Milan', () => {
    expect(told({ version: 5 })).toEqual([
      ...SOUND,
      'SNP-18 pass family 0x19, model 0x1',
      'SNP-19 pass Milan',
      'SNP-11 pass REPORTED_TCB bootloader 4, tee 0, snp 24, microcode 219',
      'SNP-20 skip not version 2',
      'SNP-21 skip not a Turin processor',
    ])
  })

  it('of Turin', () => {
    expect(told({ version: 5, product: 'Turin' })).toEqual([
      ...SOUND,
      'SNP-18 pass family 0x1a, model 0x2',
      'SNP-19 pass Turin',
      'SNP-11 pass REPORTED_TCB fmc 1, bootloader 2, tee 0, snp 4, microcode 71',
      'SNP-20 skip not version 2',
      'SNP-21 pass zero from byte 8',
    ])
  })

  it('of version 2, which names no processor', () => {
    expect(told({ version: 2 })).toEqual([
      ...SOUND.with(1, 'SNP-02 pass 2'),
      'SNP-18 skip version 2 names no processor: the certificate decides',
      'SNP-19 skip version 2 names no processor: the certificate decides',
      'SNP-20 pass CHIP_ID of 64 bytes, or all zero',
      'SNP-21 skip not a Turin processor',
    ])
  })

  it.each([0, 1, 2, 3])('of VMPL %i', (vmpl) => {
    expect(told(patch([0x030, `0${vmpl}`]))).toContain(`SNP-09 pass VMPL ${vmpl}`)
  })

  it('with an author key and an ID key', () => {
    expect(told(patch([0x048, '01'], [0x0e0, '1d'], [0x110, '01']))).toContain(
      'SNP-17 pass AUTHOR_KEY_EN 1, AUTHOR_KEY_DIGEST set, ID_KEY_DIGEST set',
    )
  })
})
