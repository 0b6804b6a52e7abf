import { generateKeyPairSync } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { fakeAmd, type FakeAmd } from '../src/simulator/amd.ts'
import { derIa5String, derInteger, extension, type SimExtension } from '../src/simulator/der.ts'
import { CERT_GUID, certTable } from '../src/simulator/envelopes.ts'
import { amdName } from '../src/simulator/names.ts'
import { signedReport, tcbBytes } from '../src/simulator/report.ts'
import { newHwid, VEK_OID, type FakeVek } from '../src/simulator/veks.ts'
import { anchorsOf, pinnedAnchors, testAnchors } from '../src/verifiers/anchors.ts'
import { flipped, snpLab, type Exhibit, type Lab } from './snp-lab.ts'

// Specification snp.md section 16, the rows about certificates. Reports are signed by the key that the certificate holds, and
// certificates by the fake AMD, unless the row is about that signature.

let lab: Lab
let milan: FakeVek
let turin: FakeVek
let lookalike: FakeAmd
beforeAll(async () => {
  lab = await snpLab()
  milan = lab.amd.vcek({ product: 'Milan' })
  turin = lab.amd.vcek({ product: 'Turin' })
  lookalike = await fakeAmd({ now: lab.now, products: ['Milan'] })
})

type Row = readonly [change: string, code: string, make: () => Exhibit]

type Change = (standard: readonly SimExtension[]) => readonly SimExtension[]
const without =
  (oid: string): Change =>
  (all) =>
    all.filter((e) => e.oid !== oid)
const replaced =
  (oid: string, value: Uint8Array): Change =>
  (all) =>
    all.map((e) => (e.oid === oid ? { ...e, value } : e))
const added =
  (oid: string, value: Uint8Array): Change =>
  (all) => [...all, extension(oid, value)]
const authority = (role: 'ark' | 'ask' | 'asvk') => lab.amd.authority('Milan', role)
const days = (n: number) => new Date(lab.now.getTime() + n * 86_400_000)
const bytes = (...values: number[]) => Uint8Array.from(values)
/** Lists that are current at any time that a row asks about. */
const lasting = () => lab.lists({ thisUpdate: days(-400), nextUpdate: days(4000) })

const MATCH: readonly Row[] = [
  ['31: SIGNING_KEY VLEK with a VCEK', 'snp-vek-kind-mismatch', () => lab.genuine({ vek: milan, fields: { keyInfo: 1 << 2 } })],
  [
    '32: VLEK report with a VCEK',
    'snp-vek-kind-mismatch',
    () => ({ report: signedReport(lab.amd.vlek({ product: 'Milan' })), certificates: [milan.der] }),
  ],
  [
    '32: VCEK report with a VLEK',
    'snp-vek-kind-mismatch',
    () => ({ report: signedReport(milan), certificates: [lab.amd.vlek({ product: 'Milan' }).der] }),
  ],
  [
    '33: VCEK of another chip beside a genuine report',
    'snp-vcek-hwid-mismatch',
    () => ({ report: signedReport(milan), certificates: [lab.amd.vcek({ product: 'Milan' }).der] }),
  ],
  [
    '33: report that names another chip, signed by this one',
    'snp-vcek-hwid-mismatch',
    () => lab.genuine({ vek: milan, fields: { chipId: newHwid('Milan') } }),
  ],
  [
    '34: VCEK of another product beside a genuine report',
    'snp-product-mismatch',
    () => ({ report: signedReport(lab.amd.vcek({ product: 'Genoa', hwid: milan.hwid })), certificates: [milan.der] }),
  ],
  [
    '35: CPUID model rewritten',
    'snp-product-mismatch',
    () => lab.genuine({ vek: milan, fields: { cpuid: { family: 0x19, model: 0x11, stepping: 1 } } }),
  ],
  [
    '38: reported microcode one higher',
    'snp-vek-tcb-mismatch',
    () => lab.genuine({ vek: milan, fields: { reportedTcb: { ...milan.tcb, microcode: milan.tcb.microcode + 1 } } }),
  ],
  [
    '39: Turin report with FMC and bootloader swapped',
    'snp-vek-tcb-mismatch',
    () =>
      lab.genuine({
        vek: turin,
        fields: { patch: [[0x180, tcbBytes('Turin', { ...turin.tcb, fmc: turin.tcb.bootloader, bootloader: 1 })]] },
      }),
  ],
  ['40: CHIP_ID zeroed', 'snp-chip-id-masked', () => lab.genuine({ vek: milan, fields: { chipId: new Uint8Array(64) } })],
]

