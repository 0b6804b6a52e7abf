import { assert, asyncProperty, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pinnedAnchors } from '../src/verifiers/anchors.ts'
import type { Evidence } from '../src/verifiers/verifier.ts'
import { attempt, contextAt, type Outcome, type Trial } from './snp-in-process.ts'
import { tdxCases } from './tdx-cases.ts'
import { vectorsPresent } from './vectors.ts'

const cases = vectorsPresent() ? tdxCases() : []
const nothing = new Uint8Array()
/** Where the parts of a quote are, by the length of its signed region, and what all of them are (specification tdx.md section 1). */
const PARTS = [
  ['header and body', 0, 0],
  ['length of the auth data', 0, 4],
  ['signature', 4, 68],
  ['attestation key', 68, 132],
  ['header of the outer certification data', 132, 138],
  ['QE report', 138, 522],
  ['its signature', 522, 586],
  ['length of the QE authentication data', 586, 588],
  ['QE authentication data', 588, 620],
  ['header of the inner certification data', 620, 626],
] as const

const bits = [0, 1, 2, 3, 4, 5, 6, 7]
const range = (from: number, to: number): readonly number[] => Array.from({ length: to - from }, (_, index) => from + index)
const isAccepted = ({ finding }: Outcome): boolean => finding?.claims !== undefined

/** A real quote with its collateral at a time when it is good, and what is asked of changed ones: one memo, as a service has it. */
function subjectOf(name: string, signed: number) {
  const vector = cases.find((candidate) => candidate.name === name)
  const evidence: Evidence = { type: 'tdx', quote: vector?.evidence.quote ?? nothing, certificates: [] }
  const trial: Trial = {
    anchors: pinnedAnchors,
    collateral: { documents: vector?.documents ?? new Map(), missing: new Map(), marks: new Map() },
    context: contextAt(vector?.at ?? new Date(0), { mode: 'production' }),
  }
  const ask = (quote: Uint8Array): Promise<Outcome> => attempt({ ...evidence, quote }, trial)
  const parts = PARTS.map(([part, from, to], index) => [part, index === 0 ? 0 : signed + from, signed + to] as const)
  return { quote: evidence.quote, ask, parts }
}

/** Whether a quote is accepted, or refused without a code. */
const isWrong = (outcome: Outcome): boolean => isAccepted(outcome) || outcome.codes.length === 0

/** The flips of one bit, in the bytes from one place to another, that were answered wrongly. */
async function survivors({ quote, ask }: ReturnType<typeof subjectOf>, from: number, to: number): Promise<readonly string[]> {
  const flips = range(from, to).flatMap((byte) => bits.map((bit) => [byte, bit] as const))
  const found = await Promise.all(
    flips.map(async ([byte, bit]) => {
      const outcome = await ask(quote.with(byte, (quote[byte] ?? 0) ^ (1 << bit)))
      return isWrong(outcome) ? [`byte ${byte}, bit ${bit}`] : []
    }),
  )
  return found.flat()
}

describe.skipIf(cases.length === 0).each([
  ['v4-phala-2025-uptodate', 632],
  ['v5-google-td15-uptodate', 702],
] as const)('%s with one bit turned over', (name, signed) => {
  const subject = subjectOf(name, signed)

  it('is accepted as it was', async () => expect(isAccepted(await subject.ask(subject.quote))).toBe(true))

  it.each(subject.parts)('is refused wherever the bit is in the %s', async (_, from, to) => {
    expect(to).toBeGreaterThan(from)
    expect(await survivors(subject, from, to)).toEqual([])
  })
})

describe.skipIf(cases.length === 0)('bytes that nobody signed', () => {
  const subject = subjectOf('v4-phala-2025-uptodate', 632)

  it('are refused at every length of a real quote', async () => {
    const outcomes = await Promise.all(range(0, subject.quote.length).map((length) => subject.ask(subject.quote.subarray(0, length))))
    expect(outcomes.findIndex(isWrong)).toBe(-1)
  })

  // Whatever they are, and behind a genuine header and body, or a genuine QE, where lengths and certificates are read.
  it.each([0, 632, 1256])('are refused behind the first %i bytes, and nothing but AttestationError escapes', async (genuine) => {
    const refused = async (tail: Uint8Array): Promise<void> => {
      expect(isWrong(await subject.ask(Uint8Array.of(...subject.quote.subarray(0, genuine), ...tail)))).toBe(false)
    }
    const random = uint8Array({ minLength: 0, maxLength: 3000 })
    await assert(asyncProperty(random, refused), { seed: 20261124, numRuns: 200 })
  })
})
