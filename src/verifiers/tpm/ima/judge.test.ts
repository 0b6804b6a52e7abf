import { hash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ascii, binary, bootAggregate, contentDigest, file, pcr10, violation, type Listed } from '../../../../test/ima-lists.ts'
import type { PcrBank } from '../claims.ts'
import type { ImaState } from '../context.ts'
import { AttestationError } from '../../problems.ts'
import { judgeIma, type ImaInput, type ImaJudgement } from './judge.ts'
import type { ImaRules } from './rules.ts'

const FIRST_PCRS = Array.from({ length: 10 }, (_, i) => hash('sha256', `PCR ${i}`, 'buffer'))
const LIST = [bootAggregate(FIRST_PCRS), file('/bin/a', 'a'), file('/bin/b', 'b')]
const digestOf = (content: string) => new Set([`sha256:${contentDigest(content).toString('hex')}`])
const RULES: ImaRules = {
  bootAggregate: 'verify',
  legacyPadding: 'refuse',
  digests: new Map([
    ['/bin/a', digestOf('a')],
    ['/bin/b', digestOf('b')],
  ]),
  isExcluded: () => false,
  keyrings: new Map(),
  ignoredKeyrings: new Set(),
  buffers: new Map(),
  signers: [],
}
const NOW = new Date('2026-11-24T12:00:00Z')

/** The input for a list that leads to PCR 10, changed as a test says. */
function inputOf(list: readonly Listed[], change: Partial<ImaInput> = {}): ImaInput {
  const bank: PcrBank = change.bank ?? 'sha256'
  const value = pcr10(list, bank)
  const quoted = new Map<number, Uint8Array>([...FIRST_PCRS.map((pcr, i) => [i, pcr] as const), [10, value]])
  return {
    imaLog: ascii(list),
    rules: RULES,
    bank,
    pcrs: quoted,
    quotedBanks: new Map([['sha256', quoted]]),
    akName: '000b',
    clock: { clock: 1000n, resetCount: 3, restartCount: 1 },
    state: undefined,
    now: NOW,
    ...change,
  }
}

const outcomes = ({ checks }: ImaJudgement) => checks.map((check) => `${check.id} ${'code' in check ? check.code : check.outcome}`)
async function* bytewise(bytes: Uint8Array) {
  for (const byte of bytes) yield Uint8Array.of(byte)
}

const garbage = (list: Buffer) => Buffer.concat([list, Buffer.from([1, 2, 3])])
const wrong = async (imaLog: Uint8Array, change: Partial<ImaInput> = {}) => outcomes(await judgeIma(inputOf(LIST, { imaLog, ...change })))

describe('a list that leads to PCR 10', () => {
  it.each([
    ['in ASCII', ascii(LIST)],
    ['in binary', binary(LIST)],
    ['in ASCII, its last line unfinished', ascii(LIST).subarray(0, -1)],
  ])('is proven whole, %s', async (_, imaLog) => {
    const judged = await judgeIma(inputOf(LIST, { imaLog }))
    expect(outcomes(judged)).toEqual(['TPM-61 pass', 'TPM-62 pass', 'TPM-63 pass', 'TPM-69 skip'])
    expect(judged.claims).toEqual({
      attested_entries: 3,
      unattested_entries: 0,
      value: pcr10(LIST).toString('hex'),
      boot_aggregate: '0-9',
      boot_aggregate_verified: true,
      violations: 0,
      accepted: { digest: 2, signature: 0, excluded: 0, keyring: 0, buffer: 0 },
      faults: {},
      legacy_padding: false,
      continued: false,
      whole_list_at: NOW.toISOString(),
    })
  })

  it.each([
    ['ASCII', ascii(LIST)],
    ['binary', binary(LIST)],
  ])('says the same byte by byte, in %s', async (_, list) => {
    expect(await judgeIma(inputOf(LIST, { imaLog: bytewise(list) }))).toEqual(await judgeIma(inputOf(LIST)))
  })

  it('is proven in each bank, the data hashed by the bank’s own hash', async () => {
    for (const bank of ['sha1', 'sha256', 'sha384', 'sha512'] as const) {
      const judged = await judgeIma(inputOf(LIST, { bank }))
      expect(judged.claims?.value).toBe(pcr10(LIST, bank).toString('hex'))
    }
  })

  it('asks after every entry whether others should work, and lets them', async () => {
    const seen: string[] = []
    const isExcluded = (path: string) => seen.push(path) < 0
    let asked = 0
    const others = async () => void seen.push('others')
    const pause = () => ((asked += 1) % 2 === 0 ? others() : undefined)
    const long = [...LIST, file('/bin/c', 'c'), file('/bin/d', 'd')]
    await judgeIma(inputOf(long, { pause, rules: { ...RULES, isExcluded } }))
    expect(seen).toEqual(['/bin/a', 'others', '/bin/b', '/bin/c', 'others', '/bin/d'])
  })
})