const CHAIN: readonly Row[] = [
  [
    '42: VCEK signature modified',
    'snp-chain-invalid',
    () => ({ report: signedReport(milan), certificates: [flipped(milan.der, milan.der.length - 1)] }),
  ],
  ['43: VCEK modified to the chip of the report', 'snp-chain-invalid', () => otherChip()],
  ['44: look-alike with the same names; its CA certificates are ignored', 'snp-chain-invalid', () => withSuppliedChain(lookalike)],
  [
    '44: look-alike root, compared',
    'snp-root-untrusted',
    () => ({ ...withSuppliedChain(lookalike), anchors: anchorsOf(lookalike.anchors()), mode: 'production' }),
  ],
  ['44: the simulator against AMD’s own keys', 'snp-chain-invalid', () => ({ ...lab.genuine({ vek: milan }), anchors: pinnedAnchors })],
  ['45: VCEK chained through the ASVK', 'snp-chain-invalid', () => lab.certified({ signedBy: authority('asvk') })],
  [
    '45: VCEK signed by the ASVK in the name of the ASK',
    'snp-chain-invalid',
    () => lab.certified({ signingKey: authority('asvk').privateKey }),
  ],
  ['45: VLEK chained through the ASK', 'snp-chain-invalid', () => lab.certified({ signedBy: authority('ask') }, { kind: 'vlek' })],
  ['45: VCEK signed by the ARK itself', 'snp-chain-invalid', () => lab.certified({ signedBy: authority('ark') })],
  ['47: intermediate without CA', 'snp-chain-invalid', () => under(replaced('2.5.29.19', bytes(0x30, 0x00)))],
  ['47: intermediate without basicConstraints', 'snp-chain-invalid', () => under(without('2.5.29.19'))],
  ['47: intermediate without CA, but with pathlen 0', 'snp-chain-invalid', () => under(replaced('2.5.29.19', bytes(0x30, 3, 2, 1, 0)))],
  ['47: intermediate with pathlen 1', 'snp-chain-invalid', () => under(replaced('2.5.29.19', bytes(0x30, 6, 1, 1, 0xff, 2, 1, 1)))],
  ['47: intermediate without keyCertSign', 'snp-chain-invalid', () => under(without('2.5.29.15'))],
  [
    '50: VLEK after its year',
    'snp-cert-expired',
    () => ({ ...lab.genuine({ vek: lab.amd.vlek({ product: 'Milan' }) }), at: days(366), lists: lasting() }),
  ],
  ['50: VCEK after its seven years', 'snp-cert-expired', () => ({ ...lab.genuine({ vek: milan }), at: days(2560), lists: lasting() })],
  ['51: before notBefore', 'snp-cert-not-yet-valid', () => ({ ...lab.genuine({ vek: milan }), at: days(-2), lists: lasting() })],
]

const UNMARKED = { marker: 'omit' } as const
/** The simulator's keys as if they had been pinned: the worst that a mistake in the table of roots could do. */
const asPinned = () => anchorsOf(lab.amd.anchors().map((anchor) => ({ ...anchor, origin: 'pinned' as const })))

