import { describe, expect, it } from 'vitest'
import { TEST_AKS, testEvidence, tpmOutcome } from '../../../test/tpm-quotes.ts'
import type { TpmEvidence } from '../verifier.ts'

type Part = 'quote' | 'signature'

/** The same evidence with one part of its quote replaced. */
const replaced = (evidence: TpmEvidence, part: Part, bytes: Uint8Array): TpmEvidence => ({
  ...evidence,
  quotes: evidence.quotes.map((quote) => ({ ...quote, [part]: bytes })),
})

const flips = (bytes: Uint8Array): readonly Uint8Array[] =>
  Array.from({ length: 8 * bytes.length }, (_, bit) => bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)))
const cuts = (bytes: Uint8Array): readonly Uint8Array[] => Array.from({ length: bytes.length }, (_, length) => bytes.subarray(0, length))

/** How many of these changes end in claims, or in neither claims nor a reason against them. */
async function accepted(evidence: TpmEvidence, part: Part, changes: readonly Uint8Array[]): Promise<number> {
  const outcomes = await Promise.all(changes.map(async (bytes) => tpmOutcome(replaced(evidence, part, bytes))))
  return outcomes.filter(({ finding, codes }) => finding?.claims !== undefined || codes.length === 0).length
}

describe.each(Object.entries({ rsassa: TEST_AKS.rsassa, p256: TEST_AKS.p256 }))('a quote by %s', (_, ak) => {
  const evidence = testEvidence([{}], ak)
  const [quote] = evidence.quotes
  it.each<Part>(['quote', 'signature'])('is refused for every bit of its %s that is another, and however it is cut', async (part) => {
    const bytes = quote?.[part] ?? new Uint8Array(0)
    expect(bytes.length).toBeGreaterThan(70)
    expect(await accepted(evidence, part, [bytes])).toBe(1)
    expect(await accepted(evidence, part, [...flips(bytes), ...cuts(bytes)])).toBe(0)
  })
})
