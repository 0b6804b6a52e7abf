import { beforeAll, describe, expect, it } from 'vitest'
import { pem } from '../src/simulator/envelopes.ts'
import type { TcbInfoRequest } from '../src/simulator/intel-documents.ts'
import { ISV_LEVELS, isvSvnAt, MODULES, platformAt, platformLevels, type PlatformStatus } from '../src/simulator/intel-levels.ts'
import type { QuoteChanges, TdxHostOptions } from '../src/simulator/intel-hosts.ts'
import { teeTcbSvn } from '../src/simulator/td-report.ts'
import { parseCertificate } from '../src/verifiers/x509.ts'
import { tdxLab, type DocumentChanges, type TdxExhibit, type TdxLab } from './tdx-lab.ts'

// Specification tdx.md section 11, the rows about lists, signed documents and the TCB. Documents are signed anew after each change
// unless the row is about the signature.

let lab: TdxLab
beforeAll(() => {
  lab = tdxLab()
})

type Row = readonly [change: string, code: string, make: () => TdxExhibit]

const withDocuments = (changes: DocumentChanges, quote: QuoteChanges = {}): TdxExhibit => ({
  quote: lab.quote(quote),
  documents: lab.documents(changes),
})
const at = (ms: number): Date => new Date(lab.now.getTime() + ms)
const DAY = 86_400_000
/** A list as it is, with the last byte of its signature changed. */
function spoiled(der: Uint8Array): Uint8Array {
  const changed = der.slice()
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
  return changed
}
const serialOf = (role: 'platform' | 'tcb-signing') => parseCertificate(lab.intel.authority(role).der).serial

const LISTS: readonly Row[] = [
  ['40: PCK list empty', 'tdx-pck-crl-malformed', () => withDocuments({ pckCrl: new Uint8Array() })],
  ['40: PCK list garbage', 'tdx-pck-crl-malformed', () => withDocuments({ pckCrl: Uint8Array.of(0) })],
  ['40: PCK list a certificate', 'tdx-pck-crl-malformed', () => withDocuments({ pckCrl: lab.td.pck.der })],
  ['40: root list garbage', 'tdx-root-crl-malformed', () => withDocuments({ rootCrl: Uint8Array.of(0x30, 0x00) })],
  ['41: list of the Processor CA', 'tdx-pck-crl-issuer-mismatch', () => withDocuments({ pckCrl: { issuer: 'processor' } })],
  [
    '42: one bit of the PCK list’s signature',
    'tdx-pck-crl-invalid-signature',
    () => withDocuments({ pckCrl: spoiled(lab.intel.crl({ issuer: 'platform' })) }),
  ],
  [
    '42: one bit of the root list’s signature',
    'tdx-root-crl-invalid-signature',
    () => withDocuments({ rootCrl: spoiled(lab.intel.crl({ issuer: 'root' })) }),
  ],
  ['43: PCK list expired', 'tdx-crl-expired', () => withDocuments({ pckCrl: { nextUpdate: at(-1000) } })],
  ['43: root list expired', 'tdx-crl-expired', () => withDocuments({ rootCrl: { nextUpdate: at(-1000) } })],
  ['44: PCK list of tomorrow', 'tdx-crl-not-yet-valid', () => withDocuments({ pckCrl: { thisUpdate: at(1000) } })],
  ['45: the leaf on the PCK list', 'tdx-pck-cert-revoked', () => withDocuments({ pckCrl: { revoked: [lab.td.pck.serial] } })],
  ['46: the PCK CA on the root list', 'tdx-intermediate-ca-revoked', () => withDocuments({ rootCrl: { revoked: [serialOf('platform')] } })],
  [
    '47: the TCB signer on the root list',
    'tdx-tcb-signing-cert-revoked',
    () => withDocuments({ rootCrl: { revoked: [serialOf('tcb-signing')] } }),
  ],
  ['no PCK list', 'tdx-pck-crl-missing', () => withDocuments({ pckCrl: 'absent' })],
  ['no root list', 'tdx-root-crl-missing', () => withDocuments({ rootCrl: 'absent' })],
  ['no TCB info', 'collateral-unavailable', () => withDocuments({ tcbInfo: 'absent' })],
  ['nothing at all', 'collateral-unavailable', () => ({ quote: lab.quote(), documents: new Map() })],
  [
    'a revoked leaf, and no TCB info',
    'tdx-pck-cert-revoked',
    () => withDocuments({ tcbInfo: 'absent', pckCrl: { revoked: [lab.td.pck.serial] } }),
  ],
]

