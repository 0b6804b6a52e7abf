import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { fakeAmd, type FakeAmd } from '../src/simulator/amd.ts'
import { CERT_GUID, certTable, pem, type CertTableEntry } from '../src/simulator/envelopes.ts'
import { amdName } from '../src/simulator/names.ts'
import { signedReport } from '../src/simulator/report.ts'
import type { CrlRequest } from '../src/simulator/revocation.ts'
import type { FakeVek } from '../src/simulator/veks.ts'
import { crlAddress, type AmdEndpoint } from '../src/verifiers/snp/address.ts'
import type { RollbackMark } from '../src/verifiers/verifier.ts'
import { snpLab, type Answer, type Exhibit, type Lab } from './snp-lab.ts'

// Specification snp.md section 16, the rows about revocation lists, certificate tables and the binding to a session.

let lab: Lab
let milan: FakeVek
let lookalike: FakeAmd
beforeAll(async () => {
  lab = await snpLab({ products: ['Milan'] })
  milan = lab.amd.vcek({ product: 'Milan' })
  lookalike = await fakeAmd({ now: lab.now, products: ['Milan'] })
})

type Row = readonly [change: string, code: string, make: () => Exhibit]

const days = (n: number) => new Date(lab.now.getTime() + n * 86_400_000)
const listed = (change: Partial<CrlRequest>, only?: AmdEndpoint): Exhibit => ({
  ...lab.genuine({ vek: milan }),
  lists: lab.lists(change, only),
})
const serialOf = (role: 'ark' | 'ask' | 'asvk') => lab.amd.authority('Milan', role).serial
const marked = (mark: RollbackMark, change: Partial<CrlRequest>): Exhibit => ({
  ...listed(change),
  marks: new Map([[crlAddress('Milan', 'vcek'), mark]]),
})
const unlisted = (mode: 'require' | 'prefer' | 'DANGEROUSLY_OFF', missing: readonly AmdEndpoint[]): Exhibit => {
  const lists = new Map(lab.lists())
  for (const endpoint of missing) lists.delete(crlAddress('Milan', endpoint))
  return { ...lab.genuine({ vek: milan }), lists, policy: { crl: { mode, skew_seconds: 0 } } }
}
const seen = (mark: RollbackMark = { number: 1n, thisUpdate: days(-1) }) => new Map([[crlAddress('Milan', 'vcek'), mark]])
const vlekUnder = (change: Partial<CrlRequest>): Exhibit => ({
  ...listed(change),
  ...lab.genuine({ vek: lab.amd.vlek({ product: 'Milan' }) }),
})

const OFF = { crl: { mode: 'DANGEROUSLY_OFF', skew_seconds: 0 } }

const REVOKED: readonly Row[] = [
  ['59: ASK revoked', 'snp-intermediate-revoked', () => listed({ revoked: [serialOf('ask')] })],
  ['59: ASK revoked, lists not asked for', 'snp-intermediate-revoked', () => ({ ...listed({ revoked: [serialOf('ask')] }), policy: OFF })],
  [
    '59: ASK revoked on the list of the VCEK endpoint only',
    'snp-intermediate-revoked',
    () => listed({ revoked: [serialOf('ask')] }, 'vcek'),
  ],
  [
    '59: ASK revoked on the list of the VLEK endpoint only',
    'snp-intermediate-revoked',
    () => listed({ revoked: [serialOf('ask')] }, 'vlek'),
  ],
  ['59: ASVK revoked', 'snp-intermediate-revoked', () => vlekUnder({ revoked: [5n, serialOf('asvk'), 7n] })],
  ['36 of section 15: the ARK on its own list', 'snp-root-revoked', () => listed({ revoked: [serialOf('ark')] })],
  [
    'revoked, where absence would be tolerated',
    'snp-intermediate-revoked',
    () => ({ ...listed({ revoked: [serialOf('ask')] }), policy: { crl: { mode: 'prefer', skew_seconds: 0 } } }),
  ],
]

