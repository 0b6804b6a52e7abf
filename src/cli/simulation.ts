import type { FakeAmd } from '../simulator/amd.ts'
import type { FleetMember } from '../simulator/fleet.ts'
import type { FakeKds } from '../simulator/kds.ts'

/** A fake AMD with its key distribution service and a fleet of hosts, all in this process. Keys end with it. */
export type Simulation = {
  readonly amd: FakeAmd
  readonly kds: FakeKds
  readonly fleet: readonly FleetMember[]
  /** A policy under which each member of the fleet gets what it should, as JSON. */
  readonly policy: { readonly name: string }
}

// Dynamic imports in this one place: no service ever carries the simulator, and nothing else in this folder may reach it.
// oxlint-disable no-restricted-imports
const load = {
  amd: () => import('../simulator/amd.ts'),
  bundle: () => import('../simulator/bundle.ts'),
  fleet: () => import('../simulator/fleet.ts'),
  kds: () => import('../simulator/kds.ts'),
  tsm: () => import('../simulator/configfs-tsm.ts'),
}
// oxlint-enable no-restricted-imports

/** Mints everything. */
export async function startSimulation(): Promise<Simulation> {
  const [{ fakeAmd }, { startFakeKds }, fleet] = await Promise.all([load.amd(), load.kds(), load.fleet()])
  const amd = await fakeAmd()
  const kds = await startFakeKds(amd)
  const members = fleet.demoFleet(amd)
  fleet.revokeForFleet(amd, kds)
  return { amd, kds, fleet: members, policy: fleet.FLEET_POLICY }
}

/** What a verifier without a network needs of this AMD: `all`, or the intermediates alone for one that has the distribution service. */
export async function bundleText({ amd, fleet }: Simulation, what: 'all' | 'authorities'): Promise<string> {
  const { collateralBundle } = await load.bundle()
  if (what === 'authorities') {
    const { format, items } = collateralBundle(amd)
    return `${JSON.stringify({ format, items: items.filter(({ kind }) => kind === 'amd-certificate') })}\n`
  }
  return `${JSON.stringify(
    collateralBundle(
      amd,
      fleet.map(({ host }) => host.vek),
    ),
  )}\n`
}

/** A tree that answers as configfs-tsm does, with tools for its folders to put first on PATH. */
export type TsmTree = { readonly report: string; readonly bin: string; readonly close: () => void }

/** Serves a folder that looks like configfs-tsm of a good host, for the shell client. */
export async function serveTsm(dir: string, { fleet }: Simulation): Promise<TsmTree> {
  const { serveFakeTsm } = await load.tsm()
  const host = fleet.find(({ expected }) => expected === 'issued')?.host
  if (host === undefined) throw new Error('the fleet has no good host')
  return serveFakeTsm(dir, host)
}
