/**
 * Measures the service against what the machine can do at most, all in one interleaved run, and prints a table for docs/performance.md.
 *   npm run bench -- [--rounds 5] [--requests 4000] [--soak 100000] [--write-requests FILE]
 */
import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { opensslCeiling, publicKeyMicros } from './anchor.ts'
import { closedLoop, httpRequest, openLoop, type Load } from './client.ts'
import { inProcess } from './in-process.ts'
import { familyCpuSeconds, familyRssMegabytes, median, quantile } from './measure.ts'
import { prepareBodies, prepareRequests, prepareSetting, startService, type Binding, type Service, type Setting } from './setting.ts'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    requests: { type: 'string', default: '4000' },
    warm: { type: 'string', default: '12000' },
    soak: { type: 'string', default: '0' },
    'write-requests': { type: 'string' },
  },
})
const rounds = Number(options.rounds)
const count = Number(options.requests)
const warm = Number(options.warm)
const cores = availableParallelism()
const print = (line: string): void => void process.stdout.write(`${line}\n`)

/** One number of the table: every round's value, and how to write it. */
type Series = { readonly name: string; readonly values: number[]; readonly unit: string }
const table = new Map<string, Series>()
function note(name: string, unit: string, value: number): void {
  const series = table.get(name) ?? { name, values: [], unit }
  series.values.push(value)
  table.set(name, series)
}
const middle = (name: string): number => median(table.get(name)?.values ?? [])

/** Every answer must be a token: a fast refusal is not a measurement. */
function allIssued({ statuses }: Load): void {
  const others = [...statuses].filter(([status]) => status !== 201)
  if (others.length > 0) throw new Error(`not every request was accepted: ${JSON.stringify(others)}`)
}

/** Requests that are not counted. V8 goes on compiling for some ten thousand of them, which is the price of a start, not of an appraisal. */
async function warmUp(setting: Setting, service: Service): Promise<void> {
  for (const binding of ['bound', 'bearer'] as const) {
    const requests = await prepareRequests(setting, service.target, { count: Math.ceil(warm / 2), binding })
    allIssued(await closedLoop(service.target, requests, 32))
  }
}

type Run = { readonly setting: Setting; readonly service: Service; readonly label: string; readonly binding: Binding }

async function endToEnd({ setting, service, label, binding }: Run): Promise<void> {
  const requests = await prepareRequests(setting, service.target, { count, binding })
  const before = familyCpuSeconds(service.pid)
  const load = await closedLoop(service.target, requests, 32)
  const cpu = familyCpuSeconds(service.pid) - before
  allIssued(load)
  note(`${label}: appraisals`, '/s', count / load.seconds)
  note(`${label}: server CPU per appraisal`, 'µs', (cpu / count) * 1e6)
  note(`${label}: p50 at full load`, 'ms', quantile(load.latencies, 0.5))
  note(`${label}: p99 at full load`, 'ms', quantile(load.latencies, 0.99))
}

async function atEightyPercent({ setting, service, label, binding }: Run): Promise<void> {
  const perSecond = middle(`${label}: appraisals`) * 0.8
  const requests = await prepareRequests(setting, service.target, { count: Math.ceil(perSecond * 4), binding })
  const load = await openLoop(service.target, requests, perSecond)
  allIssued(load)
  note(`${label}: p50 at 80 % load`, 'ms', quantile(load.latencies, 0.5))
  note(`${label}: p99 at 80 % load`, 'ms', quantile(load.latencies, 0.99))
}

/** Memory after many appraisals, and after bad requests on top. */
async function soak(setting: Setting, service: Service, wanted: number): Promise<void> {
  for (let done = 0; done < wanted; done += 5000)
    allIssued(await closedLoop(service.target, await prepareRequests(setting, service.target, { count: 5000, binding: 'bearer' }), 32))
  note(`RSS of the largest process after ${wanted} appraisals`, 'MB', familyRssMegabytes(service.pid)[0] ?? NaN)
  const bad = [
    '{',
    '{"evidence":[]}',
    '{"evidence":[{"type":"snp","report":"AA=="}]}',
    `[${'['.repeat(2000)}`,
    JSON.stringify({ a: 'x'.repeat(50_000) }),
  ]
  const requests = Array.from({ length: 10_000 }, (_, i) => httpRequest(service.target, '/v1/appraisals', bad[i % bad.length] ?? ''))
  const { statuses } = await closedLoop(service.target, requests, 32)
  if ([...statuses.keys()].some((status) => status < 400 || status >= 500)) throw new Error('a bad request was not refused plainly')
  note('RSS of the largest process after 10,000 bad requests more', 'MB', familyRssMegabytes(service.pid)[0] ?? NaN)
}

