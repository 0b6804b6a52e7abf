/** Appraisals over real sockets, as fast as they go and at a given rate. */
import { closedLoop, openLoop, type Load } from './client.ts'
import { familyCpuSeconds, quantile } from './measure.ts'
import { prepareRequests, type Binding, type Service, type Setting } from './setting.ts'
import { middle, note } from './table.ts'

/** One measurement: its label in the table, and how the tokens are bound. */
export type Run = { readonly setting: Setting; readonly service: Service; readonly label: string; readonly binding: Binding }

/** Every answer must be a token: a fast refusal is not a measurement. */
export function allIssued({ statuses }: Load): void {
  const others = [...statuses].filter(([status]) => status !== 201)
  if (others.length > 0) throw new Error(`not every request was accepted: ${JSON.stringify(others)}`)
}

/** Requests that are not counted. V8 goes on compiling for some ten thousand of them, which is the price of a start, not of an appraisal. */
export async function warmUp({ setting, service }: Pick<Run, 'setting' | 'service'>, warm: number): Promise<void> {
  for (const binding of ['bound', 'bearer'] as const) {
    const requests = await prepareRequests(setting, service.target, { count: Math.ceil(warm / 2), binding })
    allIssued(await closedLoop(service.target, requests, 32))
  }
}

/** `count` appraisals on 32 connections. */
export async function endToEnd({ setting, service, label, binding }: Run, count: number): Promise<void> {
  await answered(service, label, await prepareRequests(setting, service.target, { count, binding }))
}

/** Prepared requests on 32 connections, each of which must be answered by a token. */
export async function answered(service: Service, label: string, requests: readonly Buffer[]): Promise<void> {
  const before = familyCpuSeconds(service.pid)
  const load = await closedLoop(service.target, requests, 32)
  const cpu = familyCpuSeconds(service.pid) - before
  allIssued(load)
  note(`${label}: appraisals`, '/s', requests.length / load.seconds)
  note(`${label}: server CPU per appraisal`, 'µs', (cpu / requests.length) * 1e6)
  note(`${label}: p50 at full load`, 'ms', quantile(load.latencies, 0.5))
  note(`${label}: p99 at full load`, 'ms', quantile(load.latencies, 0.99))
}

/** Four seconds at 80 % of the rate that {@link endToEnd} noted under this label. */
export async function atEightyPercent({ setting, service, label, binding }: Run): Promise<void> {
  const perSecond = middle(`${label}: appraisals`) * 0.8
  const requests = await prepareRequests(setting, service.target, { count: Math.ceil(perSecond * 4), binding })
  const load = await openLoop(service.target, requests, perSecond)
  allIssued(load)
  note(`${label}: p50 at 80 % load`, 'ms', quantile(load.latencies, 0.5))
  note(`${label}: p99 at 80 % load`, 'ms', quantile(load.latencies, 0.99))
}