/** The TCB info with its answer rewritten: the signature stays that of the text as it was. */
const rewritten = (rewrite: (text: string) => string): TdxExhibit =>
  withDocuments({ tcbInfo: { wrap: (text, signature) => `{"tcbInfo":${rewrite(text)},"signature":"${signature}"}` } })
const changed = (change: NonNullable<TcbInfoRequest['change']>): TdxExhibit => withDocuments({ tcbInfo: { change } })
const signedText = (text: NonNullable<TcbInfoRequest['text']>): TdxExhibit => withDocuments({ tcbInfo: { text } })

/** A TDX TCB info is served for the address of another FMSPC. */
const foreignFmspc = () => lab.intel.tcbInfo({ fmspc: '90c06f000000' })
const chainOf = (...ders: readonly Uint8Array[]) => new Uint8Array(Buffer.from(ders.map((der) => pem(der)).join('')))

const DOCUMENTS: readonly Row[] = [
  ['48: white space inside tcbInfo', 'tdx-tcb-info-invalid-signature', () => rewritten((text) => text.replace(':', ': '))],
  [
    '49: members of tcbInfo reordered',
    'tdx-tcb-info-invalid-signature',
    () => rewritten((text) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(text) as object).toReversed()))),
  ],
  ['50: tcbStatus changed', 'tdx-tcb-info-invalid-signature', () => rewritten((text) => text.replace('"OutOfDate"', '"UpToDate"'))],
  [
    '51: a second, unsigned tcbInfo',
    'tdx-tcb-info-malformed',
    () => withDocuments({ tcbInfo: { wrap: (text, signature) => `{"tcbInfo":${text},"tcbInfo":{},"signature":"${signature}"}` } }),
  ],
  [
    '51: a second member inside',
    'tdx-tcb-info-malformed',
    () => signedText((text) => text.replace('"version":3', '"version":3,"version":3')),
  ],
  ['52: TCB info of another FMSPC', 'tdx-fmspc-mismatch', () => withDocuments({ tcbInfo: foreignFmspc() })],
  ['53: SGX TCB info for a TDX quote', 'tdx-tcb-info-mismatch', () => withDocuments({ tcbInfo: lab.intel.tcbInfo({ tee: 'sgx' }) })],
  [
    '54: SGX QE identity for a TDX quote',
    'tdx-qe-identity-mismatch',
    () => withDocuments({ qeIdentity: lab.intel.qeIdentity({ tee: 'sgx' }) }),
  ],
  ['55: TCB info expired', 'tdx-tcb-info-expired', () => withDocuments({ tcbInfo: { nextUpdate: at(-1000) } })],
  ['55: QE identity expired', 'tdx-qe-identity-expired', () => withDocuments({ qeIdentity: { nextUpdate: at(-1000) } })],
  ['56: TCB info of tomorrow', 'tdx-tcb-info-not-yet-valid', () => withDocuments({ tcbInfo: { issueDate: at(1000) } })],
  ['56: QE identity of tomorrow', 'tdx-qe-identity-not-yet-valid', () => withDocuments({ qeIdentity: { issueDate: at(1000) } })],
  ['57: the PCK chain as signing chain', 'tdx-tcb-signing-chain-invalid', () => withDocuments({ tcbInfo: { chain: lab.td.pck.chain } })],
  [
    '57: a PCK in the signer’s place',
    'tdx-tcb-signing-chain-invalid',
    () =>
      withDocuments({
        tcbInfo: { chain: [lab.td.pck.der, lab.intel.authority('root').der], signWith: lab.td.pck.privateKey },
      }),
  ],
  [
    '58: a TCB signer whose time is over',
    'tdx-certificate-expired',
    () => {
      const signer = lab.intel.reissue('tcb-signing', { notBefore: at(-900 * DAY), notAfter: at(-DAY) })
      return withDocuments({ tcbInfo: { chain: [signer.der, lab.intel.authority('root').der] } })
    },
  ],
  ['60: a status that nobody knows', 'tdx-tcb-status-unrecognized', () => leveled([{ status: 'Fine' }])],
  ['61: a component of 256', 'tdx-tcb-info-malformed', () => leveled([{ sgx: [256, ...platformAt('UpToDate').components.slice(1)] }])],
  ['62: 15 TDX components', 'tdx-tcb-info-malformed', () => leveled([{ tdx: Array.from({ length: 15 }, () => 0) }])],
  ['a version that nobody knows', 'tdx-tcb-info-version-unsupported', () => changed((info) => ({ ...info, version: 4 }))],
  ['a number beyond 2^53', 'tdx-tcb-info-malformed', () => signedText((text) => text.replace('"pcesvn":11', '"pcesvn":9007199254740993'))],
  ['a fraction', 'tdx-tcb-info-malformed', () => signedText((text) => text.replace('"pcesvn":11', '"pcesvn":11.0'))],
  ['a date that does not exist', 'tdx-tcb-info-malformed', () => changed((info) => ({ ...info, issueDate: '2026-02-30T00:00:00Z' }))],
  [
    '81: nested 10,000 deep, unsigned',
    'tdx-tcb-info-malformed',
    () => rewritten((text) => text.replace('{', `{"x":${'['.repeat(10_000)}${']'.repeat(10_000)},`)),
  ],
  [
    '82: QE identity of version 3',
    'tdx-qe-identity-malformed',
    () => withDocuments({ qeIdentity: { change: (own) => ({ ...own, version: 3 }) } }),
  ],
  ['85: two modules TDX_01', 'tdx-tcb-info-malformed', () => withDocuments({ tcbInfo: { modules: [...MODULES, ...MODULES.slice(1)] } })],
  [
    'an older TCB info than was seen before',
    'tdx-collateral-rollback',
    () => ({
      ...withDocuments({}),
      marks: new Map([['intel/tcb-info/tdx/00806f050000/standard', { number: 0n, thisUpdate: lab.now }] as const]),
    }),
  ],
]

