import type { ProblemCode } from '../verifiers/problems.ts'
import type { FakeAmd } from './amd.ts'
import { attest, requestChallenge, type AttestAnswer, type AttestTarget } from './attest.ts'
import { fleetPckCrl, INTEL_FLEET_POLICY, intelFleet, type IntelStory } from './fleet-intel.ts'
import { fakeHost, type FakeHost, type HostOptions } from './hosts.ts'
import type { FakeIntelHost } from './intel-hosts.ts'
import type { FakeIntel } from './intel.ts'
import type { FakeKds } from './kds.ts'
import type { FakePcs } from './pcs.ts'
import { SIM_PRODUCTS } from './products.ts'
import { SIM_MEASUREMENT } from './report.ts'
import { TPM_FLEET_POLICIES, TPM_FLEET_POLICY, tpmFleet } from './fleet-tpm.ts'
import type { FakeTpmHost } from './tpm-hosts.ts'
import type { FakeTpms } from './tpm.ts'

/** A host of the demonstration: what it is, and what must become of it under {@link FLEET_POLICIES}. */
export type FleetMember = {
  readonly name: string
  /** What is special about it, for a reader. */
  readonly story: string
  readonly host: FakeHost | FakeIntelHost | FakeTpmHost
  readonly expected: 'issued' | ProblemCode
  /** Runs the whole protocol, faults included. */
  readonly run: (target: AttestTarget) => Promise<AttestAnswer>
}

/** A policy with a real list of measurements and real minima, as an operator would write it. */
export const FLEET_POLICY = {
  name: 'fleet',
  explain: 'full',
  snp: {
    measurements: [Buffer.from(SIM_MEASUREMENT).toString('hex')],
    min_tcb: {
      reported: {
        milan: { snp: SIM_PRODUCTS.Milan.tcb.snp },
        genoa: { snp: SIM_PRODUCTS.Genoa.tcb.snp },
        turin: { snp: SIM_PRODUCTS.Turin.tcb.snp },
      },
    },
  },
  ...INTEL_FLEET_POLICY,
  ...TPM_FLEET_POLICY,
} as const

/** The policies of the fleet's audience: one for every kind of host, and those for which some hosts ask by name. */
export const FLEET_POLICIES = [FLEET_POLICY, ...TPM_FLEET_POLICIES] as const

type Story = {
  readonly name: string
  readonly story: string
  readonly options: HostOptions
  readonly expected: FleetMember['expected']
  readonly twice?: 'same nonce'
}

const GOOD: readonly Story[] = [
  { name: 'milan-1', story: 'certificate table', options: { product: 'Milan' }, expected: 'issued' },
  { name: 'milan-2', story: 'certificate from AMD', options: { product: 'Milan', ships: 'nothing' }, expected: 'issued' },
  { name: 'genoa-1', story: 'configfs-tsm', options: { product: 'Genoa', envelope: 'tsm' }, expected: 'issued' },
  {
    name: 'genoa-2',
    story: 'version 3, PEM certificate',
    options: { product: 'Genoa', ships: 'certificates', fields: { version: 3 } },
    expected: 'issued',
  },
  { name: 'turin-1', story: 'eight-byte chip id', options: { product: 'Turin' }, expected: 'issued' },
  { name: 'cloud-1', story: 'VLEK of a provider', options: { product: 'Milan', kind: 'vlek' }, expected: 'issued' },
]

/** Bit 19 of POLICY (specification snp.md section 1.1), beside the reserved one and SMT. */
const DEBUG_POLICY = 0xb0000n

const BAD: readonly Story[] = [
  {
    name: 'debug',
    story: 'guest open to debugging',
    options: { fields: { policy: DEBUG_POLICY } },
    expected: 'snp-policy-debug-allowed',
  },
  { name: 'replay', story: 'nonce used twice', options: {}, expected: 'challenge-spent', twice: 'same nonce' },
  {
    name: 'rollback',
    story: 'firmware rolled back',
    options: { tcb: { ...SIM_PRODUCTS.Milan.tcb, snp: 0x14 } },
    expected: 'snp-tcb-reported-below-minimum',
  },
  {
    name: 'tampered',
    story: 'measurement tampered with',
    options: { fields: { tamper: [[0x90, new Uint8Array(48).fill(0xee)]] } },
    expected: 'snp-signature-invalid',
  },
  {
    name: 'other-image',
    story: 'image that nobody listed',
    options: { fields: { measurement: new Uint8Array(48).fill(0x11) } },
    expected: 'snp-measurement-mismatch',
  },
  { name: 'revoked', story: 'intermediate revoked', options: { product: 'Turin', kind: 'vlek' }, expected: 'snp-intermediate-revoked' },
]

/** The vendors of the fleet. */
export type FleetVendors = { readonly amd: FakeAmd; readonly intel: FakeIntel; readonly tpms: FakeTpms }

/** Hosts, and the endorsement keys that the operator of their service lists. */
export type Fleet = { readonly members: readonly FleetMember[]; readonly listedEks: readonly string[] }

/** The hosts of the demonstration; their chips and platforms exist at their vendors from then on. */
export function demoFleet({ amd, intel, tpms }: FleetVendors): Fleet {
  const stranger = amd.vcek({ product: 'Genoa' })
  const wrongChip: Story = {
    name: 'wrong-chip',
    story: 'another chip’s certificate',
    options: { product: 'Genoa', wrongVek: stranger },
    expected: 'snp-vcek-hwid-mismatch',
  }
  const amds = [...GOOD, ...BAD, wrongChip].map((story) => memberOf(amd, story))
  const { stories, listed } = tpmFleet(tpms)
  return { members: [...amds, ...intelFleet(intel).map(intelMember), ...stories], listedEks: listed }
}

const intelMember = (story: IntelStory): FleetMember => ({ ...story, run: (target) => attest(story.host, target) })

/** Where the fleet's vendors are asked. */
export type FleetServices = Omit<FleetVendors, 'tpms'> & { readonly kds: FakeKds; readonly pcs: FakePcs }

/** Revokes what the hosts `revoked` and `tdx-revoked` depend on, in what the vendors' services serve from now on. */
export function revokeForFleet({ amd, intel, kds, pcs }: FleetServices, fleet: readonly FleetMember[]): void {
  pcs.serve('/sgx/certification/v4/pckcrl?ca=platform&encoding=der', fleetPckCrl(intel, fleet))
  const list = amd.crl({ product: 'Turin', endpoint: 'vlek', number: 2n, revoked: [amd.authority('Turin', 'asvk').serial] })
  kds.serve('/vlek/v1/Turin/crl', list)
}

function memberOf(amd: FakeAmd, { name, story, options, expected, twice }: Story): FleetMember {
  const host = fakeHost(amd, { ...options, name })
  const once = (target: AttestTarget) => attest(host, target)
  return { name, story, host, expected, run: twice === undefined ? once : (target) => replay(host, target) }
}

/** Attests twice with one challenge; the second answer counts. */
async function replay(host: FakeHost, target: AttestTarget): Promise<AttestAnswer> {
  const { nonce, ...challenge } = await requestChallenge(target)
  if (nonce === undefined) return { ...challenge, request: undefined }
  await attest(host, { ...target, nonce })
  return attest(host, { ...target, nonce })
}