const LISTS: readonly Row[] = [
  ['60: forged by another key', 'snp-crl-signature', () => listed({ overrides: { signWith: lookalike.authority('Milan', 'ark') } })],
  ['60: signed by the ASK', 'snp-crl-signature', () => listed({ overrides: { signWith: lab.amd.authority('Milan', 'ask') } })],
  ['60: signed with PKCS#1 v1.5', 'snp-crl-signature', () => listed({ overrides: { scheme: 'pkcs1-sha384' } })],
  ['60: another issuer', 'snp-crl-issuer', () => listed({ overrides: { issuer: amdName('ARK-Genoa') } })],
  ['60: not valid yet', 'snp-crl-not-yet-valid', () => listed({ thisUpdate: days(0.1) })],
  ['60: expired', 'snp-crl-expired', () => listed({ thisUpdate: days(-9), nextUpdate: days(-1) })],
  ['60: without an end', 'snp-crl-expired', () => listed({ nextUpdate: 'absent' })],
  ['60: older number', 'snp-crl-rollback', () => marked({ number: 6n, thisUpdate: days(-1) }, { number: 5n })],
  ['60: older thisUpdate', 'snp-crl-rollback', () => marked({ number: 5n, thisUpdate: days(0) }, { number: 5n, thisUpdate: days(-1) })],
  ['60: any list under an unreadable mark', 'snp-crl-rollback', () => marked('strictest', { number: 1000n })],
  ['60: one of two lists expired', 'snp-crl-expired', () => listed({ thisUpdate: days(-9), nextUpdate: days(-1) }, 'vlek')],
  ['36 of section 15: an unknown critical extension', 'snp-crl-unavailable', () => extended('1.2.3.4', 'critical')],
  ['36 of section 15: a list of one distribution point only', 'snp-crl-unavailable', () => extended('2.5.29.28', 'plain')],
  ['36 of section 15: a list of differences only', 'snp-crl-unavailable', () => extended('2.5.29.27', 'plain')],
  ['36 of section 15: no list at all', 'snp-crl-signature', () => ({ ...lab.genuine({ vek: milan }), lists: garbage() })],
  ['61: both lists missing', 'snp-crl-unavailable', () => unlisted('require', ['vcek', 'vlek'])],
  ['61: the list of the VCEK endpoint missing', 'snp-crl-unavailable', () => unlisted('require', ['vcek'])],
  ['61: the list of the VLEK endpoint missing', 'snp-crl-unavailable', () => unlisted('require', ['vlek'])],
  ['61: absent in mode prefer after one was seen', 'snp-crl-unavailable', () => ({ ...unlisted('prefer', ['vcek']), marks: seen() })],
  [
    '61: absent in mode prefer with an unreadable mark',
    'snp-crl-unavailable',
    () => ({ ...unlisted('prefer', ['vcek']), marks: seen('strictest') }),
  ],
]

/** A genuine list with one more extension. */
const extended = (oid: string, critical: 'critical' | 'plain'): Exhibit =>
  listed({
    overrides: { extensions: (all) => [...all, { oid, critical: critical === 'critical', value: Uint8Array.of(0x02, 0x01, 0x00) }] },
  })
const garbage = () => new Map(lab.lists()).set(crlAddress('Milan', 'vlek'), Buffer.from('<html>not a list</html>'))

const vcekEntry = (der = milan.der): CertTableEntry => ({ guid: CERT_GUID.vcek, bytes: der })
const tabled = (table: Uint8Array): Exhibit => ({ report: signedReport(milan), certTable: table })
/** A table whose first entry has another offset or length. */
const entryAt = (offset: number, length: number): Uint8Array => {
  const table = Buffer.from(certTable([vcekEntry()]))
  table.writeUInt32LE(offset, 16)
  table.writeUInt32LE(length, 20)
  return table
}
/** Only entries, up to the very end. */
const unterminated = (): Uint8Array => certTable([vcekEntry(new Uint8Array())]).subarray(0, 24)

