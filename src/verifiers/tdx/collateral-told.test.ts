import { beforeAll, describe, expect, it } from 'vitest'
import {
  AT,
  UNKNOWN_EXTENSION,
  bare,
  intelLab,
  type CollateralChanges,
  type CollateralLabOfIntel,
} from '../../../test/tdx-collateral-lab.ts'
import { p256Keys } from '../../simulator/intel-authorities.ts'
import { fakeIntel } from '../../simulator/intel.ts'
import { teeTcbSvn } from '../../simulator/td-report.ts'
import { anchorsOf } from '../anchors.ts'

const HOUR = 3_600_000
let lab: CollateralLabOfIntel
beforeAll(() => {
  lab = intelLab()
})

/** Every check: number, title, outcome, what was found. */
const told = (changes: CollateralChanges = {}): readonly string[] =>
  lab.judge(changes).checks.map(({ id, title, outcome, actual }) => `${id} ${title} | ${outcome} | ${actual}`)
/** The same of what failed or was tolerated. */
const faults = (changes: CollateralChanges): readonly string[] => told(changes).filter((line) => / \| (fail|warn) \| /.test(line))
const serial = (role: 'root' | 'platform' | 'tcb-signing'): string => lab.intel.authority(role).serial.toString(16)

const DAYS = 'from 2026-11-23T11:00:00Z to 2026-12-23T11:00:00Z'
const YEAR = 'from 2026-11-23T11:00:00Z to 2027-11-23T11:00:00Z'

/** What is told of a document that is as it should be. */
const documentLines = (name: string, [signed, form, dates]: readonly [number, number, number]): readonly string[] => [
  `TDX-35 The ${name} comes with the chain of Intel’s TCB signing key | pass | signer and root`,
  expect.stringMatching(
    new RegExp(
      `^TDX-30 Every certificate is valid now: ${name} chain \\| pass \\| Intel SGX Root CA from .*; Intel SGX TCB Signing from .*; now 2026-11-23T12:00:00.000Z$`,
    ),
  ) as string,
  `TDX-29 The key that signed the ${name} is not revoked | pass | serial ${serial('tcb-signing')}`,
  `TDX-${signed} The ${name} is signed by Intel | pass | as it should be`,
  `TDX-${form} The ${name} follows its specification | pass | as it should be`,
  `TDX-59 Every TCB status in the ${name} is known | pass | as it should be`,
  `TDX-${dates} The ${name} is current | pass | ${DAYS}`,
  `TDX-34 Not older than what was seen before: ${name} | pass | none was seen before`,
]

