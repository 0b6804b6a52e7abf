import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { PcrBank } from '../src/verifiers/tpm/claims.ts'
import { genuineTpm, type TpmRigour } from '../src/verifiers/tpm/context.ts'
import type { SignatureDatabase } from '../src/verifiers/tpm/boot/claims.ts'
import { judgeBoot, type BootJudgement } from '../src/verifiers/tpm/boot/judge.ts'
import { vectorBytes, vectorExists, vectorJson, vectorsPresent } from './vectors.ts'

type Database = { readonly certSha256: readonly string[]; readonly hashCount: number }
type Expected = {
  readonly bank: PcrBank
  readonly events: number
  readonly startupLocality: number
  readonly replayedPcrs: Readonly<Record<string, string>>
  readonly secureBootVar: string | null
  readonly vars: Readonly<Record<string, Database>>
  readonly bootApplications: readonly string[]
  readonly grubCommandCount: number
  readonly kernelCmdline: string | null
  readonly exitBootServicesSeen: boolean
  readonly nonHostInfoHex: string | null
  readonly authorityEvents: number
}
type Case = { readonly case: string; readonly expected: Expected & { readonly eventLogSha256?: Expected } }

const cases = vectorsPresent() ? (vectorJson('tpm/MANIFEST.json') as { cases: readonly Case[] }).cases : []
/** Logs with what they lead to. */
const logs = cases
  .map(({ case: name, expected }) => ({ name, expected: expected.eventLogSha256 ?? expected }))
  .filter(({ name, expected }) => vectorExists(`tpm/${name}/eventlog.bin`) && Object.keys(expected.replayedPcrs ?? {}).length > 0)

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
const pcrsOf = (values: Readonly<Record<string, string>>): ReadonlyMap<number, Uint8Array> =>
  new Map(Object.entries(values).map(([pcr, value]) => [Number(pcr), bytes(value)]))

/** The most that a policy may let pass, so that each log tells all that it proves. */
const LENIENT: TpmRigour = {
  ...genuineTpm,
  banks: ['sha512', 'sha384', 'sha256', 'sha1'],
  emptySecureBootVariable: 'allow',
  efiAppBeforeCallingEvent: 'allow',
}
const logOf = (name: string): Uint8Array => vectorBytes(`tpm/${name}/eventlog.bin`)
const judge = (name: string, expected: Pick<Expected, 'bank' | 'replayedPcrs'>, rigour: Partial<TpmRigour> = {}): BootJudgement =>
  judgeBoot({ eventLog: logOf(name), bank: expected.bank, pcrs: pcrsOf(expected.replayedPcrs), rigour: { ...LENIENT, ...rigour } })
const codes = ({ checks }: BootJudgement): readonly string[] =>
  checks.flatMap((check) => (check.outcome === 'fail' ? [`${check.id} ${check.code}`] : []))
const expectedOf = (name: string): Expected => {
  const found = logs.find((log) => log.name === name)
  if (found === undefined) throw new Error(`no log ${name}`)
  return found.expected
}

const claimsOf = (name: string, rigour: Partial<TpmRigour> = {}) => judge(name, expectedOf(name), rigour).claims
const refusal = (name: string, bank: PcrBank, replayedPcrs: Readonly<Record<string, string>> = {}) =>
  codes(judge(name, { bank, replayedPcrs }))
const sha1 = (...parts: readonly Uint8Array[]): Buffer => createHash('sha1').update(Buffer.concat(parts)).digest()

const DATABASES = ['pk', 'kek', 'db', 'dbx'] as const
/** The byte behind the signature, where it is Google's. */
const technologyOf = ({ nonHostInfoHex }: Expected): number | null =>
  nonHostInfoHex?.startsWith('474345') === true ? Number(`0x${nonHostInfoHex.slice(32, 34)}`) : null

/** An excerpt: no separator but that of PCR 7. */
const EXCERPT = 'eventlog-gat-sb_cert_eventlog'
const whole = logs.filter(({ name }) => name !== EXCERPT)
const count = (database: SignatureDatabase | undefined): Database => ({
  certSha256: database?.certificates ?? [],
  hashCount: database?.sha256.length ?? 0,
})

