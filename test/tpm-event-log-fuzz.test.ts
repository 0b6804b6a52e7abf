import * as fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { genuineTpm, type TpmRigour } from '../src/verifiers/tpm/context.ts'
import type { BootClaims } from '../src/verifiers/tpm/boot/claims.ts'
import { judgeBoot, type BootJudgement } from '../src/verifiers/tpm/boot/judge.ts'
import { allPcrs, bootLog, eventsOf, HOST, type Event } from './boot-log.ts'
import { vectorBytes, vectorsPresent } from './vectors.ts'

/** Work that was done: calls of a hash, and bytes that were hashed. */
const work = vi.hoisted(() => ({ calls: 0, bytes: 0 }))
vi.mock(import('node:crypto'), async (original) => {
  const crypto = await original()
  const hash = ((algorithm: string, data: Uint8Array, encoding: 'buffer') => {
    work.calls += 1
    work.bytes += data.length
    return crypto.hash(algorithm, data, encoding)
  }) as typeof crypto.hash
  return { ...crypto, default: crypto, hash }
})

const LENIENT: TpmRigour = { ...genuineTpm, emptySecureBootVariable: 'allow', efiAppBeforeCallingEvent: 'allow' }
type Seed = { readonly name: string; readonly log: Uint8Array; readonly pcrs: ReadonlyMap<number, Uint8Array> }
const real = (name: string, locality = 0): Seed => {
  const log = vectorBytes(`tpm/${name}/eventlog.bin`)
  return { name, log, pcrs: allPcrs(eventsOf(log), locality) }
}
const SEEDS: readonly Seed[] = [
  { name: 'own', log: bootLog(HOST), pcrs: allPcrs(HOST) },
  ...(vectorsPresent()
    ? [
        real('eventlog-gtt-rhel8-uefi'),
        real('eventlog-gtt-ubuntu-2404-amd-sevsnp'),
        real('eventlog-gtt-arch-linux-workstation'),
        real('eventlog-keylime-locality3', 3),
      ]
    : []),
]

const judge = ({ log, pcrs }: Pick<Seed, 'log' | 'pcrs'>): BootJudgement =>
  judgeBoot({ eventLog: log, bank: 'sha256', pcrs, rigour: LENIENT })
const codes = ({ checks }: BootJudgement): readonly string[] => checks.flatMap((check) => (check.outcome === 'fail' ? [check.code] : []))

/** Names and texts that nothing measures, or counts of what nothing measures; all else is proven. */
const UNPROVEN: readonly (keyof BootClaims)[] = ['events', 'untrusted', 'mok', 'grub_commands', 'kernel_cmdline_source']
/** Facts that became less known are no lie; neither are fewer PCRs, or lists in which more counts than before. */
const same = (before: unknown, after: unknown): boolean => after === null || JSON.stringify(before) === JSON.stringify(after)
const COUNTS_MORE: readonly (keyof BootClaims)[] = ['boot_applications', 'firmware_blobs', 'grub_files']
const containsAll = (few: unknown, many: unknown): boolean =>
  Array.isArray(few) && Array.isArray(many) && few.every((entry) => many.includes(entry))

/** The facts of which a changed log tells something else. */
function lies(before: BootClaims, after: BootClaims): readonly string[] {
  return (Object.keys(before) as (keyof BootClaims)[])
    .filter((fact) => !UNPROVEN.includes(fact) && !same(before[fact], after[fact]))
    .filter((fact) => !(COUNTS_MORE.includes(fact) && containsAll(before[fact], after[fact])))
    .filter((fact) => !(fact === 'replayed' && containsAll(after[fact], before[fact])))
}

const edit = fc.oneof(
  fc.record({ at: fc.nat(), bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }) }),
  fc.record({
    at: fc.nat(),
    bytes: fc.constantFrom(Uint8Array.of(255, 255, 255, 255), Uint8Array.of(0, 0, 0, 0), Uint8Array.of(4, 0, 0, 0)),
  }),
)
const mutated = (log: Uint8Array, edits: readonly { readonly at: number; readonly bytes: Uint8Array }[]): Uint8Array => {
  const copy = log.slice()
  for (const { at, bytes } of edits) copy.set(bytes.subarray(0, copy.length - (at % copy.length)), at % copy.length)
  return copy
}

