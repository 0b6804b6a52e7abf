import { beforeAll, describe, expect, it } from 'vitest'
import { endorsementChecks, told, toldFailures, type EndorsementTrial } from '../../../test/snp-endorsed.ts'
import { fakeAmd, type FakeAmd } from '../../simulator/amd.ts'
import { signedReport } from '../../simulator/report.ts'
import { VEK_OID, type FakeVek } from '../../simulator/veks.ts'
import { genuineOnly, type Check, type Context } from '../verifier.ts'
import { parseReport } from './report.ts'
import { vcekAddressOfReport } from './vek-select.ts'

const now = new Date('2026-11-23T12:00:00Z')
const tcb = { bootloader: 4, tee: 0, snp: 24, microcode: 219 }
let amd: FakeAmd
let milan: FakeVek
let vlek: FakeVek
let turin: FakeVek
beforeAll(async () => {
  amd = await fakeAmd({ now, products: ['Milan', 'Turin'] })
  milan = amd.vcek({ product: 'Milan', tcb })
  vlek = amd.vlek({ product: 'Milan', tcb })
  turin = amd.vcek({ product: 'Turin' })
})

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const byMilan = (trial: EndorsementTrial): Promise<readonly Check[]> => endorsementChecks(amd, milan, trial)
const find = (checks: readonly Check[], id: string): Check | undefined => checks.find((check) => check.id === id)
const rigour = (snp: Partial<Context['rigour']['snp']>): Partial<Context> => ({
  rigour: { ...genuineOnly, snp: { ...genuineOnly.snp, ...snp } },
})

describe('what binds a certificate to a report says what was found', () => {
  it('of a kind that the report does not name', async () => {
    expect(toldFailures(await byMilan({ certificates: [vlek.der] }))).toEqual(['SNP-24 fail report vcek, certificate vlek'])
    const other = amd.vcek({ product: 'Milan', tcb })
    const checks = await endorsementChecks(amd, vlek, { certificates: [other.der] })
    expect(toldFailures(checks)).toContain('SNP-24 fail report vlek, certificate vcek')
  })

  it('of a TCB that the key was not derived for', async () => {
    const lower = amd.vcek({ product: 'Milan', hwid: milan.hwid, tcb: { ...tcb, snp: 1 } })
    expect(find(await byMilan({ certificates: [lower.der] }), 'SNP-41')).toMatchObject({
      outcome: 'fail',
      code: 'snp-vek-tcb-mismatch',
      expected: 'bootloader 4, tee 0, snp 24, microcode 219',
      actual: 'bootloader 4, tee 0, snp 1, microcode 219',
    })
  })

  it('of a chip that is another', async () => {
    const other = amd.vcek({ product: 'Milan', tcb })
    expect(find(await byMilan({ certificates: [other.der] }), 'SNP-46')).toMatchObject({
      outcome: 'fail',
      expected: `CHIP_ID ${hex(milan.hwid)}`,
      actual: `hwID ${hex(other.hwid)}`,
    })
  })

  it('of a chip whose id is too short for its product', async () => {
    const short = amd.vcek({ product: 'Milan', tcb, hwid: milan.hwid.slice(0, 8) })
    expect(toldFailures(await byMilan({ certificates: [short.der] }))).toEqual([`SNP-46 fail hwID ${hex(short.hwid)}, 8 bytes on Milan`])
  })

  it('of a chip that is masked, whether the policy allows it or not', async () => {
    const fields = { chipId: new Uint8Array(64) }
    const [refused, allowed] = await Promise.all([
      byMilan({ fields, context: rigour({ maskedChipId: 'refuse' }) }),
      byMilan({ fields, context: rigour({ maskedChipId: 'allow' }) }),
    ])
    expect(told(refused).slice(-2)).toEqual(['SNP-46 skip CHIP_ID is masked', 'SNP-47 fail all zero'])
    expect(told(allowed).slice(-2)).toEqual(['SNP-46 skip CHIP_ID is masked', 'SNP-47 pass all zero'])
  })

  it('of a chain of another product, whose lists are not looked at', async () => {
    const lines = told(await byMilan({ certificates: [turin.der] }))
    expect(lines).toContain('SNP-34 fail report Milan, chain Turin, productName Turin')
    expect(lines).toContain('SNP-36 skip the chain is of another product than the report')
    expect(find(await byMilan({ certificates: [turin.der] }), 'SNP-36')?.title).toBe('Revocation lists')
  })

  it('of a Turin chain for version 2, which Turin never makes', async () => {
    const checks = await endorsementChecks(amd, turin, { fields: { version: 2, chipId: new Uint8Array(64).fill(7) } })
    expect(toldFailures(checks)).toContain('SNP-34 fail report version 2 without a product, chain Turin, productName Turin')
  })

  it('of REPORTED_TCB of version 2, which has not the layout of the chain’s product', async () => {
    const patch = [[0x182, Uint8Array.of(1)] as const]
    expect(find(await byMilan({ fields: { version: 2, patch } }), 'SNP-11')).toMatchObject({
      title: 'REPORTED_TCB has the layout of Milan',
      outcome: 'fail',
      code: 'snp-tcb-malformed',
      actual: '04000100000018db',
    })
  })

  it('of a certificate that names no chip though the report is signed by a VCEK', async () => {
    const lines = told(await byMilan({ certificates: [vlek.der] }))
    expect(lines.slice(-2)).toEqual(['SNP-46 skip the certificate names no chip', 'SNP-47 skip the certificate names no chip'])
    const forVlek = told(await endorsementChecks(amd, vlek))
    expect(forVlek.slice(-2)).toEqual(['SNP-46 skip a VLEK names no chip', 'SNP-47 skip a VLEK names no chip'])
  })
})