// Design section 5: production believes neither the simulator's roots nor anything that carries its marker, each on its own.
const MODES: readonly Row[] = [
  ['30 of section 15: test roots in production', 'snp-root-untrusted', () => ({ ...lab.certified({}), mode: 'production' })],
  [
    '30 of section 15: test roots in production, without the marker',
    'snp-root-untrusted',
    () => ({ ...lab.certified(UNMARKED), mode: 'production' }),
  ],
  [
    '30 of section 15: the marker in production, under pinned keys',
    'snp-root-untrusted',
    () => ({ ...lab.certified({}), anchors: asPinned(), mode: 'production' }),
  ],
  [
    '30 of section 15: the marker under pinned keys in test mode',
    'snp-root-untrusted',
    () => ({ ...lab.certified({}), anchors: asPinned(), mode: 'test' }),
  ],
]

/** The chip id inside the certificate is changed, and the report says the same. */
const otherChip = (): Exhibit => {
  const chipId = flipped(milan.hwid, 0)
  const at = Buffer.from(milan.der).indexOf(Buffer.from(milan.hwid))
  const changed = milan.der.slice()
  changed.set(chipId, at)
  return { report: signedReport(milan, { chipId }), certificates: [changed] }
}

const withSuppliedChain = (amd: FakeAmd): Exhibit => {
  const vek = amd.vcek({ product: 'Milan' })
  const table = [
    { guid: CERT_GUID.vcek, bytes: vek.der },
    { guid: CERT_GUID.ask, bytes: amd.intermediate('Milan', 'ask') },
    { guid: CERT_GUID.ark, bytes: amd.root('Milan') },
  ]
  return { report: signedReport(vek), certTable: certTable(table) }
}

/** A genuine chain, but for the extensions of the intermediate; the root is trusted, and the intermediate taken from beside it. */
const under = (extensions: Change): Exhibit => {
  const ask = lab.amd.reissue('Milan', 'ask', { extensions })
  return { ...lab.genuine({ vek: milan }), anchors: testAnchors([lab.amd.root('Milan')], [ask]) }
}

const p256 = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const p384 = () => generateKeyPairSync('ec', { namedCurve: 'P-384' })

const CERTIFICATE: readonly Row[] = [
  [
    '46: the ASK as leaf',
    'snp-vek-algorithm',
    () => ({ report: signedReport(milan), certificates: [lab.amd.intermediate('Milan', 'ask')] }),
  ],
  ['46: a P-384 leaf in the name of the ASK', 'snp-vek-kind-mismatch', () => lab.certified({ commonName: 'SEV-Milan' })],
  ['48: PKCS#1 v1.5', 'snp-vek-algorithm', () => lab.certified({ scheme: 'pkcs1-sha384' })],
  ['48: PKCS#1 v1.5 outside, PSS inside', 'snp-vek-algorithm', () => lab.certified({ scheme: 'pkcs1-sha384', innerScheme: 'pss-sha384' })],
  ['48: PSS outside, PKCS#1 v1.5 inside', 'snp-vek-algorithm', () => lab.certified({ innerScheme: 'pkcs1-sha384' })],
  ['48: PSS with SHA-256', 'snp-vek-algorithm', () => lab.certified({ scheme: 'pss-sha256' })],
  ['48: PSS with SHA-256 and a salt of 48 bytes', 'snp-vek-algorithm', () => lab.certified({ scheme: 'pss-sha256-salt48' })],
  ['48: PSS with the default salt of 20 bytes', 'snp-vek-algorithm', () => lab.certified({ scheme: 'pss-sha384-salt20' })],
  ['48: PSS with a salt of 32 bytes', 'snp-vek-algorithm', () => lab.certified({ scheme: 'pss-sha384-salt32' })],
  ['49: VEK on P-256', 'snp-vek-algorithm', () => lab.certified({ keys: p256() })],
  ['49: VEK on RSA', 'snp-vek-algorithm', () => lab.certified({ keys: generateKeyPairSync('rsa', { modulusLength: 2048 }) })],
  ['25 of section 15: the subject of another organisation', 'snp-vek-subject', () => lab.certified({ subject: foreignName('SEV-VCEK') })],
  ['25 of section 15: the issuer of another organisation', 'snp-vek-subject', () => lab.certified({ issuer: foreignName('SEV-Milan') })],
]
/** AMD’s name, but for the organisation. */
const foreignName = (commonName: string) =>
  amdName(commonName).map((attribute) => (attribute.oid === '2.5.4.10' ? { ...attribute, value: 'Somebody Else' } : attribute))