describe('healthy collateral says what was looked at', () => {
  it('of both lists and both documents', () => {
    expect(told().slice(0, 9)).toEqual([
      expect.stringMatching(/^TDX-28 Revocation list of the root \| pass \| number 1, .*, 0 revoked$/),
      `TDX-31 Revocation list of the root is current | pass | ${YEAR}`,
      `TDX-29 The PCK authority is not revoked | pass | serial ${serial('root')}, ${serial('platform')}`,
      'TDX-34 Not older than what was seen before: revocation list of the root | pass | none was seen before',
      expect.stringMatching(/^TDX-27 Revocation list of the PCK authority \| pass \| number 1, .*, 0 revoked$/),
      `TDX-31 Revocation list of the PCK authority is current | pass | ${DAYS}`,
      expect.stringMatching(/^TDX-29 The PCK certificate is not revoked \| pass \| serial [0-9a-f]+$/),
      'TDX-34 Not older than what was seen before: revocation list of the pck authority | pass | none was seen before',
      'TDX-88 TCB info and QE identity are at hand | pass | both',
    ])
    expect(told().slice(9, 25)).toEqual([...documentLines('TCB info', [36, 38, 32]), ...documentLines('QE identity', [37, 39, 33])])
  })

  it('of the TCB of a TD', () => {
    const lines = told().slice(25)
    expect(lines).toEqual([
      'TDX-40 The TCB info is for this kind of TEE | pass | tdx',
      'TDX-43 The QE identity is that of the enclave that signs such quotes | pass | TD_QE',
      'TDX-41 The TCB info is for this family of platforms | pass | 00806f050000',
      'TDX-42 The TCB info is for this provisioning certification enclave | pass | 0000',
      'TDX-47 MISCSELECT of the quoting enclave under its mask | pass | 00000000',
      'TDX-48 ATTRIBUTES of the quoting enclave under their mask | pass | 11000000000000000000000000000000',
      'TDX-49 MRSIGNER of the quoting enclave | pass | dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5',
      'TDX-50 ISVPRODID of the quoting enclave | pass | 2',
      'TDX-51 The quoting enclave does not run in debug mode | pass | 1500000000000000e700000000000000',
      'TDX-53 Intel knows a TDX module of this major version | pass | major version 1',
      `TDX-54 The TDX module was signed by Intel | pass | ${'00'.repeat(48)}`,
      'TDX-55 The TDX module has Intel’s attributes, all zero | pass | 0000000000000000',
      expect.stringMatching(
        /^TDX-56 The platform reaches a TCB level \| pass \| SGX components 7 7 .*, PCESVN 11, TEE_TCB_SVN 050107[0-9a-f]{26}: UpToDate, 2025-08-13T00:00:00Z$/,
      ),
      'TDX-57 The TDX module reaches a TCB level | pass | major 1, SVN 5: UpToDate, 2025-08-13T00:00:00Z',
      'TDX-58 The quoting enclave reaches a TCB level | pass | ISVSVN 5: UpToDate, 2025-08-13T00:00:00Z',
      'TDX-60 The TCB is not revoked | pass | UpToDate',
    ])
  })

  it('of an enclave, which has no TDX module', () => {
    const lines = told({ tee: 'sgx' })
    for (const id of ['TDX-53', 'TDX-54', 'TDX-55'])
      expect(lines.find((line) => line.startsWith(id))).toMatch(/ \| skip \| an SGX quote has no TDX module$/)
    expect(lines).toContain('TDX-57 The TDX module reaches a TCB level | skip | SGX has none')
    expect(lines.find((line) => line.startsWith('TDX-56'))).toMatch(/, PCESVN 11: UpToDate, 2025-08-13T00:00:00Z$/)
  })

  it('of both TCBs of a TD 1.5', () => {
    const lines = told({ td: { teeTcbSvn2: teeTcbSvn(5) } })
    expect(lines.filter((line) => line.includes('current TCB (TEE_TCB_SVN_2)')).map((line) => line.slice(0, 6))).toEqual([
      'TDX-56',
      'TDX-57',
      'TDX-58',
    ])
    expect(lines.at(-1)).toBe('TDX-60 The TCB is not revoked | pass | launch UpToDate, current UpToDate')
  })
})

const ROOT_LIST = 'TDX-28 Revocation list of the root | fail |'
const PCK_LIST = 'TDX-27 Revocation list of the PCK authority | fail |'
const CHAIN = 'TDX-35 The TCB info comes with the chain of Intel’s TCB signing key | fail |'
const NAME = 'O=Intel Corporation, L=Santa Clara, ST=CA, C=US'

const signer = (overrides: Parameters<CollateralLabOfIntel['intel']['reissue']>[1]): CollateralChanges =>
  lab.info({ chain: [lab.intel.reissue('tcb-signing', overrides).der, lab.intel.authority('root').der] })

