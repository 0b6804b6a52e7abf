import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { stringify } from 'yaml'
import { loadConfig, type Config } from '../config.ts'
import { serve, type Running } from '../main.ts'
import { anchorsOf } from '../verifiers/anchors.ts'
import { showJoin } from './demo-join.ts'
import { showToken } from './demo-token.ts'
import { runMember } from './fleet-table.ts'
import { styled, type Output } from './output.ts'
import { runFleet } from './simulate.ts'
import { endVendors, serveTsm, startSimulation, type Simulation, type TsmTree } from './simulation.ts'

/** A demonstration that runs: what is to be ended with it. */
export type Demo = { readonly url: string; readonly outcome: 'as expected' | 'not as expected'; readonly end: () => Promise<void> }

/** What may be chosen. */
export type DemoOptions = {
  readonly listen: string
  readonly output: Output
  readonly tsm: string | undefined
  /** Whether the service stays when the story is told, so that commands for it can be shown. */
  readonly afterwards: 'stay' | 'end'
}

/** The whole story: service, fleet, verdicts, one token, and the same fleet without its vendor. What was started ends with a failure, too. */
export async function runDemo(options: DemoOptions): Promise<Demo> {
  const endings: (() => unknown)[] = []
  const end = async () => {
    for (const ending of endings.splice(0).toReversed()) await ending()
  }
  try {
    return { ...(await tell(options, endings)), end }
  } catch (error) {
    await end()
    throw error
  }
}

async function tell({ listen, output, tsm, afterwards }: DemoOptions, endings: (() => unknown)[]): Promise<Omit<Demo, 'end'>> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-demo-'))
  endings.push(() => rmSync(folder, { recursive: true, force: true }))
  const simulation = await startSimulation()
  endings.push(() => endVendors(simulation))
  const config = demoConfig({ folder, listen, simulation })
  const running = await serve(config, {
    grounds: { anchors: anchorsOf(simulation.amd.anchors(), simulation.intel.anchors(), simulation.tpms.anchors()), documents: new Map() },
  })
  endings.push(running.drain)
  output.out(banner(running, simulation))
  await ready(running.url)
  const results = await runFleet(simulation, { url: running.url, audience: undefined, policy: undefined, output })
  const files = await showToken({ url: running.url, issuer: config.issuer, results, output })
  const joined = await showJoin({ url: running.url, issuer: config.issuer, simulation, output })
  // Where the service ends now, they stay: the command that was shown needs them.
  if (afterwards === 'stay') endings.push(() => rmSync(files, { recursive: true, force: true }))
  const green = await withoutVendor(simulation, running.url, output)
  const tree = tsm === undefined ? undefined : await serveTsm(tsm, simulation)
  endings.push(() => tree?.close())
  output.out(afterwards === 'stay' ? nextWhileRunning(running, folder, tree) : NEXT)
  const right = joined && green && results.every(({ agrees }) => agrees === 'yes')
  return { url: running.url, outcome: right ? 'as expected' : 'not as expected' }
}

type Setting = { readonly folder: string; readonly listen: string; readonly simulation: Simulation }

/** The configuration file that an operator would write, with everything in a folder that ends with the demonstration. */
function demoConfig({ folder, listen, simulation: { kds, pcs, policies, listedEks } }: Setting): Config {
  const policyFolder = join(folder, 'policies')
  mkdirSync(policyFolder)
  for (const policy of policies) writeFileSync(join(policyFolder, `${policy.name}.yaml`), stringify(policy))
  const file = stringify({
    mode: 'demo',
    listen,
    data_dir: join(folder, 'data'),
    policy_dir: policyFolder,
    log_level: 'error',
    amd_kds_url: kds.url,
    amd_kds_transport: 'DANGEROUSLY_PLAIN_HTTP',
    intel_pcs_url: pcs.url,
    intel_root_crl_url: pcs.rootCrlUrl,
    intel_transport: 'DANGEROUSLY_PLAIN_HTTP',
    tpm: { enrolment: { ek: listedEks } },
    audiences: { default: { policies: policies.map(({ name }) => name) } },
  })
  return loadConfig({ environment: { ASSAY_CONFIG: 'demo.yaml' }, readText: () => file }).config
}

const banner = ({ url }: Running, { kds, pcs }: Simulation): string =>
  [
    styled('bold', 'Assay demonstration: nothing here is real.'),
    'AMD, Intel, a maker of TPMs, their keys and all hosts live in this process.',
    `service         ${url} (mode demo)`,
    `AMD’s service   ${kds.url} (keys and revocation lists, faked)`,
    `Intel’s service ${pcs.url} (TCB and revocation lists, faked)`,
    '',
    '',
  ].join('\n')

const READY_MS = 10_000
const POLL_MS = 25

/** Revocation lists are fetched at start; until they are there, the service says that it is not ready. */
async function ready(url: string): Promise<void> {
  const deadline = Date.now() + READY_MS
  for (;;) {
    const response = await fetch(`${url}/readyz`)
    if (response.ok) return
    if (Date.now() > deadline) throw new Error(`the service does not get ready: ${await response.text()}`)
    await wait(POLL_MS)
  }
}

/** Known hosts need no vendor: the good ones attest again with the vendors' services gone. */
async function withoutVendor({ kds, pcs, fleet }: Simulation, url: string, output: Output): Promise<boolean> {
  const asked = kds.requests.length + pcs.requests.length
  await endVendors({ kds, pcs })
  const good = fleet.filter(({ expected }) => expected === 'issued')
  const results = await Promise.all(good.map((member) => runMember(member, { url })))
  const green = results.filter(({ code }) => code === 'issued').length
  const text = `The vendors’ services (asked ${asked} times) are gone.\nGood hosts that still get a token: ${green} of ${good.length}.`
  output.out(styled(green === good.length ? 'green' : 'red', text))
  return green === good.length
}

const NEXT = [
  '',
  styled('bold', 'What to try next'),
  '  npm run -s demo -- --keep                 keep the service, to ask it yourself',
  '  npm run -s demo -- --keep --tsm /tmp/tsm  and configfs-tsm, for our client',
  '  npm run -s assay -- simulate --help       fake hosts for a service of your own',
  '  npm start                                 the real thing, with the real keys',
  '',
].join('\n')

/** The same with the service at hand. */
function nextWhileRunning({ url }: Running, folder: string, tree: TsmTree | undefined): string {
  const client = tree === undefined ? [] : [`  PATH=${tree.bin}:$PATH clients/node/assay-attest --url ${url} --tsm ${tree.report}`]
  return [
    '',
    styled('bold', 'What to try next'),
    ...client,
    `  curl -s -X POST ${url}/v1/challenges`,
    `  curl -s ${url}/v1/collateral`,
    `  curl -s ${url}/.well-known/jwks.json`,
    `  curl -s ${url}/problems/snp-vcek-hwid-mismatch`,
    `  cat ${join(folder, 'policies', 'fleet.yaml')}`,
    '',
  ].join('\n')
}
