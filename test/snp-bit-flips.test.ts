import { assert, asyncProperty, uint8Array } from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { fakeAmd } from '../src/simulator/amd.ts'
import { signedReport } from '../src/simulator/report.ts'
import { anchorsOf } from '../src/verifiers/anchors.ts'
import type { SnpEvidence } from '../src/verifiers/verifier.ts'
import { attempt, contextAt, verdictOf, type Trial } from './snp-in-process.ts'

const NOW = new Date('2026-11-24T00:00:00Z')
/** The signature covers [0,2A0h); R and S are 72 bytes each; the rest is reserved (specification snp.md section 1). */
const [SIGNED, TAIL, END] = [0x2a0, 0x330, 0x4a0]

let genuine: Uint8Array
let certificate: Uint8Array
let trial: Trial

beforeAll(async () => {
  const amd = await fakeAmd({ now: NOW, products: ['Milan'] })
  const vek = amd.vcek({ product: 'Milan' })
  genuine = signedReport(vek)
  certificate = vek.der
  const collateral = { documents: new Map(), missing: new Map(), marks: new Map() }
  // One memo for all: the chain is verified once, the report every time.
  trial = { anchors: anchorsOf(amd.anchors()), collateral, context: contextAt(NOW) }
})

const evidenceOf = (bytes: Uint8Array, more: Partial<SnpEvidence> = {}): SnpEvidence => ({
  type: 'snp',
  form: 'report',
  bytes,
  certificates: [certificate],
  ...more,
})

/** The verdict on the genuine report with one bit turned over. */
async function flipped(byte: number, bit: number): Promise<'pass' | 'fail'> {
  const bytes = genuine.with(byte, (genuine[byte] ?? 0) ^ (1 << bit))
  return verdictOf(await attempt(evidenceOf(bytes), trial))
}

/** The flips, of those listed, that were accepted. */
async function accepted(flips: readonly (readonly [byte: number, bit: number])[]): Promise<readonly string[]> {
  const found = await Promise.all(
    flips.map(async ([byte, bit]) => ((await flipped(byte, bit)) === 'pass' ? [`byte ${byte}, bit ${bit}`] : [])),
  )
  return found.flat()
}

const bits = [0, 1, 2, 3, 4, 5, 6, 7]
const range = (from: number, to: number): readonly number[] => Array.from({ length: to - from }, (_, i) => from + i)
const every = (from: number, to: number) => range(from, to).flatMap((byte) => bits.map((bit) => [byte, bit] as const))

describe('a genuine report with one bit turned over', () => {
  it('is accepted as it was', async () => expect(verdictOf(await attempt(evidenceOf(genuine), trial))).toBe('pass'))

  it('is refused wherever the signed bit is', async () => expect(await accepted(every(0, SIGNED))).toEqual([]))

  it('is refused wherever the bit of R or S is', async () => expect(await accepted(every(SIGNED, TAIL))).toEqual([]))

  it('is refused wherever the bit of the unsigned tail is', async () => expect(await accepted(every(TAIL, END))).toEqual([]))
})

/** The verdict, and whether a code came with it. */
async function answerTo(evidence: SnpEvidence): Promise<readonly [verdict: string, named: boolean]> {
  const outcome = await attempt(evidence, trial)
  return [verdictOf(outcome), outcome.codes.length > 0]
}

async function refused(evidence: SnpEvidence): Promise<void> {
  expect(await answerTo(evidence)).toEqual(['fail', true])
}

describe('bytes that nobody signed', () => {
  it.each([0, 1, 1183, 1185])('are refused: %i bytes', async (length) => {
    const bytes = new Uint8Array(length)
    bytes.set(genuine.subarray(0, length))
    expect(await answerTo(evidenceOf(bytes))).toEqual(['fail', true])
  })

  it('are refused whatever they are, and nothing but AttestationError escapes', async () => {
    const report = uint8Array({ minLength: 0, maxLength: 1300 })
    await assert(
      asyncProperty(report, (bytes) => refused(evidenceOf(bytes))),
      { seed: 20261123, numRuns: 200 },
    )
  })

  it('are refused beside a genuine report, as certificate and as table', async () => {
    const bytes = uint8Array({ minLength: 1, maxLength: 200 })
    await assert(
      asyncProperty(bytes, (junk) => refused(evidenceOf(genuine, { certificates: [junk] }))),
      { seed: 20261123, numRuns: 100 },
    )
    const table = uint8Array({ minLength: 1, maxLength: 200 })
    await assert(
      asyncProperty(table, (junk) => refused(evidenceOf(genuine, { certificates: [], certTable: junk }))),
      { seed: 20261123, numRuns: 100 },
    )
  })
})
