import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { stringify } from 'yaml'
import { loadConfig, type Config } from '../config.ts'
import { serve, type Running } from '../main.ts'
import { anchorsOf } from '../verifiers/anchors.ts'
import { runMember, type FleetResult } from './fleet-table.ts'
import { jsonText, styled, type Output } from './output.ts'
import { runFleet } from './simulate.ts'
import { serveTsm, startSimulation, type Simulation, type TsmTree } from './simulation.ts'

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
  endings.push(simulation.kds.close)
  const config = demoConfig({ folder, listen, simulation })
  const running = await serve(config, { grounds: { anchors: anchorsOf(simulation.amd.anchors()), documents: new Map() } })
  endings.push(running.drain)
  output.out(banner(running, simulation))
  await ready(running.url)
  const results = await runFleet(simulation, { url: running.url, audience: undefined, policy: undefined, output })
  await showToken({ config, running, results, output, folder })
  const green = await withoutVendor(simulation, running.url, output)
  const tree = tsm === undefined ? undefined : await serveTsm(tsm, simulation)
  endings.push(() => tree?.close())
  output.out(afterwards === 'stay' ? nextWhileRunning(running, folder, tree) : NEXT)
  const right = green && results.every(({ agrees }) => agrees === 'yes')
  return { url: running.url, outcome: right ? 'as expected' : 'not as expected' }
}

type Setting = { readonly folder: string; readonly listen: string; readonly simulation: Simulation }

/** The configuration file that an operator would write, with everything in a folder that ends with the demonstration. */
function demoConfig({ folder, listen, simulation: { kds, policy } }: Setting): Config {
  const policies = join(folder, 'policies')
  mkdirSync(policies)
  writeFileSync(join(policies, 'fleet.yaml'), stringify(policy))
  const file = stringify({
    mode: 'demo',
    listen,
    data_dir: join(folder, 'data'),
    policy_dir: policies,
    log_level: 'error',
    amd_kds_url: kds.url,
    amd_kds_transport: 'DANGEROUSLY_PLAIN_HTTP',
    audiences: { default: { policies: [policy.name] } },
  })
  return loadConfig({ environment: { ASSAY_CONFIG: 'demo.yaml' }, readText: () => file }).config
}

const banner = ({ url }: Running, { kds }: Simulation): string =>
  [
    styled('bold', 'Assay demonstration: nothing here is real. AMD, its keys and all hosts live in this process and end with it.'),
    `service ${url} (mode demo)   key distribution service ${kds.url}`,
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

type Shown = {
  readonly config: Config
  readonly running: Running
  readonly results: readonly FleetResult[]
  readonly output: Output
  readonly folder: string
}

/** One token as a relying party sees it: verified with nothing but the service's public keys. */
async function showToken({ config, running, results, output, folder }: Shown): Promise<void> {
  const token = results.find((result) => result.token !== undefined)?.token
  if (token === undefined) throw new Error('no host got a token')
  const keys = createRemoteJWKSet(new URL(`${running.url}/.well-known/jwks.json`))
  const { payload, protectedHeader } = await jwtVerify(token, keys, { issuer: config.issuer, audience: 'default', typ: 'demo+JWT' })
  const file = join(folder, 'token.jwt')
  writeFileSync(file, token, { mode: 0o600 })
  output.out(
    [
      '',
      styled('bold', `One token (${Buffer.byteLength(token)} bytes), decoded; its signature verifies with the service’s JWKS:`),
      jsonText(protectedHeader),
      jsonText(payload),
      '',
      styled('bold', 'The command that verifies it (while the service runs; --keep):'),
      verifyCommand({ url: running.url, issuer: config.issuer, file }),
      '',
    ].join('\n'),
  )
}

const verifyCommand = ({ url, issuer, file }: { url: string; issuer: string; file: string }): string =>
  [
    `node --input-type=module -e "import { createRemoteJWKSet, jwtVerify } from 'jose'; import { readFileSync } from 'node:fs'`,
    `const keys = createRemoteJWKSet(new URL('${url}/.well-known/jwks.json'))`,
    `console.log((await jwtVerify(readFileSync('${file}', 'utf8'), keys, { issuer: '${issuer}', audience: 'default', typ: 'demo+JWT' })).payload)"`,
  ].join('\n')

/** Known hosts need no vendor: the good ones attest again with the key distribution service gone. */
async function withoutVendor({ kds, fleet }: Simulation, url: string, output: Output): Promise<boolean> {
  const asked = kds.requests.length
  await kds.close()
  const good = fleet.filter(({ expected }) => expected === 'issued')
  const results = await Promise.all(good.map((member) => runMember(member, { url })))
  const green = results.filter(({ code }) => code === 'issued').length
  const text = `The key distribution service (asked ${asked} times) is gone. Good hosts that still get a token: ${green} of ${good.length}.`
  output.out(styled(green === good.length ? 'green' : 'red', text))
  return green === good.length
}

const NEXT = [
  '',
  styled('bold', 'What to try next'),
  '  npm run -s demo -- --keep                   keep the service, to ask it yourself',
  '  npm run -s demo -- --keep --tsm /tmp/tsm    and a fake configfs-tsm, for clients/node/assay-attest',
  '  npm run -s assay -- simulate --help         fake hosts against a service of your own',
  '  npm start                                   the real thing: AMD’s pinned keys, your policy (README)',
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
    `  curl -s ${url}/problems/snp-vcek-hwid-mismatch`,
    `  cat ${join(folder, 'policies', 'fleet.yaml')}`,
    '',
  ].join('\n')
}