describe('collateral that is refused says what was found', () => {
  const stranger = p256Keys()
  it.each<[line: string, changes: () => CollateralChanges]>([
    [`${ROOT_LIST} ${AT.root} is not at hand`, () => ({ documents: { [AT.root]: undefined } })],
    [`${PCK_LIST} ${AT.pck} is not at hand`, () => ({ documents: { [AT.pck]: undefined } })],
    [`${PCK_LIST} the chain is longer than the document`, () => ({ documents: { [AT.pck]: Uint8Array.of(9, 0, 0, 0, 1) } })],
    [
      `${ROOT_LIST} root-crl: issued by CN=Intel SGX PCK Platform CA, ${NAME}`,
      () => ({ documents: { [AT.root]: bare(lab.intel.crl({ issuer: 'platform' })) } }),
    ],
    [
      `${ROOT_LIST} root-crl: not signed by its issuer with ecdsa-with-SHA256`,
      () => ({ documents: { [AT.root]: bare(fakeIntel().crl({ issuer: 'root' })) } }),
    ],
    [`${ROOT_LIST} root-crl: lacks cRLNumber`, () => lab.root({ overrides: { extensions: (all) => all.slice(1) } })],
    [`${PCK_LIST} pck-crl: lacks cRLNumber, authorityKeyIdentifier`, () => lab.pck({ overrides: { extensions: () => [] } })],
    [
      `${PCK_LIST} pck-crl: extension 1.2.3.4 is not understood`,
      () => lab.pck({ overrides: { extensions: (all) => [...all, UNKNOWN_EXTENSION] } }),
    ],
    [
      'TDX-31 Revocation list of the PCK authority is current | fail | from 2026-11-23T11:00:00Z to no time, now 2026-11-23T12:00:00.000Z',
      () => lab.pck({ nextUpdate: 'absent' }),
    ],
    [
      'TDX-31 Revocation list of the root is current | fail | from 2026-11-23T13:00:00Z to 2027-11-23T11:00:00Z, now 2026-11-23T12:00:00.000Z',
      () => lab.root({ thisUpdate: lab.at(HOUR), nextUpdate: new Date('2027-11-23T11:00:00Z') }),
    ],
    [
      'TDX-34 Not older than what was seen before: TCB info | fail | from 2026-11-23T11:00:00Z to 2026-12-23T11:00:00Z; the record of the newest could not be read',
      () => ({ marks: new Map([[AT.info, 'strictest' as const]]) }),
    ],
    [
      'TDX-34 Not older than what was seen before: QE identity | fail | from 2026-11-23T11:00:00Z to 2026-12-23T11:00:00Z; newest seen 2026-11-23T12:00:00.000Z',
      () => ({ marks: new Map([[AT.identity, { number: 0n, thisUpdate: lab.now }]]) }),
    ],
    [`${CHAIN} the chain is longer than the document`, () => ({ documents: { [AT.info]: Uint8Array.of(9, 0, 0, 0, 1) } })],
    [`${CHAIN} tcb-signing-chain: 1 certificates, not 2`, () => lab.info({ chain: [lab.intel.authority('tcb-signing').der] })],
    [`${CHAIN} tcb-signing-chain: the certificate is called CN=Intel SGX, ${NAME}`, () => signer({ commonName: 'Intel SGX' })],
    [`${CHAIN} tcb-signing-chain: the certificate is not signed by its issuer`, () => signer({ signingKey: stranger.privateKey })],
    [`${CHAIN} tcb-signing-chain: the certificate is not signed with ecdsa-with-SHA256`, () => signer({ scheme: 'ecdsa-sha384' })],
    [
      `${CHAIN} tcb-signing-chain: the certificate lacks subjectKeyIdentifier`,
      () => signer({ extensions: (all) => all.filter(({ oid }) => oid !== '2.5.29.14') }),
    ],
    [
      `${CHAIN} tcb-signing-chain: the root lacks subjectKeyIdentifier`,
      () =>
        lab.info({
          chain: [
            lab.intel.authority('tcb-signing').der,
            lab.intel.reissue('root', { extensions: (all) => all.filter(({ oid }) => oid !== '2.5.29.14') }).der,
          ],
        }),
    ],
    [
      `${CHAIN} the chain ends in another root`,
      () => {
        const other = fakeIntel({ now: lab.now })
        return { anchors: anchorsOf([], [...lab.intel.anchors(), ...other.anchors()]), documents: { [AT.info]: other.tcbInfo() } }
      },
    ],
    [
      'TDX-36 The TCB info is signed by Intel | fail | not signed by the TCB signing key',
      () => lab.info({ signWith: stranger.privateKey }),
    ],
    [
      'TDX-37 The QE identity is signed by Intel | fail | not signed by the TCB signing key',
      () => lab.identity({ signWith: stranger.privateKey }),
    ],
    [
      'TDX-38 The TCB info follows its specification | fail | tcbInfo.pceId is not 2 bytes in hex',
      () => lab.info({ text: (text) => text.replace('"pceId":"0000"', '"pceId":"00"') }),
    ],
    [
      'TDX-59 Every TCB status in the TCB info is known | fail | tcbStatus Fine',
      () => lab.info({ text: (text) => text.replace('"Revoked"', '"Fine"') }),
    ],
    [
      'TDX-42 The TCB info is for this provisioning certification enclave | fail | 0100',
      () => lab.info({ text: (text) => text.replace('"pceId":"0000"', '"pceId":"0100"') }),
    ],
    [
      'TDX-47 MISCSELECT of the quoting enclave under its mask | fail | 01000000',
      () => ({ qe: { miscSelect: Uint8Array.of(1, 0, 0, 0) } }),
    ],
    ['TDX-50 ISVPRODID of the quoting enclave | fail | 3', () => ({ qe: { isvProdId: 3 } })],
    [
      'TDX-53 Intel knows a TDX module of this major version | fail | major version 9',
      () => ({ td: { teeTcbSvn: teeTcbSvn(5).with(1, 9) } }),
    ],
    [
      `TDX-54 The TDX module was signed by Intel | fail | 01${'00'.repeat(47)}`,
      () => ({ td: { mrSignerSeam: new Uint8Array(48).with(0, 1) } }),
    ],
    [
      'TDX-55 The TDX module has Intel’s attributes, all zero | fail | 0100000000000000',
      () => ({ td: { seamAttributes: new Uint8Array(8).with(0, 1) } }),
    ],
    ['TDX-57 The TDX module reaches a TCB level | fail | major 1, SVN 0', () => ({ td: { teeTcbSvn: teeTcbSvn(5).with(0, 0) } })],
    ['TDX-58 The quoting enclave reaches a TCB level | fail | ISVSVN 0', () => ({ qe: { isvSvn: 0 } })],
  ])('%s', (line, changes) => expect(faults(changes())).toEqual([line]))
})

