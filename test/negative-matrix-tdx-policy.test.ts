import { beforeAll, describe, expect, it } from 'vitest'
import { bootLog, CCEL, ccel, type CcelEvent } from '../src/simulator/ccel.ts'
import { dstackLog, DSTACK_SYSTEM, type DstackOptions } from '../src/simulator/dstack-log.ts'
import { SGX_FLAG, sgxAttributes } from '../src/simulator/enclave-report.ts'
import { isvSvnAt } from '../src/simulator/intel-levels.ts'
import { teeTcbSvn, type TdReportFields } from '../src/simulator/td-report.ts'
import { tdxLab, type TdxExhibit, type TdxLab } from './tdx-lab.ts'

// Specification tdx.md section 11, the rows about policy and event logs. Everything is genuine; what changes is what is measured.

let lab: TdxLab
beforeAll(() => {
  lab = tdxLab()
})

type Row = readonly [change: string, code: string, make: () => TdxExhibit]

const td = (fields: Partial<TdReportFields>): TdxExhibit => ({ quote: lab.quote({ td: fields }) })
const td15 = (fields: Partial<TdReportFields>, policy: Readonly<Record<string, unknown>> = {}): TdxExhibit => ({
  quote: lab.quote({ td: fields }, lab.td15),
  policy,
})
const SEPT_VE_DISABLE = 1n << 28n
const SERVICE_TD = new Uint8Array(48).fill(0x5e)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const DEBUG_ENCLAVE = sgxAttributes(SGX_FLAG.init | SGX_FLAG.debug | SGX_FLAG.mode64)

const POLICY: readonly Row[] = [
  ['71: MRSIGNERSEAM not zero', 'tdx-mrsigner-seam-mismatch', () => td({ mrSignerSeam: new Uint8Array(48).fill(1) })],
  ['72: a bit of SEAMATTRIBUTES', 'tdx-seam-attributes-mismatch', () => td({ seamAttributes: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0) })],
  ['73: DEBUG', 'tdx-td-debug', () => td({ tdAttributes: SEPT_VE_DISABLE | 1n })],
  ['73: another bit under test', 'tdx-td-tud-bits-set', () => td({ tdAttributes: SEPT_VE_DISABLE | (1n << 5n) })],
  ['74: SEPT_VE_DISABLE clear', 'tdx-sept-ve-disable-required', () => td({ tdAttributes: 0n })],
  ['75: a service TD', 'tdx-mrservicetd-not-allowed', () => td15({ mrServiceTd: SERVICE_TD })],
  ['76: REPORTDATA differs in its last byte', 'tdx-report-data-mismatch', () => ({ quote: lab.quote(), reportData: lastByte() })],
  ['86: a debug enclave', 'sgx-debug', () => ({ tee: 'sgx', quote: lab.quote({ enclave: { attributes: DEBUG_ENCLAVE } }, lab.enclave) })],
  [
    '69: a TD to be relaunched',
    'tdx-td-relaunch-advised',
    () => td15({ teeTcbSvn: teeTcbSvn(isvSvnAt.OutOfDate), teeTcbSvn2: teeTcbSvn(5) }),
  ],
  ['an unlisted MRTD', 'tdx-mrtd-not-allowed', () => td({ mrTd: new Uint8Array(48).fill(3) })],
]

function lastByte(): Uint8Array {
  const data = new Uint8Array(64)
  data[63] = 1
  return data
}

/** A quote whose registers are those of one log, with another log beside it. */
const logged = (quoted: { readonly rtmrs: TdReportFields['rtmrs'] }, sent: { readonly bytes: Uint8Array }): TdxExhibit => ({
  quote: lab.quote({ td: { rtmrs: quoted.rtmrs } }),
  eventLog: sent.bytes,
})
const EVENTS: readonly CcelEvent[] = [
  CCEL.configuration('SecureBoot', Uint8Array.of(1)),
  CCEL.separator(1),
  CCEL.action('Calling EFI Application from Boot Option'),
  CCEL.separator(2),
  CCEL.commandLine('/vmlinuz ro'),
]
const changedData = (event: CcelEvent): CcelEvent => ({
  ...event,
  data: event.data.map((byte, at) => (at === event.data.length - 1 ? byte ^ 1 : byte)),
})
const runtime = (options: DstackOptions): TdxExhibit => {
  const { bytes, rtmrs } = dstackLog(options)
  return { quote: lab.quote({ td: { rtmrs } }), runtimeLog: bytes }
}

