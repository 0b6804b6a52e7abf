import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PcrBank, TpmClaims } from '../src/verifiers/tpm/claims.ts'
import type { TpmEvidence } from '../src/verifiers/verifier.ts'
import { assay, tempFiles, type Files } from './cli.ts'
import { nameOfCase, tpmItemOf } from './tpm-cases.ts'
import { testEvidence } from './tpm-quotes.ts'
import { vectorBytes, vectorExists, vectorJson, vectorsPresent } from './vectors.ts'

// Logs of the vectors beside a quote by a key of tests, over the registers that the manifest says they lead to.

type Registers = Readonly<Record<string, string>>
type Ima = { readonly pcr10: string; readonly entries: number; readonly violations: number }
type Expected = {
  readonly bank: PcrBank
  readonly events: number
  readonly replayedPcrs?: Registers
  readonly bootApplications: readonly string[]
  readonly kernelCmdline: string | null
  readonly exitBootServicesSeen: boolean
} & Readonly<Partial<Record<'sha1' | 'sha256', Ima>>>
type Case = { readonly case: string; readonly expected: Expected }

const cases = vectorsPresent() ? (vectorJson('tpm/MANIFEST.json') as { cases: readonly Case[] }).cases : []
/** An excerpt without most separators is no log of a boot. */
const logs = cases
  .filter(({ case: name, expected }) => name.startsWith('eventlog-') && Object.keys(expected.replayedPcrs ?? {}).length > 0)
  .map(({ case: name, expected }) => [name, expected] as const)
const lists = cases.filter(({ case: name }) => name.startsWith('ima-keylime-')).map(({ case: name, expected }) => [name, expected] as const)

let files: Files
beforeAll(() => {
  files = tempFiles()
})
afterAll(() => files.remove())

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

/** A quote of these registers. */
function quoted(bank: PcrBank, registers: Registers, beside: Partial<TpmEvidence>): TpmEvidence {
  const values = { [bank]: Object.fromEntries(Object.entries(registers).map(([pcr, value]) => [pcr, bytesOf(value)])) }
  return { ...testEvidence([{ selections: [{ bank, pcrs: Object.keys(registers).map(Number) }], values }]), ...beside }
}

type Answer = { readonly code: string | null; readonly evidence: readonly [{ readonly claims: { readonly tpm?: TpmClaims } }] }

/** What the command says under a policy that enrols the key of tests and lets pass what these hosts are like. */
async function verified(
  evidence: TpmEvidence,
  tpm: object,
): Promise<{ readonly code: string | null; readonly claims: TpmClaims | undefined }> {
  const trust = { ak_trust: ['enrolled-ak'], enrolled_aks: [nameOfCase(evidence)], unnamed_boot: 'DANGEROUSLY_ALLOW' }
  const policy = { name: 'logs', key_binding: 'DANGEROUSLY_OPTIONAL', evidence: ['tpm'], tpm: { ...trust, ...tpm } }
  const [item, document] = [files.write('evidence.json', tpmItemOf(evidence)), files.write('policy.yaml', JSON.stringify(policy))]
  const { out } = await assay(['verify', item, '--offline', '--json', '--at', '2026-11-24T12:00:00Z', '--policy', document])
  const {
    code,
    evidence: [{ claims }],
  } = JSON.parse(out) as Answer
  return { code, claims: claims.tpm }
}

const LENIENT = {
  banks: ['sha256', 'DANGEROUSLY_SHA1'],
  event_log: { empty_secure_boot_variable: 'allow', efi_app_before_calling_event: 'allow' },
}

/** What stands in a log that is refused, whatever the policy lets pass. */
const REFUSED: Readonly<Record<string, string>> = {
  'eventlog-gat-sb_cert_eventlog': 'tpm-eventlog-separator-invalid',
}

const logOf = (name: string): Uint8Array => vectorBytes(`tpm/${name}/eventlog.bin`)

describe.skipIf(logs.length === 0)('logs of vectors/tpm by the command line', () => {
  it.each(logs)('%s', async (name, expected) => {
    const { bank, replayedPcrs = {} } = expected
    const { code, claims } = await verified(quoted(bank, replayedPcrs, { eventLog: logOf(name) }), LENIENT)
    expect(code).toBe(REFUSED[name] ?? null)
    if (code !== null) return
    expect(claims?.boot).toMatchObject({
      bank,
      events: expected.events,
      boot_applications: expected.bootApplications,
      kernel_cmdline: expected.kernelCmdline,
      exit_boot_services: expected.exitBootServicesSeen,
    })
  })

  it.each(logs)('%s beside another register', async (name, { bank, replayedPcrs = {} }) => {
    const [[pcr, value] = ['', '']] = Object.entries(replayedPcrs)
    const other = { ...replayedPcrs, [pcr]: value.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) }
    expect((await verified(quoted(bank, other, { eventLog: logOf(name) }), LENIENT)).code).toBe('tpm-eventlog-replay-mismatch')
  })

  it('eventlog-bogus', async () => {
    const evidence = quoted('sha256', { 0: '00'.repeat(32) }, { eventLog: logOf('eventlog-bogus') })
    expect((await verified(evidence, LENIENT)).code).toBe('tpm-eventlog-malformed')
  })
})

const listOf = (name: string): Uint8Array => vectorBytes(`tpm/${name}/ascii_runtime_measurements`)

describe.skipIf(lists.length === 0)('lists of measured files of vectors/tpm by the command line', () => {
  const rules = { mode: 'require', boot_aggregate: 'off', violations: 'allow', excludes: ['.*'] }

  it.each(lists)('%s', async (name, expected) => {
    for (const bank of ['sha1', 'sha256'] as const) {
      const { pcr10 = '', entries, violations } = expected[bank] ?? {}
      const evidence = quoted(bank, { 10: pcr10 }, { imaLog: listOf(name) })
      const { code, claims } = await verified(evidence, { banks: LENIENT.banks, ima: rules })
      expect([bank, code, claims?.ima?.attested_entries, claims?.ima?.violations]).toEqual([bank, null, entries, violations])
      expect((await verified(evidence, { banks: LENIENT.banks, ima: { ...rules, violations: 'refuse' } })).code).toBe('tpm-ima-violation')
    }
  })

  it('swtpm-ima-quote is attested as far as its quotes go', async () => {
    const { sha256 = {} } = vectorJson('tpm/swtpm-ima-quote/ima400.pcrs.json') as { sha256?: Registers }
    const evidence = quoted('sha256', { 10: sha256['10'] ?? '' }, { imaLog: listOf('swtpm-ima-quote') })
    const { code, claims } = await verified(evidence, { ima: rules })
    expect([code, claims?.ima?.attested_entries, claims?.ima?.unattested_entries]).toEqual([null, 400, 426])
  })
})

describe.skipIf(cases.length === 0)('logs and lists of vectors/tpm', () => {
  it('are all there', () => {
    const withLog = cases.filter(({ case: name }) => name.startsWith('eventlog-') && vectorExists(`tpm/${name}/eventlog.bin`))
    expect([logs.length, lists.length, withLog.length]).toEqual([13, 3, 15])
  })
})