describe('a certificate that lacks a part of its TCB is refused, whichever it is', () => {
  it.each(['bootloader', 'tee', 'snp', 'microcode'] as const)('on Milan: %s', async (part) => {
    const missing = amd.vcek({
      product: 'Milan',
      hwid: milan.hwid,
      tcb,
      overrides: { extensions: (all) => all.filter(({ oid }) => oid !== VEK_OID[part]) },
    })
    const number = VEK_OID[part].split('.').at(-1)
    expect(toldFailures(await byMilan({ certificates: [missing.der] }))).toEqual([`SNP-40 fail SPL ${number} is missing`])
  })
})

describe('when nothing endorses a report (SNP-22)', () => {
  it('says which certificate could be fetched', async () => {
    const address = vcekAddressOfReport(parseReport(signedReport(milan)))
    expect(told(await byMilan({ certificates: [] }))).toEqual([`SNP-22 fail ${address} is not at hand`])
  })

  it('says that none came where none can be fetched', async () => {
    expect(told(await endorsementChecks(amd, vlek, { certificates: [] }))).toEqual(['SNP-22 fail none came with the evidence'])
  })
})

const DAY = 86_400_000
const start = new Date(now.getTime() - DAY)
const end = new Date(now.getTime() + DAY)

/** The checks of a certificate that is valid for the day before and the day after, at a time. */
const dated = (time: Date, kind: 'vcek' | 'vlek' = 'vcek') => {
  const vek = amd[kind]({ product: 'Milan', overrides: { notBefore: start, notAfter: end } })
  return endorsementChecks(amd, vek, { context: { now: time } })
}

describe('a certificate that is not valid at the time (SNP-33)', () => {
  const WINDOW = 'from 2026-11-22T12:00:00.000Z to 2026-11-24T12:00:00.000Z'

  it('is told with its window and the time', async () => {
    const late = toldFailures(await dated(new Date(end.getTime() + 1000)))
    expect(late).toEqual([`SNP-33 fail SEV-VCEK ${WINDOW}, now 2026-11-24T12:00:01.000Z`])
    const early = toldFailures(await dated(new Date(start.getTime() - 1000), 'vlek'))
    expect(early).toEqual([`SNP-33 fail SEV-VLEK ${WINDOW}, now 2026-11-22T11:59:59.000Z`])
  })

  it('is not told together with a check that passed', async () => {
    const outcomes = (await dated(new Date(end.getTime() + 1000))).filter(({ id }) => id === 'SNP-33').map(({ outcome }) => outcome)
    expect(outcomes).toEqual(['fail'])
  })
})