describe('what follows the attested beginning', () => {
  const more = [...LIST, file('/bin/evil', 'evil'), file('/bin/b', 'b')]

  it.each([
    ['ASCII', ascii(more)],
    ['binary', binary(more)],
    ['ASCII, its last line unfinished', ascii(more).subarray(0, -1)],
  ])('is counted and not evaluated, in %s', async (_, imaLog) => {
    const { claims } = await judgeIma(inputOf(LIST, { imaLog }))
    expect(claims).toMatchObject({ attested_entries: 3, unattested_entries: 2, faults: {}, accepted: { digest: 2 } })
  })

  it('need not follow the format', async () => {
    expect((await judgeIma(inputOf(LIST, { imaLog: garbage(ascii(LIST)) }))).claims?.unattested_entries).toBe(1)
    expect((await judgeIma(inputOf(LIST, { imaLog: garbage(binary(more)) }))).claims?.unattested_entries).toBe(3)
    const long = Buffer.concat([binary(LIST), Buffer.alloc(300_000, 10)])
    expect((await judgeIma(inputOf(LIST, { imaLog: long }))).claims?.unattested_entries).toBeGreaterThan(0)
  })

  it('is left to others in between', async () => {
    const tail = [...LIST, ...Array.from({ length: 1000 }, (_, i) => file(`/bin/${i}`, 'x'))]
    for (const imaLog of [ascii(tail), binary(tail)]) {
      let pauses = 0
      const { claims } = await judgeIma(inputOf(LIST, { imaLog, pause: async () => void (pauses += 1) }))
      expect([claims?.unattested_entries, pauses > 1]).toEqual([1000, true])
    }
  })
})

describe('a list that does not lead to PCR 10', () => {
  const NO_MATCH = ['TPM-61 pass', 'TPM-62 pass', 'TPM-63 tpm-ima-replay-mismatch', 'TPM-69 skip']

  it('is refused with an entry removed, moved, or another in its place', async () => {
    const [boot, a, b] = LIST
    if (boot === undefined || a === undefined || b === undefined) throw new Error('three entries')
    expect(await wrong(ascii([boot, b]))).toEqual(NO_MATCH)
    expect(await wrong(ascii([boot, b, a]))).toEqual(NO_MATCH)
    expect(await wrong(ascii([boot, file('/bin/a', 'other'), b]))).toEqual(NO_MATCH)
    expect(await wrong(new Uint8Array())).toEqual(NO_MATCH)
  })

  it('is refused where PCR 10 is zero, with and without entries', async () => {
    const zero = new Map([[10, new Uint8Array(32)]])
    expect(await wrong(new Uint8Array(), { pcrs: zero })).toEqual(NO_MATCH)
    expect(await wrong(ascii(LIST), { pcrs: zero })).toEqual(NO_MATCH)
  })

  it('is refused where an entry has another hash than its data', async () => {
    const line = ascii(LIST).toString().replace('/bin/a', '/bin/c')
    expect(await wrong(Buffer.from(line))).toEqual(['TPM-61 pass', 'TPM-62 tpm-ima-template-hash-mismatch', 'TPM-69 skip'])
  })

  it('is refused where PCR 10 is not quoted', async () => {
    expect(await wrong(ascii(LIST), { pcrs: new Map() })).toEqual(['TPM-63 tpm-pcr-not-quoted', 'TPM-69 skip'])
  })

  it('has no claims and no state', async () => {
    expect(await judgeIma(inputOf(LIST, { imaLog: new Uint8Array() }))).toEqual({ checks: expect.any(Array), claims: null })
  })

  it('rejects with what reading the list throws', async () => {
    const broken = async function* () {
      yield ascii(LIST).subarray(0, 100)
      throw new AttestationError('request-too-large', 'too long')
    }
    await expect(judgeIma(inputOf(LIST, { imaLog: broken() }))).rejects.toMatchObject({ code: 'request-too-large' })
  })
})