describe.skipIf(logs.length === 0)('event logs of TPM hosts', () => {
  it('are all there', () => {
    expect(logs.map(({ name }) => name).length).toBe(15)
  })

  it.each(whole)('$name leads to its PCRs', ({ name, expected }) => {
    const judgement = judge(name, expected)
    expect(codes(judgement)).toEqual([])
    expect(judgement.claims).toMatchObject({ events: expected.events, startup_locality: expected.startupLocality })
    expect(judgement.claims?.replayed).toEqual(
      Object.keys(expected.replayedPcrs)
        .map(Number)
        .toSorted((a, b) => a - b),
    )
  })

  it.each(whole)('$name leads to no other value of any PCR', ({ name, expected }) => {
    for (const [pcr, value] of Object.entries(expected.replayedPcrs)) {
      const changed = { ...expected.replayedPcrs, [pcr]: value.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) }
      const judgement = judge(name, { ...expected, replayedPcrs: changed })
      expect(codes(judgement)).toEqual(Number(pcr) < 8 ? ['TPM-46 tpm-eventlog-replay-mismatch'] : [])
      expect(judgement.claims?.replayed ?? []).not.toContain(Number(pcr))
    }
  })

  it.each(whole)('$name proves what was booted, and by whom', ({ name, expected }) => {
    const { claims } = judge(name, expected)
    expect(claims?.boot_applications).toEqual(expected.bootApplications)
    expect(claims?.exit_boot_services).toBe(expected.exitBootServicesSeen)
    expect(claims?.kernel_cmdline).toBe(expected.kernelCmdline)
    expect(claims?.gce_technology).toBe(technologyOf(expected))
  })

  it.each(whole)('$name proves the keys of Secure Boot', ({ name, expected }) => {
    const secureBoot = claimsOf(name)?.secure_boot
    expect(secureBoot?.variable).toBe({ '00': false, '01': true }[expected.secureBootVar ?? ''] ?? null)
    const { PK, KEK, db, dbx } = expected.vars
    expect(DATABASES.map((database) => count(secureBoot?.[database]))).toEqual([PK, KEK, db, dbx])
  })
})

type Banks = Readonly<Partial<Record<PcrBank, Readonly<Record<string, string>>>>>
const banksOf = (path: string): readonly (readonly [string, PcrBank, Readonly<Record<string, string>>])[] =>
  Object.entries(vectorJson(path) as Banks).map(([bank, values]) => [path, bank as PcrBank, values] as const)
const quoted = logs.flatMap(({ name }) => (vectorExists(`tpm/${name}/pcrs.json`) ? banksOf(`tpm/${name}/pcrs.json`) : []))
const gce =
  logs.length === 0
    ? []
    : (['sha1', 'sha256', 'sha384'] as const).flatMap((bank) => banksOf(`tpm/gce-cos-85-nonce9009/quote-${bank}.pcrs.json`))

describe.skipIf(logs.length === 0)('PCR values of all banks', () => {
  it('are all there', () => {
    expect([quoted.length, gce.length]).toEqual([20, 3])
  })

  it.each([...quoted, ...gce])('%s, %s: are those that the log leads to', (path, bank, replayedPcrs) => {
    const name = path.split('/')[1] ?? ''
    const judgement = judge(name, { bank, replayedPcrs })
    expect(codes(judgement)).toEqual([])
    // GRUB, shim and the kernel extend these; the log of the software TPM and of the cloud tell of them too.
    expect(judgement.claims?.replayed).toEqual(expect.arrayContaining([0, 1, 2, 3, 4, 5, 6, 7]))
    expect(judgement.claims?.bank).toBe(bank)
  })
})

