import { describe, expect, it } from 'vitest'
import type { QuoteClock } from '../src/verifiers/tpm/context.ts'
import { allPcrs, HOST } from './boot-log.ts'
import { ascii, binary, bootAggregate, contentDigest, file, pcr10, signedFile, violation, type Listed } from './ima-lists.ts'
import { nameOfCase, tpmCase } from './tpm-cases.ts'
import { hostExhibit } from './tpm-hosts.ts'
import { failedCodes, judgeTpm, type TpmExhibit } from './tpm-judged.ts'
import { testEvidence } from './tpm-quotes.ts'
import { vectorBytes, vectorJson, vectorsPresent } from './vectors.ts'

// Specification tpm.md section 17, the rows about files that ran and about the clock. Quotes are genuine.

type Row = readonly [change: string, code: string, make: () => TpmExhibit]

const BOOTED = allPcrs(HOST)
const AGGREGATE = bootAggregate(Array.from({ length: 10 }, (_, pcr) => BOOTED.get(pcr) ?? new Uint8Array()))
const [a, b] = [file('/bin/a', 'a'), file('/bin/b', 'b')]
const LIST: readonly Listed[] = [AGGREGATE, a, b]
const digestsOf = (content: string): readonly string[] => [`sha256:${contentDigest(content).toString('hex')}`]
const DIGESTS = { '/bin/a': digestsOf('a'), '/bin/b': digestsOf('b') }

type How = { readonly ima?: object; readonly register?: Uint8Array; readonly imaLog?: Uint8Array }

/** A host whose kernel measured this list; `imaLog`: it sends another. */
const measured = (list: readonly Listed[], { ima = {}, register = pcr10(list), imaLog = ascii(list) }: How = {}): TpmExhibit =>
  hostExhibit({ registers: new Map(BOOTED).set(10, register), imaLog }, { ima: { mode: 'require', digests: DIGESTS, ...ima } })

const sent = (list: readonly Listed[]): TpmExhibit => measured(LIST, { imaLog: ascii(list) })
const signed = (signature: Uint8Array): TpmExhibit => measured([...LIST, signedFile('/bin/c', 'c', signature)])
const HASH = 'tpm-ima-template-hash-mismatch'
const REPLAY = 'tpm-ima-replay-mismatch'

const FILES: readonly Row[] = [
  ['79: a line changed, its hash made anew', REPLAY, () => sent([AGGREGATE, a, file('/bin/b', 'other')])],
  [
    '79: a line changed, its hash left',
    HASH,
    () => measured(LIST, { imaLog: Buffer.from(ascii(LIST).toString().replace('/bin/b', '/bin/c')) }),
  ],
  ['79: a line removed', REPLAY, () => sent([AGGREGATE, b])],
  ['79: two lines swapped', REPLAY, () => sent([AGGREGATE, b, a])],
  ['80: the hash of a line alone', HASH, () => sent([AGGREGATE, a, { ...b, templateHash: Buffer.alloc(20, 7) }])],
  ['81: a violation', 'tpm-ima-violation', () => measured([...LIST, violation('/bin/a')])],
  ['82: a file that nobody lists', 'tpm-ima-not-allowed', () => measured([...LIST, file('/bin/c', 'c')])],
  ['83: a file with another content', 'tpm-ima-hash-mismatch', () => measured([...LIST, file('/bin/a', 'other')])],
  ['84: a signature without a header', 'tpm-ima-signature-malformed', () => signed(Uint8Array.of(3, 2))],
  ['84: a signature shorter than it says', 'tpm-ima-signature-malformed', () => signed(Uint8Array.of(3, 2, 4, 1, 2, 3, 4, 0, 9, 1))],
  ['86: nothing in PCR 10, no list', 'tpm-ima-missing', () => hostExhibit({}, { ima: { mode: 'require', digests: DIGESTS } })],
  ['86: nothing in PCR 10, an empty list', REPLAY, () => measured([], { register: new Uint8Array(32) })],
  ['86: nothing in PCR 10, a list', REPLAY, () => measured(LIST, { register: new Uint8Array(32) })],
]

describe('negative matrix of TPM: files', () => {
  it.each(FILES)('%s → %s', async (_, code, make) => {
    expect((await judgeTpm(make())).code).toBe(code)
  })

  it('85: lines behind the attested ones are told, and count for nothing', async () => {
    const answer = await judgeTpm(sent([...LIST, file('/bin/antivirus', 'antivirus'), file('/bin/a', 'a')]))
    expect(answer.code).toBe('accepted')
    expect(answer.claims?.ima).toMatchObject({ attested_entries: 3, unattested_entries: 2, accepted: { digest: 2 } })
    const strict = measured(LIST, { imaLog: ascii([...LIST, a]), ima: { unattested_tail: 'refuse' } })
    expect((await judgeTpm(strict)).code).not.toBe('accepted')
  })

  it.each<[string, () => TpmExhibit]>([
    ['in ASCII', () => measured(LIST)],
    ['in binary', () => measured(LIST, { imaLog: binary(LIST) })],
    ['with a violation, allowed', () => measured([...LIST, violation('/bin/a')], { ima: { violations: 'allow' } })],
  ])('but a list %s is accepted', async (_, make) => {
    const answer = await judgeTpm(make())
    expect([answer.code, failedCodes(answer)]).toEqual(['accepted', []])
  })
})

