/** Hosts of a simulated vendor, and the files with which a service accepts them; all in a folder that is removed afterwards. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { fakeAmd } from '../src/simulator/amd.ts'
import { attestRequest, type Attester } from '../src/simulator/attest.ts'
import { bindingKey } from '../src/simulator/binding-keys.ts'
import { collateralBundle } from '../src/simulator/bundle.ts'
import { pem } from '../src/simulator/envelopes.ts'
import { fakeHost } from '../src/simulator/hosts.ts'
import { SIM_MEASUREMENT } from '../src/simulator/report.ts'
import type { SnpEvidence, TdxEvidence } from '../src/verifiers/verifier.ts'
import { collect, httpRequest, type Target } from './client.ts'

/** Hosts, and the service that accepts them. */
export type Setting = Technology & Prepared

/** What a service needs, on disk. */
export type Prepared = {
  readonly rootFiles: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly folder: string
  readonly remove: () => Promise<void>
}

/** What is measured: whose evidence, and what a service needs to accept it without asking anybody. */
export type Technology = Accepted & {
  readonly host: Attester<never>
  /** The same host's evidence as a verifier is given it. */
  readonly evidence: (reportData: Uint8Array) => SnpEvidence | TdxEvidence
}

/** What a service needs to accept evidence without asking anybody. */
export type Accepted = {
  /** What the policy says of it. */
  readonly accepts: Readonly<Record<string, unknown>>
  /** DER. */
  readonly roots: readonly Uint8Array[]
  readonly bundle: unknown
  /** Members of the configuration. */
  readonly sources: Readonly<Record<string, unknown>>
  readonly stop?: () => Promise<void>
}

/** A service that was started for the benchmark. */
export type Service = { readonly pid: number; readonly target: Target; readonly startMs: number; readonly stop: () => Promise<void> }

/** Key binding as the production presets want it, or bearer tokens: the first costs one more public-key operation. */
export type Binding = 'bound' | 'bearer'

/** A simulated AMD and one host of its. The VCEK is in the bundle, so that its host is a known one. */
export async function snpTechnology(): Promise<Technology> {
  const amd = await fakeAmd({ products: ['Milan'] })
  const host = fakeHost(amd, { ships: 'nothing' })
  return {
    host,
    evidence: (reportData) => ({ type: 'snp', form: 'report', bytes: host.report(reportData), certificates: [] }),
    accepts: { snp: { measurements: [Buffer.from(SIM_MEASUREMENT).toString('hex')] } },
    roots: [amd.root('Milan')],
    bundle: collateralBundle(amd, [host.vek]),
    sources: { intel_collateral: 'off' },
  }
}

/** Writes everything. */
export function prepareSetting<T extends Accepted>(technology: T): T & Prepared {
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const policy = (name: Binding, keyBinding: string): string =>
    write(`policies/${name}.json`, JSON.stringify({ name, key_binding: keyBinding, ...technology.accepts }))
  mkdirSync(join(folder, 'policies'))
  policy('bound', 'required')
  policy('bearer', 'DANGEROUSLY_OPTIONAL')
  const rootFiles = technology.roots.map((der, index) => write(`root-${index}.pem`, pem(der)))
  const config = {
    mode: 'test',
    policy_dir: join(folder, 'policies'),
    audiences: { bound: { policies: ['bound'] }, bearer: { policies: ['bearer'] } },
    insecure_test_roots: rootFiles,
    collateral_bundles: [write('bundle.json', JSON.stringify(technology.bundle))],
    rate_limit: { requests: 10_000_000, per_seconds: 60 },
    challenge_lifetime_seconds: 900,
    log_level: 'warn',
    ...technology.sources,
  }
  // YAML holds JSON.
  const environment = { ASSAY_CONFIG: write('assay.yaml', JSON.stringify(config)) }
  const remove = async (): Promise<void> => {
    rmSync(folder, { recursive: true, force: true })
    await technology.stop?.()
  }
  return { ...technology, rootFiles, environment, folder, remove }
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Starts the service as an operator would and waits until it is ready. */
export async function startService(setting: Prepared, processes: number): Promise<Service> {
  const port = await freePort()
  const env = {
    ...process.env,
    ...setting.environment,
    ASSAY_LISTEN: `127.0.0.1:${port}`,
    ASSAY_PROCESSES: String(processes),
    ASSAY_DATA_DIR: mkdtempSync(join(setting.folder, 'data-')),
  }
  const started = performance.now()
  const child = spawn(process.execPath, ['--max-semi-space-size=16', resolve(import.meta.dirname, '../src/main.ts')], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await ready(`http://127.0.0.1:${port}/readyz`, child)
  const startMs = performance.now() - started
  return { pid: child.pid ?? 0, target: { host: '127.0.0.1', port }, startMs, stop: () => stopped(child) }
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  for (let i = 0; i < 3000; i++) {
    if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}`)
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok === true) return
    await new Promise((done) => setTimeout(done, 5))
  }
  throw new Error('the service did not become ready')
}

async function stopped(child: ChildProcess): Promise<void> {
  const ended = new Promise((done) => child.once('exit', done))
  child.kill('SIGTERM')
  await ended
}

const challenge = z.object({ nonce: z.string() })

/** JSON bodies of appraisals that the service accepts once each: real challenges, reports signed over them. */
export async function prepareBodies(
  setting: Setting,
  target: Target,
  wanted: { count: number; binding: Binding },
): Promise<readonly string[]> {
  const key = wanted.binding === 'bound' ? bindingKey('P-256') : 'none'
  const nonces = await challenges(target, wanted.count)
  return nonces.map((nonce) => JSON.stringify(attestRequest(setting.host, nonce, { key, audience: wanted.binding })))
}

/** Nonces of real challenges. */
export async function challenges(target: Target, count: number): Promise<readonly Uint8Array[]> {
  const ask = httpRequest(target, '/v1/challenges', '')
  const answers = await collect(target, Array<Buffer>(count).fill(ask), 16)
  return answers.map((body) => new Uint8Array(Buffer.from(challenge.parse(JSON.parse(body.toString())).nonce, 'base64')))
}

/** The same as whole requests. */
export const prepareRequests = async (
  setting: Setting,
  target: Target,
  wanted: { count: number; binding: Binding },
): Promise<readonly Buffer[]> => (await prepareBodies(setting, target, wanted)).map((body) => httpRequest(target, '/v1/appraisals', body))