async function oneRound(setting: Setting, one: Service, all: Service): Promise<void> {
  note('openssl speed P-384 verify, all cores', '/s', opensslCeiling(2))
  const keys = publicKeyMicros(3)
  note('P-384 verify, in process', 'µs', keys.p384Verify)
  note('P-256 verify, in process', 'µs', keys.p256Verify)
  note('P-256 sign, in process', 'µs', keys.p256Sign)
  const single = await inProcess(setting, { count: Math.min(count, 2000), concurrency: 1 })
  note('in process, one at a time: appraisals', '/s', single.perSecond)
  note('in process, one at a time: CPU per appraisal', 'µs', single.cpuMicros)
  note('in process, 64 at a time: appraisals', '/s', (await inProcess(setting, { count, concurrency: 64 })).perSecond)
  await endToEnd({ setting, service: one, label: 'HTTP, 1 process', binding: 'bearer' })
  await endToEnd({ setting, service: all, label: `HTTP, ${cores} processes`, binding: 'bearer' })
  await endToEnd({ setting, service: all, label: `HTTP, ${cores} processes, bound key`, binding: 'bound' })
}

const valueOf = (row: string, round: number): number => table.get(row)?.values[round] ?? NaN

/** Both are taken in the same round, so that what disturbs one disturbs the other: the middle of the rounds' quotients. */
function quotient(name: string, below: readonly string[]): string {
  const rows = Array.from({ length: rounds }, (_, round) => valueOf(name, round) / below.reduce((sum, row) => sum + valueOf(row, round), 0))
  return `${median(rows).toFixed(2)} (${Math.min(...rows).toFixed(2)} – ${Math.max(...rows).toFixed(2)})`
}

function ratios(): readonly string[] {
  const label = `HTTP, ${cores} processes`
  const own = ['P-384 verify, in process', 'P-256 sign, in process']
  const cpu = (of: string, below: readonly string[]): string => quotient(`${of}: server CPU per appraisal`, below)
  return [
    `| server CPU ÷ CPU of its own public-key operations, 1 process | ${cpu('HTTP, 1 process', own)} | ≤ 1.4 |`,
    `| the same, ${cores} processes | ${cpu(label, own)} | ≤ 1.4 |`,
    `| the same, ${cores} processes, bound key | ${cpu(`${label}, bound key`, [...own, 'P-256 verify, in process'])} | ≤ 1.4 |`,
    `| end to end ÷ openssl ceiling, ${cores} processes | ${quotient(`${label}: appraisals`, ['openssl speed P-384 verify, all cores'])} | ≥ 0.75 |`,
  ]
}

function report(): void {
  print(
    `\n${cpus()[0]?.model ?? 'unknown processor'}, ${cores} cores, Node ${process.version}, OpenSSL ${process.versions.openssl}; ${rounds} rounds of ${count}\n`,
  )
  print('| what | median | least – most |\n|---|---|---|')
  for (const { name, values, unit } of table.values()) {
    const digits = unit === 'ms' ? 1 : 0
    print(
      `| ${name} | ${median(values).toFixed(digits)} ${unit} | ${Math.min(...values).toFixed(digits)} – ${Math.max(...values).toFixed(digits)} |`,
    )
  }
  print(`\n| ratio | measured | wanted |\n|---|---|---|\n${ratios().join('\n')}`)
}

/** Leaves a service running whose challenges the written requests hold. */
async function writeRequests(setting: Setting, file: string): Promise<void> {
  const service = await startService(setting, cores)
  const bodies = await prepareBodies(setting, service.target, { count, binding: 'bound' })
  writeFileSync(file, `${bodies.join('\n')}\n`)
  print(`${count} requests in ${file}; the service that accepts them listens until you press Ctrl-C:`)
  print(`  k6 run -e ASSAY_URL=http://127.0.0.1:${service.target.port} -e REQUESTS=${file} load-tests/appraisals.ts`)
  await new Promise((done) => process.once('SIGINT', done))
  await service.stop()
}

async function main(): Promise<void> {
  const setting = await prepareSetting()
  try {
    if (options['write-requests'] !== undefined) return await writeRequests(setting, options['write-requests'])
    const [one, all] = [await startService(setting, 1), await startService(setting, cores)]
    note('start until ready, 1 process', 'ms', one.startMs)
    note(`start until ready, ${cores} processes`, 'ms', all.startMs)
    note('RSS after the start, 1 process', 'MB', familyRssMegabytes(one.pid)[0] ?? NaN)
    for (const service of [one, all]) await warmUp(setting, service)
    for (let i = 0; i < rounds; i++) {
      process.stderr.write(`round ${i + 1} of ${rounds}\n`)
      await oneRound(setting, one, all)
    }
    await atEightyPercent({ setting, service: all, label: `HTTP, ${cores} processes`, binding: 'bearer' })
    note('RSS, 1 process', 'MB', familyRssMegabytes(one.pid)[0] ?? NaN)
    if (Number(options.soak) > 0) await soak(setting, all, Number(options.soak))
    report()
    await Promise.all([one.stop(), all.stop()])
  } finally {
    setting.remove()
  }
}

await main()
