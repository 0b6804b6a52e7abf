/** What the policy costs of an appraisal, with its own values and with sets of reference values of several sizes. */
import type { ActivePolicy } from '../src/appraisal/policy-set.ts'
import { readPolicy } from '../src/appraisal/read-policy.ts'
import { readReferenceSet } from '../src/appraisal/reference-values.ts'
import type { ReferenceSets, ReferenceVersion } from '../src/appraisal/resolve-references.ts'
import { createReferences } from '../src/policies/references.ts'
import { SIM_MEASUREMENT } from '../src/simulator/report.ts'
import { memoryStores } from '../src/stores/memory.ts'
import { createLog } from '../src/telemetry/log.ts'
import { bearerPolicy, inProcess, judged, proverOf } from './in-process.ts'
import { cpuSeconds } from './measure.ts'
import type { Setting } from './setting.ts'
import { difference, note, quotient } from './table.ts'

/** Reference values from which the one that fits is found. */
const SIZES = [1_000, 10_000, 100_000] as const
/** Values of one version (docs/reference-values.md). */
const MOST_VALUES = 10_000
const OWN = 'policy, one value of its own'
const APPRAISAL = 'in process, one at a time: CPU per appraisal'
const nameOf = (size: number): string => `policy, ${size.toLocaleString('en')} reference values`

/** A judge and how many verdicts it gives a slice: slices of all judges take turns, so that what disturbs one disturbs the others. */
type Judge = { readonly name: string; readonly judge: () => unknown }

/** Processor microseconds of each part, a round at a time; the rows of the ratios when all rounds are over. */
export async function policyBenchmark(setting: Setting): Promise<{ readonly round: (count: number) => Promise<void> }> {
  const judges = await judgesOf(setting)
  for (const { judge } of judges) for (let i = 0; i < 20_000; i++) judge()
  return {
    round: async (count) => {
      note(APPRAISAL, 'µs', (await inProcess(setting, { count, concurrency: 1, warm: 4000 })).cpuMicros)
      for (const [name, micros] of measured(judges, count)) note(name, 'µs', micros)
    },
  }
}

const SLICES = 40

function measured(judges: readonly Judge[], count: number): ReadonlyMap<string, number> {
  const sums = new Map<string, number>()
  const each = Math.ceil((count * 10) / SLICES)
  const turns = Array.from({ length: SLICES }, () => judges).flat()
  for (const { name, judge } of turns) sums.set(name, (sums.get(name) ?? 0) + secondsOf(judge, each))
  return new Map([...sums].map(([name, seconds]) => [name, (seconds / (each * SLICES)) * 1e6]))
}

function secondsOf(judge: Judge['judge'], times: number): number {
  const before = cpuSeconds()
  for (let i = 0; i < times; i++) judge()
  return cpuSeconds() - before
}

async function judgesOf(setting: Setting): Promise<readonly Judge[]> {
  const policy = bearerPolicy(setting)
  const evidence = setting.evidence(new Uint8Array(64))
  const finding = await (await proverOf(setting, policy))({ reportData: new Uint8Array(64), evidence })
  const own = { name: OWN, judge: () => judged(evidence.type, finding, policy) }
  const more = await Promise.all(
    SIZES.map(async (size) => {
      const filled = await fillerOf(size)
      return { name: nameOf(size), judge: () => judged(evidence.type, finding, filled()) }
    }),
  )
  return [own, ...more]
}

/** What each request does for its policy: the sets of the moment, which are the same until they change. */
async function fillerOf(size: number): Promise<() => ActivePolicy> {
  const sets = setsOf(size)
  const references = await createReferences({
    readFixed: () => sets,
    recordFiles: async () => {},
    store: memoryStores().documents,
    separateAuthorAndActivator: false,
    now: () => new Date(),
    log: createLog('silent'),
  })
  const measurements = [...sets.keys()].map((set) => ({ set }))
  const policy = readPolicy(JSON.stringify({ name: 'bearer', key_binding: 'DANGEROUSLY_OPTIONAL', snp: { measurements } }), 'benchmark')
  const began = cpuSeconds()
  references.moment()(policy)
  note(`${nameOf(size)}: first use after a change`, 'ms', (cpuSeconds() - began) * 1e3)
  return () => references.moment()(policy)
}

/** Sets with so many values in all; the one that fits is the last. */
function setsOf(size: number): ReferenceSets {
  const values = Array.from({ length: size }, (_, i) => (i === size - 1 ? Buffer.from(SIM_MEASUREMENT).toString('hex') : valueOf(i)))
  const count = Math.ceil(size / MOST_VALUES)
  return new Map(
    Array.from({ length: count }, (_, i) => [
      `nodes-${i}`,
      [versionOf(`nodes-${i}`, values.slice(i * MOST_VALUES, (i + 1) * MOST_VALUES))],
    ]),
  )
}

const valueOf = (i: number): string => (i + 1).toString(16).padStart(8, '0').padStart(96, '5a')

function versionOf(name: string, measurements: readonly string[]): ReferenceVersion {
  const provenance = { by: 'benchmark', from: 'benchmark', at: '2026-01-01T00:00:00Z' }
  const text = JSON.stringify({ name, owner: 'benchmark', provenance, snp: { measurements } })
  return { version: 1, standing: { state: 'active' }, ...readReferenceSet(text, name) }
}

/** Rows of the table of ratios. */
export function policyRatios(): readonly string[] {
  const rows = SIZES.map(
    (size) =>
      `| what ${size.toLocaleString('en')} reference values add ÷ an appraisal’s CPU | ${difference(nameOf(size), OWN, APPRAISAL)} | ${size === 1000 ? '< 0.01' : ''} |`,
  )
  return [`| policy evaluation ÷ an SNP appraisal’s CPU | ${quotient(OWN, [APPRAISAL])} | < 0.05 |`, ...rows]
}
