/** Intel TDX: a simulated Intel and four platforms of its, measured beside another verifier and beside what the machine can do at most. */
import { fakeAmd } from '../src/simulator/amd.ts'
import { collateralBundle, intelBundle, joined } from '../src/simulator/bundle.ts'
import { fakeTdxHost } from '../src/simulator/intel-hosts.ts'
import { fakeIntel, intelCollateral } from '../src/simulator/intel.ts'
import { startFakePcs } from '../src/simulator/pcs.ts'
import { SIM_MRTD } from '../src/simulator/td-report.ts'
import { peerCollateral, peerVerdict } from '../test/phala.ts'
import { opensslCeiling, publicKeyMicros } from './anchor.ts'
import { endToEnd } from './end-to-end.ts'
import { inProcess } from './in-process.ts'
import { cpuSeconds } from './measure.ts'
import type { Service, Setting, Technology } from './setting.ts'
import { note, quotient } from './table.ts'

/** What another verifier makes of one quote of the same hosts, with the same collateral. */
type Peer = { readonly verify: (quote: Uint8Array) => void }

/** Two platforms with quotes v4, two with v5 and TD report 1.5, in turns; standard documents and early ones, as a service keeps them. */
export async function tdxTechnology(): Promise<Technology & Peer> {
  const [amd, intel] = [await fakeAmd({ products: ['Milan'] }), fakeIntel()]
  const pcs = await startFakePcs(intel)
  const hosts = (['td-report-1.0', 'td-report-1.5', 'td-report-1.0', 'td-report-1.5'] as const).map((body) => fakeTdxHost(intel, { body }))
  const turns = function* () {
    while (true) yield* hosts
  }
  const turn = turns()
  const collateral = peerCollateral(intelCollateral(intel), '00806f050000')
  const root = intel.authority('root').der
  return {
    host: { evidence: (reportData) => turn.next().value.evidence(reportData) },
    evidence: (reportData) => ({ type: 'tdx', quote: turn.next().value.quote(reportData), certificates: [] }),
    accepts: { tdx: { mr_td: [Buffer.from(SIM_MRTD).toString('hex')] } },
    // A service is ready when it has the lists of AMD, too.
    roots: [root, amd.root('Milan')],
    bundle: joined(collateralBundle(amd), intelBundle(intel, [{ updates: ['standard', 'early'] }])),
    sources: { intel_pcs_url: pcs.url, intel_root_crl_url: pcs.rootCrlUrl, intel_transport: 'DANGEROUSLY_PLAIN_HTTP' },
    stop: pcs.close,
    verify: (quote) => {
      const verdict = peerVerdict({ quote, collateral, at: new Date(), root })
      if (!('status' in verdict) || verdict.status !== 'UpToDate') throw new Error(`the peer says ${JSON.stringify(verdict)}`)
    },
  }
}

/** V8 goes on compiling for some thousands of appraisals; the peer's arithmetic, the same loop again and again, is compiled after a hundred. */
const WARM = 5000

/** What one round measures. */
export type TdxRound = { readonly setting: Setting & Peer; readonly one: Service; readonly all: Service; readonly cores: number }

const CEILING = 'openssl speed P-256 verify, all cores'
const PEER = 'TDX, @phala/dcap-qvl in process: CPU per verdict'
const IN_PROCESS = 'TDX in process: CPU per appraisal'

/** Ceiling, peer, in process and over HTTP, `count` appraisals each; the verdicts are the same, else it throws. */
export async function tdxRound({ setting, one, all, cores }: TdxRound, count: number): Promise<void> {
  note(CEILING, '/s', opensslCeiling('P-256', 2))
  const keys = publicKeyMicros(3)
  note('P-256 verify, in process', 'µs', keys.p256Verify)
  note('P-256 sign, in process', 'µs', keys.p256Sign)
  note(PEER, 'µs', peerMicros(setting, 300))
  const alone = { count, concurrency: 1, warm: WARM }
  note(IN_PROCESS, 'µs', (await inProcess(setting, { ...alone, until: 'verdict' })).cpuMicros)
  note('TDX in process, token included: CPU per appraisal', 'µs', (await inProcess(setting, alone)).cpuMicros)
  await endToEnd({ setting, service: one, label: 'TDX over HTTP, 1 process', binding: 'bearer' }, count)
  await endToEnd({ setting, service: all, label: tdxLabel(cores), binding: 'bearer' }, count)
}

/** The label of the service with a process for each core. */
export const tdxLabel = (cores: number): string => `TDX over HTTP, ${cores} processes`

function peerMicros({ evidence, verify }: Setting & Peer, count: number): number {
  const quotes = Array.from({ length: count }, (_, i) => evidence(new Uint8Array(64).fill(i))).flatMap((item) =>
    item.type === 'tdx' ? [item.quote] : [],
  )
  quotes.slice(0, count / 3).forEach(verify)
  const before = cpuSeconds()
  quotes.forEach(verify)
  return ((cpuSeconds() - before) / quotes.length) * 1e6
}

const cpu = (label: string): string =>
  quotient(`${label}: server CPU per appraisal`, ['P-256 verify, in process', 'P-256 sign, in process'])

/** What issue and specification ask for, and what was measured. */
export function tdxRatios(cores: number): readonly string[] {
  return [
    `| TDX: CPU of @phala/dcap-qvl ÷ CPU of a full appraisal, in process | ${quotient(PEER, [IN_PROCESS])} | ≥ 20 |`,
    `| TDX: server CPU ÷ CPU of its own public-key operations, 1 process | ${cpu('TDX over HTTP, 1 process')} | ≤ 3 |`,
    `| the same, ${cores} processes | ${cpu(tdxLabel(cores))} | ≤ 3 |`,
    `| TDX: end to end ÷ openssl ceiling, ${cores} processes | ${quotient(`${tdxLabel(cores)}: appraisals`, [CEILING])} | ≥ 0.18 |`,
  ]
}
