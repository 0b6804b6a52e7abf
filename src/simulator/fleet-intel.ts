import type { ProblemCode } from '../verifiers/problems.ts'
import type { VendorDocument } from '../verifiers/tdx/document.ts'
import { bootLog } from './ccel.ts'
import { SIM_ENCLAVE } from './enclave-report.ts'
import { dstackLog } from './dstack-log.ts'
import type { FakeHost } from './hosts.ts'
import { fakeSgxHost, fakeTdxHost, type FakeIntelHost, type SgxHostOptions, type TdxHostOptions } from './intel-hosts.ts'
import { isvSvnAt, platformAt } from './intel-levels.ts'
import { pckCrlDocument, type FakeIntel } from './intel.ts'
import { SIM_MRTD, teeTcbSvn } from './td-report.ts'
import type { FakeTpmHost } from './tpm-hosts.ts'

/** What the fleet's policy says of TDs and enclaves: which ones may run, all else by default. */
export const INTEL_FLEET_POLICY = {
  tdx: { mr_td: [Buffer.from(SIM_MRTD).toString('hex')] },
  sgx: { mr_enclave: [Buffer.from(SIM_ENCLAVE.mrEnclave).toString('hex')] },
} as const

/** A host of Intel's in the demonstration. */
export type IntelStory = {
  readonly name: string
  readonly story: string
  readonly host: FakeIntelHost
  readonly expected: 'issued' | ProblemCode
}

type Story = Omit<IntelStory, 'host'> & ({ readonly tdx: TdxHostOptions } | { readonly sgx: SgxHostOptions })

const boot = bootLog({ images: [{ image: 'registry.example/shop:7', digest: `sha256:${'5a'.repeat(32)}` }] })
const dstack = dstackLog()

const GOOD: readonly Story[] = [
  {
    name: 'tdx-1',
    story: 'quote v4 and its boot log',
    tdx: { eventLog: boot.bytes, fields: { td: { rtmrs: boot.rtmrs } } },
    expected: 'issued',
  },
  { name: 'tdx-2', story: 'quote v5, TD report 1.5', tdx: { body: 'td-report-1.5' }, expected: 'issued' },
  { name: 'tdx-3', story: 'configfs-tsm', tdx: { envelope: 'tsm' }, expected: 'issued' },
  {
    name: 'tdx-4',
    story: 'runtime log of dstack',
    tdx: { runtimeLog: dstack.bytes, fields: { td: { rtmrs: dstack.rtmrs } } },
    expected: 'issued',
  },
  { name: 'sgx-1', story: 'enclave, quote v3', sgx: { pck: { ca: 'processor' } }, expected: 'issued' },
]

/** DEBUG beside SEPT_VE_DISABLE (specification tdx.md section 6.1). */
const DEBUG_ATTRIBUTES = 0x1000_0001n

const BAD: readonly Story[] = [
  { name: 'tdx-old', story: 'host misses an update', tdx: { pck: platformAt('OutOfDate') }, expected: 'tdx-tcb-status-not-accepted' },
  {
    name: 'tdx-stale',
    story: 'started before an update',
    tdx: { body: 'td-report-1.5', fields: { td: { teeTcbSvn: teeTcbSvn(isvSvnAt.OutOfDate), teeTcbSvn2: teeTcbSvn(isvSvnAt.UpToDate) } } },
    expected: 'tdx-td-relaunch-advised',
  },
  {
    name: 'tdx-debug',
    story: 'TD open to debugging',
    tdx: { fields: { td: { tdAttributes: DEBUG_ATTRIBUTES } } },
    expected: 'tdx-td-debug',
  },
  // MRTD, byte 136 of the body.
  {
    name: 'tdx-forged',
    story: 'MRTD tampered with',
    tdx: { fields: { tamper: [[48 + 136, new Uint8Array(48).fill(0xee)]] } },
    expected: 'tdx-quote-invalid-signature',
  },
  {
    name: 'tdx-log',
    story: 'log of another boot',
    tdx: { eventLog: bootLog({ secureBoot: 'off' }).bytes, fields: { td: { rtmrs: boot.rtmrs } } },
    expected: 'tdx-event-log-replay-mismatch',
  },
]

/** The PCK certificate of this one is on the list. */
const REVOKED: Story = { name: 'tdx-revoked', story: 'platform revoked', tdx: {}, expected: 'tdx-pck-cert-revoked' }

/** The hosts of Intel's; their platforms exist in `intel` from then on. */
export const intelFleet = (intel: FakeIntel): readonly IntelStory[] =>
  [...GOOD, ...BAD, REVOKED].map((each) => {
    const { name, story, expected } = each
    const host = 'tdx' in each ? fakeTdxHost(intel, { ...each.tdx, name }) : fakeSgxHost(intel, { ...each.sgx, name })
    return { name, story, host, expected }
  })

/** The list on which the platform of the host `tdx-revoked` stands, with its chain. */
export function fleetPckCrl(
  intel: FakeIntel,
  fleet: readonly { readonly name: string; readonly host: FakeHost | FakeIntelHost | FakeTpmHost }[],
): VendorDocument {
  const revoked = fleet.flatMap(({ name, host }) => (name === REVOKED.name && 'pck' in host ? [host.pck.serial] : []))
  return pckCrlDocument(intel, { issuer: 'platform', revoked })
}
