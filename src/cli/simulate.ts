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
  const { fleet, policies } = simulation
  const at = resolve(folder)
  mkdirSync(join(at, 'policies'), { recursive: true })
  const roots = rootsOf(simulation)
  const files: readonly NamedFile[] = [
    ...roots,
    ...tpmCertificates(simulation),
    ['bundle.json', await bundleText(simulation, 'all')],
    ['authorities.json', await bundleText(simulation, 'authorities')],
    ...policies.map((policy): NamedFile => [join('policies', `${policy.name}.yaml`), stringify(policy)]),
    [
      'assay.yaml',
      configText(
        at,
        roots.map(([name]) => join(at, name)),
        simulation,
      ),
    ],
    ...evidenceOf(fleet),
  ]
  for (const [name, content] of files) writeFileSync(join(at, name), content)
  return join(at, 'assay.yaml')
}

type NamedFile = readonly [name: string, content: string | Uint8Array]

const rootsOf = ({ amd, intel }: Simulation): readonly NamedFile[] => [
  ...amd.products.map((product): NamedFile => [`ark-${product.toLowerCase()}.der`, amd.root(product)]),
  ['intel-root.der', intel.authority('root').der],
]

const TPM_ROOTS = { manufacturer: 'tpm-manufacturer-root.der', cloud: 'tpm-cloud-root.der' } as const

/** Hosts send the intermediates themselves. */
const tpmCertificates = ({ tpms }: Simulation): readonly NamedFile[] => [
  [TPM_ROOTS.manufacturer, tpms.authority('manufacturer-root').der],
  [TPM_ROOTS.cloud, tpms.authority('cloud-root').der],
]

/** As the fleet's operator would write it: whose certificates count, and which TPMs are his. */
const tpmSettings = (folder: string, { tpms, listedEks }: Simulation) => ({
  roots: {
    files: tpms.anchors().roots.map(({ roles, authority, manufacturers }) => ({
      file: join(folder, roles.includes('ek') ? TPM_ROOTS.manufacturer : TPM_ROOTS.cloud),
      roles,
      authority,
      manufacturers,
    })),
  },
  enrolment: { ek: listedEks },
})

/** Evidence of good hosts for zeros; of a TPM only where it needs no service to have enrolled its key. */
const evidenceOf = (fleet: Simulation['fleet']): readonly NamedFile[] =>
  fleet.flatMap(({ name, host, expected }): readonly NamedFile[] => {
    const item = host.evidence(new Uint8Array('binds' in host ? EXTRA_DATA_BYTES : REPORT_DATA_BYTES))
    const verifies = expected === 'issued' && (item.type !== 'tpm' || item.ak_certificates !== undefined)
    return verifies ? [[`evidence-${name}.json`, `${JSON.stringify(item)}\n`]] : []
  })

const EXTRA_DATA_BYTES = 32
const REPORT_DATA_BYTES = 64

function configText(folder: string, roots: readonly string[], simulation: Simulation): string {
  const { kds, pcs, policies } = simulation
  return stringify({
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
    tpm: tpmSettings(folder, simulation),
    audiences: { default: { policies: policies.map(({ name }) => name) } },
  })
}

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