describe('checks that were not made', () => {
  it('are named all the same', () => {
    // TDX-30 is of chains, of which there is none here; that of the PCK chain is made with the quote.
    const made = lab.judge().checks.flatMap(({ id }) => (id === 'TDX-30' ? [] : [id]))
    const { checks } = lab.judge({ documents: { [AT.info]: undefined, [AT.identity]: undefined } })
    expect(new Set(checks.map(({ id }) => id))).toEqual(new Set(made))
    const skipped = checks.slice(checks.findIndex(({ id }) => id === 'TDX-88') + 1)
    expect(skipped.map(({ outcome, actual }) => `${outcome} ${actual}`)).toEqual(skipped.map(() => 'skip not reached'))
    expect(checks.find(({ id }) => id === 'TDX-88')?.actual).toBe(`not at hand: ${AT.info}, ${AT.identity}`)
  })

  it('say of a document whose signature is not Intel’s that another fault came first', () => {
    const lines = told(lab.info({ signWith: p256Keys().privateKey }))
    expect(lines).toContain('TDX-38 The TCB info follows its specification | skip | another fault came first')
    expect(lines).toContain('TDX-59 Every TCB status in the TCB info is known | skip | another fault came first')
  })

  it('say of certificates that no list is at hand', () => {
    const lines = told({ documents: { [AT.root]: undefined } })
    const nothing = 'skip | no list that can be relied on is at hand'
    expect(lines).toContain(`TDX-29 The PCK authority is not revoked | ${nothing}`)
    expect(lines).toContain(`TDX-29 The key that signed the TCB info is not revoked | ${nothing}`)
  })

  it('say of a TCB that no part of it can be revoked where one reaches no level', () => {
    expect(told({ qe: { isvSvn: 0 } }).at(-1)).toBe('TDX-60 The TCB is not revoked | skip | a part reaches no level')
    const unknown = told({ td: { teeTcbSvn: teeTcbSvn(5).with(1, 9) } })
    expect(unknown).toContain('TDX-54 The TDX module was signed by Intel | skip | the module is not known')
  })
})