/** The standard levels with fields of the newest changed. */
function leveled(changes: readonly object[]): TdxExhibit {
  const [newest, ...others] = platformLevels('standard')
  const levels = newest === undefined ? [] : [{ ...newest, ...changes[0] }, ...others]
  return withDocuments({ tcbInfo: { levels } })
}

/** A host on a platform at a level, its documents beside it. */
function onPlatform(
  status: PlatformStatus | 'none',
  { documents = {}, ...options }: TdxHostOptions & { documents?: DocumentChanges } = {},
): TdxExhibit {
  const host = lab.host({ ...options, pck: platformAt(status) })
  return { quote: host.quote(new Uint8Array(64)), documents: lab.documents(documents) }
}

const running = (launch: Uint8Array, current: Uint8Array): TdxExhibit => ({
  quote: lab.quote({ td: { teeTcbSvn: launch, teeTcbSvn2: current } }, lab.td15),
})
const minor = (status: keyof typeof isvSvnAt) => teeTcbSvn(isvSvnAt[status])
/** Late microcode at which the platform is out of date. */
const OLD_MICROCODE = 6

const TCB: readonly Row[] = [
  ['59: a matching level that is revoked', 'tdx-tcb-revoked', () => onPlatform('Revoked')],
  ['a platform below every level', 'tdx-tcb-not-supported', () => onPlatform('none')],
  ['64: module of major 1, no identities', 'tdx-tcb-info-mismatch', () => withDocuments({ tcbInfo: { modules: 'absent' } })],
  ['65: module of major 2, not listed', 'tdx-tdx-module-mismatch', () => ({ quote: lab.quote({ td: { teeTcbSvn: teeTcbSvn(5, 2) } }) })],
  [
    '66: module below all its levels',
    'tdx-tdx-module-tcb-not-supported',
    () => ({ quote: lab.quote({ td: { teeTcbSvn: minor('none') } }) }),
  ],
  [
    '67: quoting enclave below all its levels',
    'tdx-qe-tcb-not-supported',
    () => ({ quote: lab.quote({ qe: { report: { isvSvn: isvSvnAt.none } } }) }),
  ],
  ['67: a revoked quoting enclave', 'tdx-tcb-revoked', () => ({ quote: lab.quote({ qe: { report: { isvSvn: isvSvnAt.Revoked } } }) })],
  ['83: launched well, now revoked', 'tdx-tcb-revoked', () => running(minor('UpToDate'), minor('Revoked'))],
  ['84: current module of a major without identity', 'tdx-tdx-module-tcb-not-supported', () => running(minor('UpToDate'), teeTcbSvn(5, 2))],
  ['a current TCB below the one at launch', 'tdx-tcb-status-not-accepted', () => running(minor('UpToDate'), minor('OutOfDate'))],
]