describe('kernels before 5.8', () => {
  const legacy = [...LIST, violation('/tmp/x')]
  const quoted = new Map<number, Uint8Array>([[10, pcr10(legacy, 'sha256', 'legacy')]])
  const allowed: ImaRules = { ...RULES, legacyPadding: 'allow', bootAggregate: 'off' }

  it('are known by their padding only where the policy allows it', async () => {
    const { claims } = await judgeIma(inputOf(legacy, { pcrs: quoted, rules: allowed }))
    expect(claims).toMatchObject({ attested_entries: 4, legacy_padding: true, violations: 1 })
    expect((await judgeIma(inputOf(legacy, { pcrs: quoted, rules: { ...allowed, legacyPadding: 'refuse' } }))).claims).toBeNull()
  })

  it('do not make a padded list of one that is not', async () => {
    expect((await judgeIma(inputOf(legacy, { rules: allowed }))).claims?.legacy_padding).toBe(false)
  })

  it('are continued the way they began', async () => {
    const { state } = await judgeIma(inputOf(legacy, { pcrs: quoted, rules: allowed }))
    const more = [...legacy, file('/bin/b', 'b')]
    const continued = { state, imaLog: ascii(more.slice(4)), rules: allowed }
    const padded = new Map<number, Uint8Array>([[10, pcr10(more, 'sha256', 'legacy')]])
    expect((await judgeIma(inputOf(more, { ...continued, pcrs: padded }))).claims?.attested_entries).toBe(5)
    expect((await judgeIma(inputOf(more, continued))).claims).toBeNull()
  })
})

describe('a state of an earlier appraisal', () => {
  const more = [...LIST, file('/bin/b', 'b'), file('/bin/evil', 'evil')]
  const rest = ascii(more.slice(3))
  const stateOf = async (): Promise<ImaState> => {
    const { state } = await judgeIma(inputOf(LIST))
    if (state === undefined) throw new Error('a list that was proven leaves a state')
    return state
  }

  it('is continued by the lines behind it, and tells of the whole list', async () => {
    const state = await stateOf()
    const later = new Date(NOW.getTime() + 3_600_000)
    const judged = await judgeIma(inputOf(more, { state, imaLog: rest, now: later, clock: { ...state.clock, clock: 2000n } }))
    expect(outcomes(judged)).toEqual(['TPM-61 pass', 'TPM-62 pass', 'TPM-63 pass', 'TPM-69 pass'])
    expect(judged.claims).toMatchObject({
      attested_entries: 5,
      boot_aggregate: '0-9',
      accepted: { digest: 3 },
      faults: { 'not-allowed': { count: 1, first: [{ entry: 5, path: '/bin/evil' }] } },
      continued: true,
      whole_list_at: NOW.toISOString(),
    })
    expect(judged.state).toMatchObject({ entries: 5, wholeListAt: NOW, clock: { clock: 2000n } })
  })

  it('may be continued by nothing at all', async () => {
    const { claims } = await judgeIma(inputOf(LIST, { state: await stateOf(), imaLog: new Uint8Array() }))
    expect(claims).toMatchObject({ attested_entries: 3, unattested_entries: 0, accepted: { digest: 2 } })
    const tail = await judgeIma(inputOf(LIST, { state: await stateOf(), imaLog: rest }))
    expect(tail.claims).toMatchObject({ attested_entries: 3, unattested_entries: 2, faults: {} })
  })

  it.each<[string, (input: ImaInput, state: ImaState) => Partial<ImaInput>, string]>([
    ['another key', () => ({ akName: '000c' }), 'stale'],
    ['a key whose name is not known', () => ({ akName: null }), 'stale'],
    ['another bank', () => ({ bank: 'sha384' }), 'stale'],
    ['another boot', ({ clock }) => ({ clock: { ...clock, resetCount: 4 } }), 'stale'],
    ['a resumed boot', ({ clock }) => ({ clock: { ...clock, restartCount: 2 } }), 'stale'],
    ['a day ago', () => ({ now: new Date(NOW.getTime() + 86_400_000) }), 'stale'],
    ['the future', () => ({ now: new Date(NOW.getTime() - 1) }), 'stale'],
    ['no time at all', (_, state) => ({ state: { ...state, wholeListAt: new Date(Number.NaN) } }), 'stale'],
    ['a later quote', ({ clock }) => ({ clock: { ...clock, clock: 999n } }), 'regressed'],
  ])('of %s is refused', async (_, change, code) => {
    const state = await stateOf()
    const input = inputOf(more, { state, imaLog: rest })
    const judged = await judgeIma({ ...input, ...change(input, state) })
    expect(judged).toMatchObject({ claims: null, checks: [{ id: 'TPM-69', code: `tpm-ima-state-${code}` }] })
  })

  it('counts until its day is over', async () => {
    const input = inputOf(more, { state: await stateOf(), imaLog: rest, now: new Date(NOW.getTime() + 86_399_999) })
    expect((await judgeIma(input)).claims).not.toBeNull()
  })

  it('is not given where the key has no name', async () => {
    expect(await judgeIma(inputOf(LIST, { akName: null }))).not.toHaveProperty('state')
  })
})
