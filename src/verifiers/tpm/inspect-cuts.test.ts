import { describe, expect, it } from 'vitest'
import { bootLog, HOST } from '../../../test/boot-log.ts'
import { binary, file } from '../../../test/ima-lists.ts'
import { testEvidence } from '../../../test/tpm-quotes.ts'
import { inspectEvidence, inspectStructure } from '../inspect.ts'
import { AttestationError } from '../problems.ts'
import type { TpmEvidence } from '../verifier.ts'

const evidence = testEvidence()
const [first = { quote: new Uint8Array(0), signature: new Uint8Array(0), pcrs: {} }] = evidence.quotes
const { akPublic = new Uint8Array(0) } = evidence

/** Each part of evidence, and the evidence that holds other bytes in its place. */
const PARTS: readonly (readonly [string, Uint8Array, (bytes: Uint8Array) => TpmEvidence])[] = [
  ['quote', first.quote, (quote) => ({ ...evidence, quotes: [{ ...first, quote }] })],
  ['signature', first.signature, (signature) => ({ ...evidence, quotes: [{ ...first, signature }] })],
  ['public area', akPublic, (bytes) => ({ ...evidence, akPublic: bytes })],
  ['event log', bootLog(HOST).subarray(0, 400), (eventLog) => ({ ...evidence, eventLog })],
  ['IMA list', binary([file('/bin/a', 'a')]), (imaLog) => ({ ...evidence, imaLog })],
]

const cuts = (bytes: Uint8Array): readonly Uint8Array[] => Array.from({ length: bytes.length }, (_, length) => bytes.subarray(0, length))
const changed = (bytes: Uint8Array): readonly Uint8Array[] =>
  [0x00, 0x01, 0x7f, 0xff].flatMap((value) => Array.from(bytes, (_, at) => bytes.map((byte, i) => (i === at ? value : byte))))

/** `shown`, the code, or what went wrong here. */
async function outcomeOf(inspect: () => unknown): Promise<string> {
  try {
    await inspect()
    return 'shown'
  } catch (error) {
    return error instanceof AttestationError ? error.code : String(error)
  }
}

const KNOWN = /^(?:shown|tpm-(?:attest|ak-public|pcr-selection|eventlog)-[a-z-]+)$/

describe.each(PARTS)('%s, cut or changed anywhere', (_, bytes, evidenceWith) => {
  it('is shown, or refused by a code', async () => {
    const all = [...cuts(bytes), ...changed(bytes)]
    const outcomes = await Promise.all(all.map(async (other) => outcomeOf(async () => inspectEvidence(evidenceWith(other)))))
    expect([...new Set(outcomes)].filter((outcome) => !KNOWN.test(outcome))).toEqual([])
    expect(outcomes).toContain('shown')
  })

  it('is no more by itself', async () => {
    const outcomes = await Promise.all([...cuts(bytes), ...changed(bytes)].map(async (other) => outcomeOf(() => inspectStructure(other))))
    expect([...new Set(outcomes)].filter((outcome) => !KNOWN.test(outcome))).toEqual([])
  })
})