const status = async (exhibit: TdxExhibit): Promise<string | undefined> =>
  (await lab.judge({ ...exhibit, policy: { accepted_tcb_statuses: ['UpToDate'], tee_tcb_svn2_regression: 'warn' } })).tcb

describe.each([
  ['lists', LISTS],
  ['documents', DOCUMENTS],
  ['TCB', TCB],
])('negative matrix of TDX: %s', (_, rows) => {
  it.each(rows)('%s → %s', async (_change, code, make) => {
    expect((await lab.judge(make())).code).toBe(code)
  })
})

const ascending = (): TdxExhibit =>
  onPlatform('SWHardeningNeeded', {
    documents: {
      tcbInfo: {
        levels: platformLevels('standard').toReversed(),
        modules: MODULES.map((own) => ({ ...own, levels: ISV_LEVELS.toReversed() })),
      },
    },
  })

/** Launched on late microcode that is out of date; the rest of the platform is as its level says. */
function relaunched(platform: PlatformStatus): TdxExhibit {
  const host = lab.host({ body: 'td-report-1.5', pck: platformAt(platform) })
  const td = { teeTcbSvn: teeTcbSvn(5, 1, OLD_MICROCODE), teeTcbSvn2: teeTcbSvn(5) }
  return { quote: host.quote(new Uint8Array(64), { td }) }
}

describe('negative matrix of TDX: status', () => {
  const qeOld = { qe: { report: { isvSvn: isvSvnAt.OutOfDate } } }
  const rows: readonly (readonly [string, string, () => TdxExhibit])[] = [
    ['63: levels in ascending order', 'SWHardeningNeeded', () => ascending()],
    ['68: ConfigurationNeeded, quoting enclave OutOfDate', 'OutOfDateConfigurationNeeded', () => onPlatform('ConfigurationNeeded', qeOld)],
    ['69: launched OutOfDate, now UpToDate', 'TDRelaunchAdvised', () => running(minor('OutOfDate'), minor('UpToDate'))],
    ['70: launched OutOfDate, now ConfigurationNeeded', 'TDRelaunchAdvisedConfigurationNeeded', () => relaunched('ConfigurationNeeded')],
    ['83: launched UpToDate, now OutOfDate', 'OutOfDate', () => running(minor('UpToDate'), minor('OutOfDate'))],
  ]

  it.each(rows)('%s → %s', async (_, expected, make) => {
    expect(await status(make())).toBe(expected)
  })
})

describe('negative matrix of TDX: the ends of windows', () => {
  const rows = [
    ['tcbInfo', 'tdx-tcb-info'],
    ['qeIdentity', 'tdx-qe-identity'],
  ] as const
  const [from, until] = [-30 * DAY, 30 * DAY]

  it.each(rows)('90: %s at issueDate and nextUpdate, and one second outside', async (document, code) => {
    const documents = lab.documents({ ...wide(), [document]: { issueDate: at(-DAY / 24), nextUpdate: at(DAY / 24) } })
    const judged = async (ms: number) => (await lab.judge({ quote: lab.quote(), documents, at: at(ms) })).code
    const [early, late] = [-DAY / 24, DAY / 24]
    expect([await judged(early), await judged(late)]).toEqual(['accepted', 'accepted'])
    expect([await judged(early - 1000), await judged(late + 1000)]).toEqual([`${code}-not-yet-valid`, `${code}-expired`])
  })

  /** Documents that are current at any time that a row asks about. */
  const wide = (): DocumentChanges => ({
    tcbInfo: { issueDate: at(from), nextUpdate: at(until) },
    qeIdentity: { issueDate: at(from), nextUpdate: at(until) },
    pckCrl: { thisUpdate: at(from), nextUpdate: at(until) },
    rootCrl: { thisUpdate: at(from), nextUpdate: at(until) },
  })

  it('57: the chain of the real signer in another spelling is accepted', async () => {
    const issuerChain = chainOf(lab.intel.authority('tcb-signing').der, lab.intel.authority('root').der)
    const { body } = lab.intel.tcbInfo()
    expect((await lab.judge(withDocuments({ tcbInfo: { body, issuerChain } }))).code).toBe('accepted')
  })
})