describe.each(SEEDS)('the log $name', ({ name, log, pcrs }) => {
  const before = judge({ log, pcrs }).claims

  it('is accepted as it is', () => {
    Object.assign(work, { calls: 0, bytes: 0 })
    expect(codes(judge({ log, pcrs }))).toEqual([])
    // The counter counts: every byte is hashed nearly once at least.
    expect(work.bytes).toBeGreaterThan(log.length / 2)
  })

  it('however it is changed is refused by a check, or proves what it proved before', () => {
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), fc.nat(), (edits, cut) => {
        const changed = mutated(log, edits).subarray(0, cut % 4 === 0 ? cut % log.length : log.length)
        Object.assign(work, { calls: 0, bytes: 0 })
        const judgement = judge({ log: changed, pcrs })
        // Every event is hashed into its PCR and held against its data a few times at most; constants are for separators, names and phases.
        expect(work.bytes).toBeLessThan(8 * log.length + 20_000)
        expect(work.calls).toBeLessThan(log.length / 8 + 500)
        expect(judgement.checks).toHaveLength(9)
        expect(judgement.claims === null ? codes(judgement).length > 0 : lies(before ?? judgement.claims, judgement.claims)).toEqual(
          judgement.claims === null ? true : [],
        )
      }),
      { seed: 20261124, numRuns: name === 'own' ? 2000 : 200 },
    )
  })
})

describe('one bit of our own log', () => {
  const log = bootLog(HOST)
  const pcrs = allPcrs(HOST)
  const before = judge({ log, pcrs }).claims

  it('changes no fact', () => {
    const verdicts = Array.from(log, (byte, place) => {
      const { claims } = judge({ log: log.with(place, byte ^ (1 << (place % 8))), pcrs })
      const changed = claims === null || before === null ? [] : lies(before, claims)
      return { place, refused: claims === null, changed }
    })
    expect(verdicts.filter(({ changed }) => changed.length > 0)).toEqual([])
    expect(verdicts.filter(({ refused }) => refused).length).toBeGreaterThan(log.length / 2)
  })
})

describe('labels of our own log', () => {
  const pcrs = allPcrs(HOST)
  const before = judge({ log: bootLog(HOST), pcrs }).claims
  const types = fc.constantFrom(1, 2, 4, 5, 6, 8, 0xd, 0x11, 0x80000001, 0x80000002, 0x80000003, 0x80000006, 0x80000007, 0x800000e0)
  const prefixes = fc.constantFrom('grub_cmd: ', 'kernel_cmdline: ', 'module_cmdline: ', 'grub_cmd ', 'grub_kernel_cmdline ', '')

  it('may be any, and change no fact', () => {
    const relabelled = fc.array(fc.record({ place: fc.nat(), type: types, prefix: prefixes }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(relabelled, (changes) => {
        const events = changes.reduce<readonly Event[]>((all, { place, type, prefix }) => {
          const at = place % all.length
          const event = all[at] as Event
          const of = event.of ?? event.data
          const data = prefix === '' ? of : new Uint8Array(Buffer.concat([Buffer.from(prefix), of]))
          return all.with(at, { ...event, type, data, of })
        }, HOST)
        const { claims } = judge({ log: bootLog(events), pcrs })
        expect(claims === null || before === null ? [] : lies(before, claims)).toEqual([])
      }),
      { seed: 20261124, numRuns: 1000 },
    )
  })
})

/** One event over and over. */
const repeated = (times: number): Uint8Array => {
  const [none, one] = [[], [{ pcr: 0, type: 4, data: new Uint8Array(), digest: new Uint8Array(32) }]].map(bootLog)
  const header = none?.length ?? 0
  const record = one?.subarray(header) ?? new Uint8Array()
  return new Uint8Array(Buffer.concat([one?.subarray(0, header) ?? new Uint8Array(), Buffer.alloc(record.length * times, record)]))
}

describe('logs of too much', () => {
  const HEADER = 65
  it.each([
    ['a million events', () => repeated(1_000_000)],
    ['more events than 8 MiB need not hold', () => repeated(16_385)],
    [
      '100,000 digests in one event',
      () =>
        bootLog(HOST)
          .with(HEADER + 8, 0xa0)
          .with(HEADER + 9, 0x86)
          .with(HEADER + 10, 1),
    ],
    ['data of a gigabyte in one event', () => bootLog(HOST).with(HEADER + 49, 0x40)],
  ])('are refused early: %s', (_, make) => {
    Object.assign(work, { calls: 0, bytes: 0 })
    const judgement = judge({ log: make(), pcrs: allPcrs(HOST) })
    expect([codes(judgement), work]).toEqual([['tpm-eventlog-malformed'], { calls: 0, bytes: 0 }])
  })
})
