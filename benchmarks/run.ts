/**
 * Measures the service against what the machine can do at most, all in one interleaved run, and prints a table for docs/performance.md.
 *   npm run bench -- [--rounds 5] [--requests 4000] [--soak 100000] [--only snp|tdx|tpm|policies|kit] [--write-requests FILE]
 */
import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { opensslCeiling, publicKeyMicros } from './anchor.ts'
import { closedLoop, httpRequest } from './client.ts'
import { allIssued, atEightyPercent, endToEnd, warmUp } from './end-to-end.ts'
import { inProcess } from './in-process.ts'
import { familyRssMegabytes } from './measure.ts'
import { policyBenchmark, policyRatios } from './policies.ts'
import { relyingPartyBenchmark, relyingPartyRatios } from './relying-party.ts'
import { prepareBodies, prepareRequests, prepareSetting, snpTechnology, startService, type Service, type Setting } from './setting.ts'
import { note, quotient, tableText } from './table.ts'
import { tdxLabel, tdxRatios, tdxRound, tdxTechnology } from './tdx.ts'
import { tpmBenchmark, tpmRatios } from './tpm.ts'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    requests: { type: 'string', default: '4000' },
    warm: { type: 'string', default: '12000' },
    soak: { type: 'string', default: '0' },
    only: { type: 'string' },
    'write-requests': { type: 'string' },
  },
})
const rounds = Number(options.rounds)
const count = Number(options.requests)
const warm = Number(options.warm)
const cores = availableParallelism()
const print = (line: string): void => void process.stdout.write(`${line}\n`)

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
  note('openssl speed P-384 verify, all cores', '/s', opensslCeiling('P-384', 2))
  const keys = publicKeyMicros(3)
  note('P-384 verify, in process', 'µs', keys.p384Verify)
  note('P-256 verify, in process', 'µs', keys.p256Verify)
  note('P-256 sign, in process', 'µs', keys.p256Sign)
  const single = await inProcess(setting, { count: Math.min(count, 2000), concurrency: 1 })
  note('in process, one at a time: appraisals', '/s', single.perSecond)
  note('in process, one at a time: CPU per appraisal', 'µs', single.cpuMicros)
  note('in process, 64 at a time: appraisals', '/s', (await inProcess(setting, { count, concurrency: 64 })).perSecond)
  await endToEnd({ setting, service: one, label: 'HTTP, 1 process', binding: 'bearer' }, count)
  await endToEnd({ setting, service: all, label: `HTTP, ${cores} processes`, binding: 'bearer' }, count)
  await endToEnd({ setting, service: all, label: `HTTP, ${cores} processes, bound key`, binding: 'bound' }, count)
}

const cpu = (of: string, below: readonly string[]): string => quotient(`${of}: server CPU per appraisal`, below)

function ratios(): readonly string[] {
  const label = `HTTP, ${cores} processes`
  const own = ['P-384 verify, in process', 'P-256 sign, in process']
  return [
    `| server CPU ÷ CPU of its own public-key operations, 1 process | ${cpu('HTTP, 1 process', own)} | ≤ 1.4 |`,
    `| the same, ${cores} processes | ${cpu(label, own)} | ≤ 1.4 |`,
    `| the same, ${cores} processes, bound key | ${cpu(`${label}, bound key`, [...own, 'P-256 verify, in process'])} | ≤ 1.4 |`,
    `| end to end ÷ openssl ceiling, ${cores} processes | ${quotient(`${label}: appraisals`, ['openssl speed P-384 verify, all cores'])} | ≥ 0.75 |`,
  ]
}

function report(ratioRows: readonly string[]): void {
  print(
    `\n${cpus()[0]?.model ?? 'unknown processor'}, ${cores} cores, Node ${process.version}, OpenSSL ${process.versions.openssl}; ${rounds} rounds of ${count}\n`,
  )
  print(tableText())
  print(`\n| ratio | measured | wanted |\n|---|---|---|\n${ratioRows.join('\n')}`)
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

async function measureSnp(setting: Setting): Promise<readonly string[]> {
  const [one, all] = [await startService(setting, 1), await startService(setting, cores)]
  note('start until ready, 1 process', 'ms', one.startMs)
  note(`start until ready, ${cores} processes`, 'ms', all.startMs)
  note('RSS after the start, 1 process', 'MB', familyRssMegabytes(one.pid)[0] ?? NaN)
  for (const service of [one, all]) await warmUp({ setting, service }, warm)
  await inRounds(() => oneRound(setting, one, all))
  await atEightyPercent({ setting, service: all, label: `HTTP, ${cores} processes`, binding: 'bearer' })
  note('RSS, 1 process', 'MB', familyRssMegabytes(one.pid)[0] ?? NaN)
  if (Number(options.soak) > 0) await soak(setting, all, Number(options.soak))
  await Promise.all([one.stop(), all.stop()])
  return ratios()
}

async function measureTdx(): Promise<readonly string[]> {
  const technology = await tdxTechnology()
  const setting = { ...technology, ...prepareSetting(technology) }
  try {
    const [one, all] = [await startService(setting, 1), await startService(setting, cores)]
    for (const service of [one, all]) await warmUp({ setting, service }, warm)
    await inRounds(() => tdxRound({ setting, one, all, cores }, count))
    await atEightyPercent({ setting, service: all, label: tdxLabel(cores), binding: 'bearer' })
    await Promise.all([one.stop(), all.stop()])
    return tdxRatios(cores)
  } finally {
    await setting.remove()
  }
}

async function measureTpm(): Promise<readonly string[]> {
  const { round, stop } = await tpmBenchmark(warm)
  await inRounds(() => round(count))
  await stop()
  return tpmRatios()
}

async function measurePolicies(setting: Setting): Promise<readonly string[]> {
  const { round } = await policyBenchmark(setting)
  await inRounds(() => round(count))
  return policyRatios()
}

async function measureKit(setting: Setting): Promise<readonly string[]> {
  const { round } = await relyingPartyBenchmark(setting)
  await inRounds(() => round(count))
  return relyingPartyRatios()
}

async function inRounds(round: () => Promise<void>): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    process.stderr.write(`round ${i + 1} of ${rounds}\n`)
    await round()
  }
}

async function main(): Promise<void> {
  const setting = prepareSetting(await snpTechnology())
  try {
    if (options['write-requests'] !== undefined) return await writeRequests(setting, options['write-requests'])
    const wanted = (part: string): boolean => (options.only ?? part) === part
    const snp = wanted('snp') ? await measureSnp(setting) : []
    const tdx = wanted('tdx') ? await measureTdx() : []
    const tpm = wanted('tpm') ? await measureTpm() : []
    const policies = wanted('policies') ? await measurePolicies(setting) : []
    const kit = wanted('kit') ? await measureKit(setting) : []
    report([...snp, ...tdx, ...tpm, ...policies, ...kit])
  } finally {
    await setting.remove()
  }
}

await main()
