import type { KeyObject } from 'node:crypto'
import type { FakeAmd } from '../simulator/amd.ts'
import type { FleetMember } from '../simulator/fleet.ts'
import type { FakeIntel } from '../simulator/intel.ts'
import type { FakeKds } from '../simulator/kds.ts'
import type { FakePcs } from '../simulator/pcs.ts'
import type { FakeTpms } from '../simulator/tpm.ts'

/** A fake AMD and a fake Intel with their services, a manufacturer of TPMs, and a fleet of hosts, all in this process. Keys end with it. */
export type Simulation = {
  readonly amd: FakeAmd
  readonly intel: FakeIntel
  readonly kds: FakeKds
  readonly pcs: FakePcs
  readonly tpms: FakeTpms
  readonly fleet: readonly FleetMember[]
  /** SHA-256 of the endorsement keys that the operator of the fleet's service lists. */
  readonly listedEks: readonly string[]
  /** Policies under which each member of the fleet gets what it should, as JSON; the first is for hosts that ask for none. */
  readonly policies: readonly { readonly name: string }[]
}

// Dynamic imports in this one place: no service ever carries the simulator, and nothing else in this folder may reach it.
// oxlint-disable no-restricted-imports
const load = {
  amd: () => import('../simulator/amd.ts'),
  attest: () => import('../simulator/attest.ts'),
  bindingKeys: () => import('../simulator/binding-keys.ts'),
  bundle: () => import('../simulator/bundle.ts'),
  fleet: () => import('../simulator/fleet.ts'),
  hosts: () => import('../simulator/hosts.ts'),
  intel: () => import('../simulator/intel.ts'),
  kds: () => import('../simulator/kds.ts'),
  pcs: () => import('../simulator/pcs.ts'),
  tpm: () => import('../simulator/tpm.ts'),
  tsm: () => import('../simulator/configfs-tsm.ts'),
}
// oxlint-enable no-restricted-imports

/** Mints everything. */
export async function startSimulation(): Promise<Simulation> {
  const [{ fakeAmd }, { fakeIntel }, { fakeTpms }] = await Promise.all([load.amd(), load.intel(), load.tpm()])
  const [{ startFakeKds }, { startFakePcs }, fleet] = await Promise.all([load.kds(), load.pcs(), load.fleet()])
  const vendors = { amd: await fakeAmd(), intel: fakeIntel(), tpms: fakeTpms() }
  const services = { ...vendors, kds: await startFakeKds(vendors.amd), pcs: await startFakePcs(vendors.intel) }
  const { members, listedEks } = fleet.demoFleet(vendors)
  fleet.revokeForFleet(services, members)
  return { ...services, fleet: members, listedEks, policies: fleet.FLEET_POLICIES }
}

/** Ends the vendors' services, hanging requests included. */
export async function endVendors({ kds, pcs }: Pick<Simulation, 'kds' | 'pcs'>): Promise<void> {
  await Promise.all([kds.close(), pcs.close()])
}

/** What a verifier without a network needs of these vendors: `all`, or the intermediates alone for one that has their services. */
export async function bundleText({ amd, intel, fleet }: Simulation, what: 'all' | 'authorities'): Promise<string> {
  const { collateralBundle, intelBundle, joined } = await load.bundle()
  if (what === 'authorities') {
    const { format, items } = collateralBundle(amd)
    return `${JSON.stringify({ format, items: items.filter(({ kind }) => kind === 'amd-certificate') })}\n`
  }
  const veks = fleet.flatMap(({ host }) => ('vek' in host ? [host.vek] : []))
  const updates = ['standard', 'early'] as const
  const platforms = [{ updates }, { tee: 'sgx', ca: 'processor', updates }] as const
  return `${JSON.stringify(joined(collateralBundle(amd, veks), intelBundle(intel, platforms)))}\n`
}

/** A tree that answers as configfs-tsm does, with tools for its folders to put first on PATH. */
export type TsmTree = { readonly report: string; readonly bin: string; readonly close: () => void }

/** Serves a folder that looks like configfs-tsm of a good host, for the shell client. */
export async function serveTsm(dir: string, { fleet }: Simulation, tee: 'snp' | 'tdx' = 'snp'): Promise<TsmTree> {
  const { serveFakeTsm } = await load.tsm()
  for (const { expected, host } of fleet) {
    if (expected === 'issued' && !('binds' in host) && ('tee' in host ? host.tee : 'snp') === tee) return serveFakeTsm(dir, host)
  }
  throw new Error('the fleet has no good host')
}

/** A guest that has attested with a key of its own: what the service answered, and the key. */
export async function attestedGuest(
  { amd }: Pick<Simulation, 'amd'>,
  url: string,
): Promise<{ readonly body: unknown; readonly key: KeyObject }> {
  const [{ attest }, { bindingKey }, { fakeHost }] = await Promise.all([load.attest(), load.bindingKeys(), load.hosts()])
  const key = bindingKey('P-256')
  const { body } = await attest(fakeHost(amd), { url, key })
  return { body, key: key.privateKey }
}