type Stated = { readonly clock: number; readonly resetCount: number; readonly restartCount: number; readonly safe: number }
type Series = { readonly quote: string; readonly attest: Stated }

/** A quote with this clock, behind one that was accepted. */
function quotedAt({ clock, resetCount, restartCount, safe }: Stated, previous?: Stated): TpmExhibit {
  const evidence = testEvidence([{ attest: { clock: BigInt(clock), resetCount, restartCount, safe } }])
  return previous === undefined
    ? { evidence }
    : { evidence, policy: { clock: { compare_to_previous: 'yes' } }, tpm: { previousQuote: clockOf(previous) } }
}
const clockOf = ({ clock, resetCount, restartCount }: Stated): QuoteClock => ({ clock: BigInt(clock), resetCount, restartCount })

/** The clocks of swtpm-clock-series, whose manifest tells them. */
const [CLK1, CLK2, CLK3, CLK4] = [
  { clock: 694, resetCount: 3, restartCount: 0, safe: 0 },
  { clock: 1755, resetCount: 3, restartCount: 0, safe: 0 },
  { clock: 2136, resetCount: 3, restartCount: 1, safe: 0 },
  { clock: 2761, resetCount: 4, restartCount: 0, safe: 0 },
] as const

describe('negative matrix of TPM: clocks', () => {
  it.each<Row>([
    ['53: clk2 before clk1', 'tpm-clock-regressed', () => quotedAt(CLK1, CLK2)],
    ['54: clk4 before clk3', 'tpm-clock-regressed', () => quotedAt(CLK3, CLK4)],
    ['55: clk1, where the clock must be safe', 'tpm-clock-unsafe', () => ({ ...quotedAt(CLK1), policy: { clock: { safe: 'require' } } })],
  ])('%s → %s', async (_, code, make) => {
    expect((await judgeTpm(make())).code).toBe(code)
  })

  it.each<[string, () => TpmExhibit]>([
    ['clk1 before clk2', () => quotedAt(CLK2, CLK1)],
    ['clk2 before clk3', () => quotedAt(CLK3, CLK2)],
    ['clk3 before clk4', () => quotedAt(CLK4, CLK3)],
    ['clk1 alone', () => quotedAt(CLK1)],
    ['a safe clock', () => ({ ...quotedAt({ ...CLK1, safe: 1 }), policy: { clock: { safe: 'require' } } })],
  ])('but %s is accepted', async (_, make) => {
    const answer = await judgeTpm(make())
    expect([answer.code, failedCodes(answer)]).toEqual(['accepted', []])
  })
})

type Manifest = { readonly cases: readonly { readonly case: string; readonly expected: { readonly series?: readonly Series[] } }[] }

describe.skipIf(!vectorsPresent())('negative matrix of TPM: files and clocks of vectors', () => {
  it('the clocks are those of the manifest', () => {
    const { series = [] } =
      (vectorJson('tpm/MANIFEST.json') as Manifest).cases.find((row) => row.case === 'swtpm-clock-series')?.expected ?? {}
    expect(series.map(({ attest }) => attest)).toEqual([CLK1, CLK2, CLK3, CLK4].map((clock) => expect.objectContaining(clock)))
  })

  it('55: clk4 itself, where the clock must be safe → tpm-clock-unsafe', async () => {
    const { evidence, extraData } = tpmCase('swtpm-clock-series clk4')
    const enrolled = { ak_trust: ['enrolled-ak'], enrolled_aks: [nameOfCase(evidence)] }
    expect((await judgeTpm({ evidence, extraData, policy: { ...enrolled, clock: { safe: 'require' } } })).code).toBe('tpm-clock-unsafe')
    expect((await judgeTpm({ evidence, extraData, policy: enrolled })).code).toBe('accepted')
  })

  it('84: ima-sig-keylime/bad-signature.txt, whose hash is wrong too → tpm-ima-template-hash-mismatch', async () => {
    const imaLog = vectorBytes('tpm/ima-sig-keylime/bad-signature.txt')
    expect((await judgeTpm(measured(LIST, { imaLog }))).code).toBe(HASH)
  })
})
