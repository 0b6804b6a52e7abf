/** TPM 2.0: quotes by both kinds of key beside what the machine and the same server can do at most, and what long logs and lists do to others. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { opensslCeiling, publicKeyMicros } from './anchor.ts'
import { closedLoop, httpRequest, openLoop, type Target } from './client.ts'
import { allIssued, answered } from './end-to-end.ts'
import { familyRssMegabytes, quantile } from './measure.ts'
import { challenges, prepareSetting, startService, type Prepared, type Service } from './setting.ts'
import { note, quotient } from './table.ts'
import { tpmAccepted, tpmHost, type AkKind, type TpmHost } from './tpm-hosts.ts'

const KINDS = [
  { kind: 'rsassa', name: 'RSA-2048', key: 'RSA-2048', verify: 'RSA-2048 verify, in process' },
  { kind: 'p256', name: 'P-256', key: 'P-256', verify: 'P-256 verify, in process' },
] as const satisfies readonly { kind: AkKind; name: string; key: Parameters<typeof opensslCeiling>[0]; verify: string }[]

const PLAIN = 'POST /v1/challenges on the same server'
const labelOf = (name: string): string => `TPM over HTTP, 1 process, ${name}`
const ceilingOf = (name: string): string => `openssl speed ${name} verify, all cores`

/** Lists that are longer than an ordinary body are streamed. */
const FILES = 10_000
/** Twice as many heavy requests at once as there are cores. */
const HEAVY_AT_ONCE = 4
const LIGHT_PER_SECOND = 200

type Long = { readonly label: string; readonly host: TpmHost; readonly streamed: boolean }

/** A service for TPM hosts, to be measured round by round. */
export type TpmBenchmark = {
  readonly round: (count: number) => Promise<void>
  readonly stop: () => Promise<void>
}

/** Starts the services: one for quotes, one for lists that must hold what is listed, both with a log of their delays. */
export async function tpmBenchmark(warm: number): Promise<TpmBenchmark> {
  const [quotes, lists] = [prepareSetting(await tpmAccepted()), prepareSetting(await tpmAccepted(FILES))]
  const [one, listing] = [await watched(quotes), await watched(lists)]
  const hosts = KINDS.map((row) => ({ ...row, host: tpmHost(row.kind) }))
  const longs: readonly Long[] = [
    { label: 'TPM, event log of 512 KiB', host: tpmHost('p256', { logBytes: 512 * 1024 }), streamed: false },
    { label: `TPM, IMA list of ${FILES} lines`, host: tpmHost('p256', { files: FILES }), streamed: true },
  ]
  for (const { host } of hosts) allIssued(await closedLoop(one.target, await requestsOf(host, one.target, Math.ceil(warm / 2)), 32))
  return {
    round: async (count) => {
      const keys = publicKeyMicros(3)
      note('P-256 verify, in process', 'µs', keys.p256Verify)
      note('RSA-2048 verify, in process', 'µs', keys.rsaVerify)
      note('P-256 sign, in process', 'µs', keys.p256Sign)
      for (const { host, name, key } of hosts) {
        note(ceilingOf(name), '/s', opensslCeiling(key, 2))
        await answered(one, labelOf(name), await requestsOf(host, one.target, count))
      }
      const plain = await closedLoop(one.target, Array<Buffer>(count).fill(httpRequest(one.target, '/v1/challenges', '{}')), 32)
      allIssued(plain)
      note(PLAIN, '/s', count / plain.seconds)
      for (const long of longs) await beside(long.streamed ? listing : one, long)
    },
    stop: async () => {
      await Promise.all([one.stop(), listing.stop()])
      await Promise.all([quotes.remove(), lists.remove()])
    },
  }
}

async function requestsOf({ request }: TpmHost, target: Target, count: number): Promise<readonly Buffer[]> {
  return (await challenges(target, count)).map((nonce) => httpRequest(target, '/v1/appraisals', JSON.stringify(request(nonce))))
}

const part = (name: string): string => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`

/** The same as a form whose second part is the list. */
async function streamsOf({ request, list }: TpmHost, target: Target, count: number): Promise<readonly Buffer[]> {
  return (await challenges(target, count)).map((nonce) => {
    const begin = Buffer.from(`${part('request')}${JSON.stringify(request(nonce))}\r\n${part('ima_log')}`)
    const end = Buffer.from('\r\n--b--\r\n')
    const length = begin.length + list.length + end.length
    const head = [
      'POST /v1/appraisals/streamed HTTP/1.1',
      `Host: ${target.host}:${target.port}`,
      'Content-Type: multipart/form-data; boundary=b',
      'Accept: application/jwt',
      `Content-Length: ${length}`,
    ]
    return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), begin, list, end])
  })
}

type Watched = Service & { readonly delays: () => Promise<{ readonly p50: number; readonly p99: number; readonly most: number }> }

const delaysSchema = z.object({ p50: z.number(), p99: z.number(), most: z.number() })

/** A service that tells how late its event loop was. */
async function watched(setting: Prepared): Promise<Watched> {
  const file = join(setting.folder, 'delays.json')
  const environment = {
    ...setting.environment,
    NODE_OPTIONS: `--import=${resolve(import.meta.dirname, 'loop-delay.ts')}`,
    BENCH_DELAY_FILE: file,
  }
  const service = await startService({ ...setting, environment }, 1)
  const delays = async () => {
    process.kill(service.pid, 'SIGUSR2')
    await sleep(100)
    return delaysSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  }
  return { ...service, delays }
}

/** Long requests, four at a time without a pause, and short ones beside them at a fixed rate. */
async function beside(service: Watched, { label, host, streamed }: Long): Promise<void> {
  const { target } = service
  const heavy = await (streamed ? streamsOf : requestsOf)(host, target, 60)
  const light = Array<Buffer>(LIGHT_PER_SECOND * 2).fill(httpRequest(target, '/v1/challenges', '{}'))
  // What is compiled at the first requests is the price of a start.
  allIssued(await closedLoop(target, heavy.slice(0, 20), HEAVY_AT_ONCE))
  await service.delays()
  const [long, short] = await Promise.all([closedLoop(target, heavy.slice(20), HEAVY_AT_ONCE), openLoop(target, light, LIGHT_PER_SECOND)])
  allIssued(long)
  const { p50, p99, most } = await service.delays()
  note(`${label}: each, ${HEAVY_AT_ONCE} at a time`, 'ms', quantile(long.latencies, 0.5))
  note(`${label}: event-loop delay p50`, 'ms', p50)
  note(`${label}: event-loop delay p99`, 'ms', p99)
  note(`${label}: event-loop delay, most`, 'ms', most)
  note(`${label}: p99 of short requests beside it`, 'ms', quantile(short.latencies, 0.99))
  note(`${label}: RSS`, 'MB', familyRssMegabytes(service.pid)[0] ?? NaN)
}

/** What the issue asks for, and what was measured. */
export function tpmRatios(): readonly string[] {
  return KINDS.flatMap(({ name, verify }) => [
    `| TPM: end to end ÷ the same server’s plain POST, ${name} | ${quotient(`${labelOf(name)}: appraisals`, [PLAIN])} | ≥ 0.20 |`,
    `| TPM: end to end ÷ openssl ceiling, ${name} | ${quotient(`${labelOf(name)}: appraisals`, [ceilingOf(name)])} | |`,
    `| TPM: server CPU ÷ CPU of its own public-key operations, ${name} | ${quotient(`${labelOf(name)}: server CPU per appraisal`, [verify, 'P-256 sign, in process'])} | ≤ 4 |`,
  ])
}