const TABLES: readonly Row[] = [
  ['62: no terminator', 'snp-cert-table-malformed', () => tabled(unterminated())],
  ['62: offset FFFFFFF0h with length 20h', 'snp-cert-table-malformed', () => tabled(entryAt(0xfffffff0, 0x20))],
  ['62: blob inside the header', 'snp-cert-table-malformed', () => tabled(entryAt(8, 16))],
  ['62: blob over the end', 'snp-cert-table-malformed', () => tabled(entryAt(48, milan.der.length + 1))],
  [
    '63: two different VCEKs',
    'snp-cert-table-duplicate',
    () => tabled(certTable([vcekEntry(), vcekEntry(lab.amd.vcek({ product: 'Milan' }).der)])),
  ],
  [
    '16 of section 15: bytes behind the certificate',
    'snp-certificate-malformed',
    () => tabled(certTable([vcekEntry(Buffer.concat([milan.der, Buffer.of(0)]))])),
  ],
  ['22 of section 15: an empty table and an unknown chip', 'collateral-unavailable', () => tabled(certTable([]))],
  [
    '22 of section 15: a VLEK report without its VLEK',
    'snp-vek-missing',
    () => ({ report: signedReport(lab.amd.vlek({ product: 'Milan' })) }),
  ],
]

const session = () => new Uint8Array(randomBytes(64))
const SESSION: readonly Row[] = [
  [
    '72: REPORT_DATA of another session',
    'snp-report-data-mismatch',
    () => ({ ...lab.genuine({ vek: milan, fields: { reportData: session() } }), reportData: session() }),
  ],
  [
    '72: REPORT_DATA right in all but the last byte',
    'snp-report-data-mismatch',
    () => ({ ...lab.genuine({ vek: milan }), reportData: new Uint8Array(64).fill(1, 63) }),
  ],
  [
    '61 of section 15: 32 bytes expected',
    'snp-report-data-profile-invalid',
    () => ({ ...lab.genuine({ vek: milan }), reportData: new Uint8Array(32) }),
  ],
  [
    '61 of section 15: 65 bytes expected',
    'snp-report-data-profile-invalid',
    () => ({ ...lab.genuine({ vek: milan }), reportData: new Uint8Array(65) }),
  ],
]

/** Of the checks of the two revocation lists. */
const outcomes = ({ checks }: Answer) => checks.filter((check) => check.id === 'SNP-36').map((check) => check.outcome)

describe('what the matrix starts from is accepted:', () => {
  it.each<readonly [string, () => Exhibit]>([
    ['the VEK’s own serial number on a list (it is 0 for all)', () => listed({ revoked: [0n, 5n] })],
    ['an ASVK revoked beside a VCEK', () => listed({ revoked: [serialOf('asvk')] })],
    ['the number and date that were seen before', () => marked({ number: 5n, thisUpdate: days(-1) }, { number: 5n, thisUpdate: days(-1) })],
    ['a newer list', () => marked({ number: 5n, thisUpdate: days(-2) }, { number: 6n, thisUpdate: days(-1) })],
    ['the VEK in the table, DER', () => tabled(certTable([vcekEntry()]))],
    ['the VEK in the table, PEM', () => tabled(certTable([vcekEntry(Buffer.from(pem(milan.der)))]))],
    [
      'the session’s own REPORT_DATA',
      () => ({
        ...lab.genuine({ vek: milan, fields: { reportData: new Uint8Array(64).fill(7) } }),
        reportData: new Uint8Array(64).fill(7),
      }),
    ],
  ])('%s', async (_, make) => {
    expect((await lab.judge(make())).code).toBe('accepted')
  })

  it('no lists in mode prefer, with a warning that the mode tolerates', async () => {
    const answer = await lab.judge(unlisted('prefer', ['vcek', 'vlek']))
    expect(answer.claims).toBe(true)
    expect(outcomes(answer)).toEqual(['warn', 'warn'])
    expect(answer.code).toBe('accepted')
  })

  it('any lists in mode DANGEROUSLY_OFF but those that revoke, and never as checked', async () => {
    for (const exhibit of [unlisted('DANGEROUSLY_OFF', ['vcek', 'vlek']), { ...listed({ nextUpdate: days(-1) }), policy: OFF }]) {
      const answer = await lab.judge(exhibit)
      expect(answer.code).toBe('accepted')
      expect(outcomes(answer)).toEqual(['skip', 'skip'])
    }
  })
})

describe.each([
  ['revocation', REVOKED],
  ['revocation lists', LISTS],
  ['certificate tables', TABLES],
  ['the session', SESSION],
] as const)('section 16, %s', (_, rows) => {
  it.each(rows)('row %s → %s', async (_change, code, make) => {
    const answer = await lab.judge(make())
    expect(answer.code).toBe(code)
    expect(answer.claims).toBe(false)
  })
})
