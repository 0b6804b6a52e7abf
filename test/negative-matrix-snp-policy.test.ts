import { beforeAll, describe, expect, it } from 'vitest'
import type { ReportFields } from '../src/simulator/report.ts'
import type { FakeVek } from '../src/simulator/veks.ts'
import { snpLab, type Exhibit, type Lab } from './snp-lab.ts'

// Specification snp.md section 16, the rows that honest evidence can meet: the report is genuine, and the policy refuses it.
// The policy is the strict preset with the simulator's measurement listed, and what a row adds to it.

let lab: Lab
let milan: FakeVek
beforeAll(async () => {
  lab = await snpLab({ products: ['Milan'] })
  milan = lab.amd.vcek({ product: 'Milan' })
})

type Row = readonly [change: string, code: string, make: () => Exhibit]

const milanWith = (fields: Partial<ReportFields>, policy: Exhibit['policy'] = {}): Exhibit => ({
  ...lab.genuine({ vek: milan, fields }),
  policy,
})
/** The TCB of the chip's VEK, with a part changed. */
const tcb = (change: Partial<FakeVek['tcb']>) => ({ ...milan.tcb, ...change })
const digest = (byte: number) => new Uint8Array(48).fill(byte)
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

const GUEST: readonly Row[] = [
  ['7: version 2 under the minimum of 3', 'snp-report-version-below-minimum', () => milanWith({ version: 2 })],
  ['25: debug allowed', 'snp-policy-debug-allowed', () => milanWith({ policy: 0xb0000n })],
  ['26: MIGRATE_MA set', 'snp-policy-migrate-ma-allowed', () => milanWith({ policy: 0x70000n })],
  ['63 of section 15: another measurement', 'snp-measurement-mismatch', () => milanWith({ measurement: digest(9) })],
  ['69: alias check not made', 'snp-platform-alias-check-missing', () => milanWith({ platformInfo: 0x05n })],
  ['70: VMPL 1 where 0 is accepted', 'snp-vmpl-mismatch', () => milanWith({ vmpl: 1 })],
  [
    '79: untrusted ID key with the right measurement under require_id_block',
    'snp-id-key-untrusted',
    () => milanWith({ idKeyDigest: digest(1) }, { require_id_block: true, trusted_id_key_digests: [hex(digest(2))] }),
  ],
]

const FIRMWARE: readonly Row[] = [
  [
    '64: reported above current',
    'snp-tcb-reported-above-current',
    () => milanWith({ currentTcb: tcb({ microcode: 0xda }), committedTcb: tcb({ microcode: 0xda }) }),
  ],
  ['65: committed above current', 'snp-tcb-committed-above-current', () => milanWith({ committedTcb: tcb({ snp: 0x19 }) })],
  [
    '66: reported above committed',
    'snp-tcb-reported-above-committed',
    () => milanWith({ committedTcb: tcb({ microcode: 0xda }) }, { permit_provisional_firmware: true }),
  ],
  [
    '67: one part below the minimum while the 64-bit value is larger',
    'snp-tcb-reported-below-minimum',
    () => milanWith({}, { min_tcb: { reported: { milan: { bootloader: 5, snp: 1, microcode: 1 } } } }),
  ],
  [
    '68: launch below the minimum, reported above it',
    'snp-tcb-launch-below-minimum',
    () => milanWith({ launchTcb: tcb({ snp: 0x18, microcode: 0xd0 }) }, { min_tcb: { launch: { milan: { microcode: 0xd1 } } } }),
  ],
]

const ENDORSEMENT: readonly Row[] = [
  [
    '58: cspID not on the list',
    'snp-csp-id-untrusted',
    () => ({
      ...lab.genuine({ vek: lab.amd.vlek({ product: 'Milan', cspId: 'CN=other.example' }) }),
      policy: { csp_ids: ['CN=ours.example'] },
    }),
  ],
  [
    '24 of section 15: a kind of key that is not accepted',
    'snp-signing-key-forbidden',
    () => milanWith({}, { allowed_signing_keys: ['vlek'] }),
  ],
  ['37 of section 15: a denied chip', 'snp-vek-denied', () => milanWith({}, { denied_hwids: [hex(milan.hwid)] })],
]

describe.each([
  ['the guest', GUEST],
  ['firmware', FIRMWARE],
  ['the endorsement', ENDORSEMENT],
] as const)('section 16, %s', (_, rows) => {
  it.each(rows)('row %s → %s', async (_change, code, make) => {
    const answer = await lab.judge(make())
    expect(answer.code).toBe(code)
    // The evidence is genuine: nothing that the verifier asked has failed, and the policy's own check says so.
    expect(answer.claims).toBe(true)
    expect(answer.checks.some((check) => check.outcome === 'fail' && check.code === code)).toBe(true)
  })
})

describe('the same evidence is accepted by a policy that asks for less:', () => {
  it.each<readonly [string, () => Exhibit]>([
    ['debug', () => milanWith({ policy: 0xb0000n }, { guest_policy: { debug: 'DANGEROUSLY_ALLOW' } })],
    ['VMPL 1', () => milanWith({ vmpl: 1 }, { vmpl: [0, 1] })],
    ['a listed ID key', () => milanWith({ idKeyDigest: digest(1) }, { require_id_block: true, trusted_id_key_digests: [hex(digest(1))] })],
    ['minima that are met', () => milanWith({}, { min_tcb: { reported: { milan: { bootloader: 4, microcode: 0xdb } } } })],
    [
      'a listed provider',
      () => ({
        ...lab.genuine({ vek: lab.amd.vlek({ product: 'Milan', cspId: 'CN=ours.example' }) }),
        policy: { csp_ids: ['CN=ours.example'] },
      }),
    ],
  ])('%s', async (_, make) => {
    expect((await lab.judge(make())).code).toBe('accepted')
  })
})