/** A record that says to have 2^32 - 1 digests. */
function manyDigests(): Uint8Array {
  const { bytes } = ccel(EVENTS, 'none')
  const record = Buffer.alloc(16)
  record.writeUInt32LE(1, 0)
  record.writeUInt32LE(4, 4)
  record.writeUInt32LE(0xffffffff, 8)
  return new Uint8Array(Buffer.concat([bytes, record]))
}

const LOGS: readonly Row[] = [
  ['77: an event dropped', 'tdx-event-log-replay-mismatch', () => logged(ccel(EVENTS), ccel(EVENTS.toSpliced(1, 1)))],
  [
    '77: two events reordered',
    'tdx-event-log-replay-mismatch',
    () => logged(ccel(EVENTS), ccel([...EVENTS.slice(0, 2).toReversed(), ...EVENTS.slice(2)])),
  ],
  [
    '78: data changed, digest kept',
    'tdx-event-digest-mismatch',
    () => logged(ccel(EVENTS), ccel(EVENTS.map((event, at) => (at === 0 ? changedData(event) : event)))),
  ],
  ['79: 2^32 - 1 digests', 'tdx-event-log-malformed', () => logged(ccel(EVENTS), { bytes: manyDigests() })],
  [
    '80: a second compose-hash behind system-ready',
    'tdx-dstack-event-log-invalid',
    () => runtime({ events: [...DSTACK_SYSTEM, { name: 'compose-hash', payload: new Uint8Array(32).fill(0xee) }] }),
  ],
  ['89: a name with a colon', 'tdx-dstack-event-log-invalid', () => runtime({ events: [...DSTACK_SYSTEM, { name: 'a:b', payload: '' }] })],
  [
    'no log where the policy wants one',
    'tdx-event-log-required',
    () => ({ quote: lab.quote(), policy: { event_log: { ccel: 'require' } } }),
  ],
]

describe.each([
  ['policy', POLICY],
  ['event logs', LOGS],
])('negative matrix of TDX: %s', (_, rows) => {
  it.each(rows)('%s → %s', async (_change, code, make) => {
    expect((await lab.judge(make())).code).toBe(code)
  })
})

describe('negative matrix of TDX: what passes', () => {
  const rows: readonly (readonly [string, () => TdxExhibit])[] = [
    ['75: a service TD that the policy lists', () => td15({ mrServiceTd: SERVICE_TD }, { mr_service_td: [hex(SERVICE_TD)] })],
    ['a log that replays', () => logged(bootLog(), bootLog())],
    ['a runtime log that replays', () => runtime({})],
  ]

  it.each(rows)('%s', async (_, make) => {
    expect((await lab.judge(make())).code).toBe('accepted')
  })
})

const plain = () => ccel(EVENTS)
const renamed = (name: string) => ccel([CCEL.bootVariable(name, Uint8Array.of(1)), ...EVENTS])

async function factsOf(exhibit: TdxExhibit) {
  const { code, claims } = await lab.judge(exhibit)
  return { code, facts: claims?.tdx?.event_log?.facts }
}

describe('negative matrix of TDX: events that prove nothing', () => {
  it.each([
    ['87: an event of index 0', { ...CCEL.commandLine('init=/bin/sh'), index: 0 }],
    ['87: an event of type EV_NO_ACTION', { ...CCEL.commandLine('init=/bin/sh'), type: 3 }],
  ])('%s changes neither replay nor facts', async (_, event) => {
    const without = await factsOf(logged(plain(), plain()))
    expect(await factsOf(logged(plain(), ccel([event, ...EVENTS])))).toEqual(without)
    expect(without).toMatchObject({ code: 'accepted', facts: { secure_boot: true, kernel_cmdline: '/vmlinuz ro' } })
  })

  it('88: the name of a boot variable is not told, since it is not hashed', async () => {
    const told = await factsOf(logged(renamed('BootOrder'), renamed('BootOrder')))
    expect(await factsOf(logged(renamed('BootOrder'), renamed('SecureBoot')))).toEqual(told)
  })
})