const EXTENSIONS: readonly Row[] = [
  ['52: hwid missing', 'snp-vcek-hwid-missing', () => lab.certified({ extensions: without(VEK_OID.hwid) })],
  ['53: hwid of 63 bytes', 'snp-vcek-hwid-mismatch', () => hwidOf((hwid) => hwid.subarray(0, 63))],
  ['53: hwid of 65 bytes', 'snp-vcek-hwid-mismatch', () => hwidOf((hwid) => Uint8Array.from([...hwid, 0]))],
  ['53: hwid of 8 bytes on Milan', 'snp-vcek-hwid-mismatch', () => hwidOf((hwid) => hwid.subarray(0, 8))],
  ['53: hwid of 63 bytes of a chip whose last byte is zero', 'snp-vcek-hwid-mismatch', () => shortHwid(63)],
  ['53: hwid of 8 bytes of a Milan chip whose other bytes are zero', 'snp-vcek-hwid-mismatch', () => shortHwid(8)],
  ['54: two bl SPLs', 'snp-vek-extension-invalid', () => lab.certified({ extensions: added(VEK_OID.bootloader, derInteger(4)) })],
  [
    '55: SPL not minimal',
    'snp-vek-extension-invalid',
    () => lab.certified({ extensions: replaced(VEK_OID.bootloader, bytes(2, 2, 0, 4)) }),
  ],
  ['55: SPL negative', 'snp-vek-extension-invalid', () => lab.certified({ extensions: replaced(VEK_OID.bootloader, bytes(2, 1, 0x84)) })],
  ['55: SPL 256', 'snp-vek-extension-invalid', () => lab.certified({ extensions: replaced(VEK_OID.microcode, derInteger(256)) })],
  [
    '56: fmc missing on Turin',
    'snp-vek-extension-invalid',
    () => lab.certified({ extensions: without(VEK_OID.fmc) }, { product: 'Turin' }),
  ],
  ['56: fmc present on Milan', 'snp-vek-extension-invalid', () => lab.certified({ extensions: added(VEK_OID.fmc, derInteger(0)) })],
  ['57: VLEK with hwid', 'snp-vlek-csp-id-invalid', () => lab.certified({ extensions: added(VEK_OID.hwid, milan.hwid) }, { kind: 'vlek' })],
  ['57: VLEK without cspID', 'snp-vlek-csp-id-invalid', () => lab.certified({ extensions: without(VEK_OID.cspId) }, { kind: 'vlek' })],
  ['57: VCEK with cspID', 'snp-vek-extension-invalid', () => lab.certified({ extensions: added(VEK_OID.cspId, bytes(0x16, 1, 0x41)) })],
  [
    '34 of section 15: productName of another product',
    'snp-product-mismatch',
    () => lab.certified({ extensions: replaced(VEK_OID.productName, derIa5String('Genoa')) }),
  ],
  [
    '34 of section 15: productName that only begins alike',
    'snp-product-mismatch',
    () => lab.certified({ extensions: replaced(VEK_OID.productName, derIa5String('Milano')) }),
  ],
  [
    '35 of section 15: structVersion 1 on Milan',
    'snp-vek-extension-invalid',
    () => lab.certified({ extensions: replaced(VEK_OID.structVersion, derInteger(1)) }),
  ],
  [
    '35 of section 15: structVersion 0 on Turin',
    'snp-vek-extension-invalid',
    () => lab.certified({ extensions: replaced(VEK_OID.structVersion, derInteger(0)) }, { product: 'Turin' }),
  ],
  ['42 of section 15: spl5 set', 'snp-vek-extension-invalid', () => lab.certified({ extensions: replaced(VEK_OID.spl5, derInteger(1)) })],
  [
    '40 of section 15: another unlisted extension of AMD',
    'snp-vek-extension-invalid',
    () => lab.certified({ extensions: added('1.3.6.1.4.1.3704.1.6', derInteger(0)) }),
  ],
  [
    '40 of section 15: an unknown critical extension',
    'snp-vek-extension-invalid',
    () => lab.certified({ extensions: (all) => [...all, { oid: '1.2.3.4', critical: true, value: bytes(5, 0) }] }),
  ],
  [
    '40 of section 15: an unlisted extension of AMD',
    'snp-vek-extension-invalid',
    () => lab.certified({ extensions: added('1.3.6.1.4.1.3704.1.3.10', derInteger(0)) }),
  ],
]

