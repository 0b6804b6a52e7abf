import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { stringify } from 'yaml'
import { fakeAmd, type FakeAmd } from '../src/simulator/amd.ts'
import { collateralBundle } from '../src/simulator/bundle.ts'
import { FLEET_POLICY } from '../src/simulator/fleet.ts'
import { fakeIntel, type FakeIntel } from '../src/simulator/intel.ts'
import { startFakeKds, type FakeKds } from '../src/simulator/kds.ts'
import { startFakePcs, type FakePcs } from '../src/simulator/pcs.ts'
import { tempFiles, type Files } from './cli.ts'

/** A fake AMD and a fake Intel with everything that a service in mode test needs to believe them. */
export type World = {
  readonly amd: FakeAmd
  readonly intel: FakeIntel
  readonly kds: FakeKds
  readonly pcs: FakePcs
  readonly files: Files
  readonly settings: Readonly<Record<string, unknown>>
  /** Ends the vendors' services and removes the files. */
  readonly close: () => Promise<void>
}

/** Makes one. */
export async function startWorld(): Promise<World> {
  const [amd, intel] = [await fakeAmd(), fakeIntel()]
  const [kds, pcs] = [await startFakeKds(amd), await startFakePcs(intel)]
  const files = tempFiles()
  const arks = amd.products.map((product) => files.write(`ark-${product}.der`, amd.root(product)))
  const roots = [...arks, files.write('intel-root.der', intel.authority('root').der)]
  const { format, items } = collateralBundle(amd)
  const authorities = files.write('authorities.json', { format, items: items.filter(({ kind }) => kind === 'amd-certificate') })
  files.write('policies/fleet.yaml', stringify(FLEET_POLICY))
  const settings = {
    mode: 'test',
    listen: '127.0.0.1:0',
    data_dir: files.path('data'),
    policy_dir: files.path('policies'),
    log_level: 'info',
    amd_kds_url: kds.url,
    amd_kds_transport: 'DANGEROUSLY_PLAIN_HTTP',
    intel_pcs_url: pcs.url,
    intel_root_crl_url: pcs.rootCrlUrl,
    intel_transport: 'DANGEROUSLY_PLAIN_HTTP',
    insecure_test_roots: roots,
    collateral_bundles: [authorities],
    audiences: { default: { policies: [FLEET_POLICY.name] } },
  }
  const close = async () => {
    await Promise.all([kds.close(), pcs.close()])
    files.remove()
  }
  return { amd, intel, kds, pcs, files, settings, close }
}

/** A service in a process of its own. */
export type ServiceProcess = {
  readonly url: string
  readonly child: ChildProcess
  /** Every line of its log so far. */
  readonly log: readonly string[]
  /** Resolves with the exit code; 128 and more for a signal. */
  readonly ended: Promise<number | string>
}

const MAIN = resolve(import.meta.dirname, '../src/main.ts')

/** Starts `npm start` with these settings and waits until it listens. Rejects with its log when it ends before. */
export async function startService({ files }: World, settings: Readonly<Record<string, unknown>>): Promise<ServiceProcess> {
  // A name of its own: services that start at the same time would read each other's.
  const config = files.write(`assay-${randomUUID()}.json`, settings)
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env['PATH'], ASSAY_CONFIG: config },
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  const log: string[] = []
  const { promise: listening, resolve: found } = Promise.withResolvers<string>()
  createInterface({ input: child.stderr }).on('line', (line) => {
    log.push(line)
    const url = /"url":"(https?:[^"]+)".*"msg":"listening"/.exec(line)?.[1]
    if (url !== undefined) found(url)
  })
  const ended = once(child, 'exit').then(([code, signal]: unknown[]) => (typeof code === 'number' ? code : String(signal)))
  const url = await Promise.race([listening, ended.then((code) => Promise.reject(new Error(`ended with ${code}:\n${log.join('\n')}`)))])
  return { url, child, log, ended }
}

/** Asks until a path answers 200. */
export async function untilReady(url: string): Promise<void> {
  for (;;) {
    const response = await fetch(`${url}/readyz`)
    if (response.ok) return
    await response.text()
    await new Promise((done) => setTimeout(done, 20))
  }
}
