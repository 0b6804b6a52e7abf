import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { stringify } from 'yaml'
import { fleetHead, fleetRow, runMember, type FleetResult } from './fleet-table.ts'
import type { Output } from './output.ts'
import { bundleText, type Simulation } from './simulation.ts'

/**
 * Files by which a service or `assay verify` believes these fake vendors, and evidence of its good hosts. Certificates only, no keys.
 * Answers with the path of a configuration that is ready to be served.
 */
export async function writeFiles(folder: string, simulation: Simulation): Promise<string> {
  const { amd, intel, fleet, policy } = simulation
  const at = resolve(folder)
  mkdirSync(join(at, 'policies'), { recursive: true })
  const arks = amd.products.map((product) => [`ark-${product.toLowerCase()}.der`, amd.root(product)] as const)
  const roots = [...arks, ['intel-root.der', intel.authority('root').der] as const]
  const files: readonly (readonly [name: string, content: string | Uint8Array])[] = [
    ...roots,
    ['bundle.json', await bundleText(simulation, 'all')],
    ['authorities.json', await bundleText(simulation, 'authorities')],
    [join('policies', 'fleet.yaml'), stringify(policy)],
    [
      'assay.yaml',
      configText(
        at,
        roots.map(([name]) => join(at, name)),
        simulation,
      ),
    ],
    ...goodHosts(fleet).map(
      ({ name, host }) => [`evidence-${name}.json`, `${JSON.stringify(host.evidence(new Uint8Array(64)))}\n`] as const,
    ),
  ]
  for (const [name, content] of files) writeFileSync(join(at, name), content)
  return join(at, 'assay.yaml')
}

const goodHosts = (fleet: Simulation['fleet']): Simulation['fleet'] => fleet.filter(({ expected }) => expected === 'issued')

const configText = (folder: string, roots: readonly string[], { kds, pcs, policy }: Simulation): string =>
  stringify({
    mode: 'test',
    data_dir: join(folder, 'data'),
    policy_dir: join(folder, 'policies'),
    amd_kds_url: kds.url,
    amd_kds_transport: 'DANGEROUSLY_PLAIN_HTTP',
    intel_pcs_url: pcs.url,
    intel_root_crl_url: pcs.rootCrlUrl,
    intel_transport: 'DANGEROUSLY_PLAIN_HTTP',
    insecure_test_roots: roots,
    collateral_bundles: [join(folder, 'authorities.json')],
    audiences: { default: { policies: [policy.name] } },
  })

const POLL_MS = 500

/** Waits until a service answers, for as long as that takes. */
export async function serviceUp(url: string): Promise<void> {
  while (!(await answers(url))) await wait(POLL_MS)
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`)).ok
  } catch {
    return false
  }
}

/** How a fleet is run. */
export type FleetRun = {
  readonly url: string
  readonly audience: string | undefined
  readonly policy: string | undefined
  readonly output: Output
}

/** Every host once, one after the other. */
export async function runFleet({ fleet }: Simulation, { url, audience, policy, output }: FleetRun): Promise<readonly FleetResult[]> {
  const target = { url, ...(audience === undefined ? {} : { audience }), ...(policy === undefined ? {} : { policy }) }
  output.out(fleetHead())
  const results: FleetResult[] = []
  for (const member of fleet) {
    const result = await runMember(member, target)
    output.out(fleetRow(result))
    results.push(result)
  }
  return results
}