describe.skipIf(logs.length === 0)('what real logs prove', () => {
  it('of a shielded instance: Secure Boot in effect, GRUB’s line by the line of its command', () => {
    const claims = claimsOf('gce-cos-85-nonce9009')
    expect(claims).toMatchObject({
      scrtm_version: 'GCE Virtual Firmware v1',
      firmware_blobs: [],
      kernel_cmdline_source: 'grub',
      initrds: null,
      mok: null,
    })
    const secureBoot = claims?.secure_boot
    expect(secureBoot).toMatchObject({ enabled: true, sbat_level: null, shim_validation_disabled: false, debug_mode: false })
    expect(secureBoot?.authorities).toHaveLength(3)
    expect(new Set(secureBoot?.authorities.map(({ sha256, variable }) => `${variable} ${sha256}`)).size).toBe(1)
    // What let shim boot is a certificate of db.
    expect(secureBoot?.db.certificates).toContain(secureBoot?.authorities[0]?.sha256)
  })

  it('of shim: its own key, and its lists', () => {
    const claims = claimsOf('eventlog-gtt-rhel8-uefi')
    expect(claims?.secure_boot?.authorities.map(({ variable }) => variable)).toEqual(['db', 'Shim'])
    expect(Object.keys(claims?.mok ?? {})).toEqual(['MokList', 'MokListX'])
    const later = claimsOf('eventlog-gtt-ubuntu-2404-amd-sevsnp')
    expect(Object.keys(later?.mok ?? {})).toEqual(['MokList', 'MokListX', 'MokListTrusted'])
    expect(later?.secure_boot).toMatchObject({ enabled: false, variable: false, sbat_level: 'sbat,1,2021030218\n' })
  })

  it('of a kernel that measures its load options: the line that GRUB measured', () => {
    const claims = claimsOf('eventlog-gtt-ubuntu-2404-amd-sevsnp')
    expect([claims?.kernel_cmdline_source, claims?.grub_files?.length, claims?.initrds]).toEqual(['linux-stub', 11, []])
  })

  it('of firmware that measures the digest of a separator before its version: no version', () => {
    const claims = claimsOf('eventlog-gtt-glinux-alex')
    expect([claims?.scrtm_version, claims?.firmware_blobs?.length]).toEqual([null, 2])
  })

  it('of a laptop: version, blobs, and an application of the vendor before all others', () => {
    const claims = claimsOf('eventlog-keylime-locality3')
    expect([claims?.scrtm_version, claims?.firmware_blobs?.length, claims?.startup_locality]).toEqual(['N40ET41W', 10, 3])
    const strict = judge('eventlog-keylime-locality3', expectedOf('eventlog-keylime-locality3'), { efiAppBeforeCallingEvent: 'refuse' })
    expect(codes(strict)).toEqual(['TPM-48 tpm-eventlog-separator-invalid'])
  })

  it.each([
    ['eventlog-gtt-arch-linux-workstation', ['TPM-50 tpm-secureboot-log-invalid']],
    ['eventlog-gat-crypto_agile_eventlog', ['TPM-50 tpm-secureboot-log-invalid']],
    ['eventlog-gtt-glinux-alex', []],
  ])('%s: what may not be empty is refused', (name, refused) => {
    expect(codes(judge(name, expectedOf(name), { emptySecureBootVariable: 'refuse' }))).toEqual(refused)
  })

  it('of an excerpt: PCR 7, and separators are missed in others', () => {
    const { bank, replayedPcrs } = expectedOf(EXCERPT)
    expect(codes(judge(EXCERPT, { bank, replayedPcrs }))).toEqual(['TPM-48 tpm-eventlog-separator-invalid'])
    const { claims } = judge(EXCERPT, { bank, replayedPcrs: { 7: replayedPcrs['7'] ?? '' } })
    expect(claims?.secure_boot?.enabled).toBe(true)
    expect(claims?.secure_boot?.authorities.map(({ variable }) => variable)).toEqual(['db', 'Shim', 'Shim'])
  })

  it('of SP800-155: text that nobody may rely on', () => {
    const ids = claimsOf('eventlog-gtt-eventlogwithsp800155')?.untrusted.platform_ids
    expect(ids).toEqual(Array.from({ length: 2 }, () => 'SP800-155 Event3 d09705a05e4c384780326f958ca92fad'))
  })
})

describe.skipIf(logs.length === 0)('logs that are no logs, or tell nothing', () => {
  it('text is refused', () => {
    expect(refusal('eventlog-bogus', 'sha256')).toEqual(['TPM-43 tpm-eventlog-malformed'])
  })

  it('SHA-1 alone is none of SHA-256', () => {
    expect(refusal('eventlog-gat-ebs_event_missing_eventlog', 'sha256')).toEqual(['TPM-44 tpm-eventlog-bank-missing'])
  })

  it('a lone record of the startup locality is a log', () => {
    expect(judge('eventlog-gat-short_no_action_eventlog', { bank: 'sha1', replayedPcrs: {} }).claims).toMatchObject({
      events: 1,
      startup_locality: 3,
    })
    const started = `${'00'.repeat(19)}03`
    expect(refusal('eventlog-gat-short_no_action_eventlog', 'sha1', { 0: started })).toEqual(['TPM-48 tpm-eventlog-separator-invalid'])
    expect(refusal('eventlog-gat-short_no_action_eventlog', 'sha1', { 0: '00'.repeat(20) })).toEqual(['TPM-47 tpm-eventlog-incomplete'])
  })

  it('a log that was read before the handover needs it, and shows it', () => {
    const name = 'eventlog-gat-ebs_event_missing_eventlog'
    const { bank, replayedPcrs } = expectedOf(name)
    const handed = ['Exit Boot Services Invocation', 'Exit Boot Services Returned with Success'].reduce<Uint8Array>(
      (value, text) => sha1(value, sha1(Buffer.from(text))),
      Buffer.from(replayedPcrs['5'] ?? '', 'hex'),
    )
    const values = { ...replayedPcrs, 5: Buffer.from(handed).toString('hex') }
    expect(judge(name, { bank, replayedPcrs: values }).claims).toMatchObject({ exit_boot_services: true, exit_boot_services_added: true })
    expect(codes(judge(name, { bank, replayedPcrs: values }, { exitBootServicesWorkaround: 'refuse' }))).toEqual([
      'TPM-46 tpm-eventlog-replay-mismatch',
    ])
  })
})