/** The chip id ends in zeros, which the certificate leaves out: compared as far as it goes, it would fit. */
const shortHwid = (length: number): Exhibit => {
  const hwid = newHwid('Milan').fill(0, length)
  const right = lab.amd.vcek({ product: 'Milan', hwid })
  const wrong = lab.amd.vcek({ product: 'Milan', hwid, overrides: { extensions: replaced(VEK_OID.hwid, hwid.subarray(0, length)) } })
  return { report: signedReport(right), certificates: [wrong.der] }
}

const hwidOf = (change: (hwid: Uint8Array) => Uint8Array): Exhibit =>
  lab.certified({ extensions: (all) => all.map((e) => (e.oid === VEK_OID.hwid ? { ...e, value: change(e.value) } : e)) })

describe('what the matrix starts from is accepted:', () => {
  it('a certificate that is minted again for the same key', async () => {
    for (const request of [{ kind: 'vcek' }, { kind: 'vlek' }, { product: 'Turin' }] as const)
      expect((await lab.judge(lab.certified({}, request))).code).toBe('accepted')
  })
  it('a whole chain in the table, under its own roots', async () => {
    expect((await lab.judge(withSuppliedChain(lab.amd))).code).toBe('accepted')
  })
  it('an intermediate beside a named root', async () => {
    expect((await lab.judge(under((all) => all))).code).toBe('accepted')
  })
  it('a hwid in an inner OCTET STRING', async () => {
    expect((await lab.judge(hwidOf((hwid) => Uint8Array.from([4, 64, ...hwid])))).code).toBe('accepted')
  })
  it('a masked chip where the policy allows it', async () => {
    const masked = lab.genuine({ vek: milan, fields: { chipId: new Uint8Array(64) } })
    expect((await lab.judge({ ...masked, policy: { masked_chip_id: 'allow' } })).code).toBe('accepted')
  })
  it('certificates near both ends of their validity', async () => {
    const vlek = lab.genuine({ vek: lab.amd.vlek({ product: 'Milan' }) })
    for (const at of [days(-0.9), days(365)]) expect((await lab.judge({ ...vlek, at, lists: lasting() })).code).toBe('accepted')
  })
  it('the marker under test roots in demo mode, and its absence under pinned keys in production', async () => {
    expect((await lab.judge({ ...lab.certified({}), mode: 'demo' })).code).toBe('accepted')
    expect((await lab.judge({ ...lab.certified(UNMARKED), anchors: asPinned(), mode: 'production' })).code).toBe('accepted')
  })
  it('a leaf of another key pair that is P-384', async () => {
    const keys = p384()
    const vek = lab.amd.vcek({ product: 'Milan', overrides: { keys } })
    expect((await lab.judge(lab.genuine({ vek }))).code).toBe('accepted')
  })
})

describe.each([
  ['report and certificate', MATCH],
  ['the chain', CHAIN],
  ['modes', MODES],
  ['the certificate', CERTIFICATE],
  ['extensions', EXTENSIONS],
] as const)('section 16, %s', (_, rows) => {
  it.each(rows)('row %s → %s', async (_change, code, make) => {
    const answer = await lab.judge(make())
    expect(answer.code).toBe(code)
    expect(answer.claims).toBe(false)
    expect(answer.checks.some((check) => check.outcome === 'fail' && check.code === code)).toBe(true)
  })
})
