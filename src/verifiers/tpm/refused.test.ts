import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  enrolling,
  FIRMWARE_PCRS,
  pcrValues,
  TEST_AKS,
  TEST_NONCE,
  testEvidence,
  testQuote,
  tpmOutcome,
  type QuoteChanges,
  type TestAk,
  type TpmTrial,
} from '../../../test/tpm-quotes.ts'
import { joined, publicArea, quoteBody, tpm2b, tpmtSignature, uint, type Selection } from '../../simulator/tpm-bytes.ts'
import type { TpmEvidence, TpmQuote } from '../verifier.ts'

/** Every code of a failed check; those of structure come with the error as well. */
const codesOf = async (evidence: TpmEvidence, trial?: TpmTrial): Promise<readonly string[]> => [
  ...new Set((await tpmOutcome(evidence, trial)).codes),
]

const quoted = async (changes: QuoteChanges, ak: TestAk = TEST_AKS.p256): Promise<readonly string[]> => codesOf(testEvidence([changes], ak))

const flipped = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, i) => (i === (at < 0 ? bytes.length + at : at) ? byte ^ 1 : byte))

/** Evidence of one quote, the signed bytes of which are changed afterwards. */
function tampered(change: { readonly quote?: number; readonly signature?: number }, ak: TestAk = TEST_AKS.p256): TpmEvidence {
  const evidence = testEvidence([{}], ak)
  return {
    ...evidence,
    quotes: evidence.quotes.map((quote) => ({
      ...quote,
      quote: change.quote === undefined ? quote.quote : flipped(quote.quote, change.quote),
      signature: change.signature === undefined ? quote.signature : flipped(quote.signature, change.signature),
    })),
  }
}

/** Evidence whose quote is these bytes, signed as they are. */
function resigned(change: (quote: Uint8Array) => Uint8Array, ak: TestAk = TEST_AKS.p256): TpmEvidence {
  const evidence = testEvidence([{}], ak)
  const quote = change(evidence.quotes[0]?.quote ?? new Uint8Array(0))
  return { ...evidence, quotes: [{ quote, signature: tpmtSignature(ak.privateKey, ak.scheme, quote), pcrs: pcrValues(FIRMWARE_PCRS) }] }
}

/** Evidence whose signature is these bytes. */
function signedBy(signature: Uint8Array, ak: TestAk = TEST_AKS.p256): TpmEvidence {
  const evidence = testEvidence([{}], ak)
  return { ...evidence, quotes: evidence.quotes.map((quote) => ({ ...quote, signature })) }
}

/** An ECDSA signature of these numbers. */
const ecdsa = (r: Uint8Array, s: Uint8Array): Uint8Array => joined(uint(16, 0x0018), uint(16, 0x000b), tpm2b(r), tpm2b(s))

// Magic 4, type 2, qualifiedSigner 2 + 34, extraData 2 + 32, clock 8, counters 8: then safe.
const SAFE_AT = 4 + 2 + 36 + 34 + 8 + 8
const EXTRA_DATA_AT = 4 + 2 + 36 + 2

describe('what was changed after it was signed (rows 1 to 3)', () => {
  it.each([
    ['extraData', { quote: EXTRA_DATA_AT }],
    ['pcrDigest', { quote: -1 }],
    ['the signature', { signature: -1 }],
  ])('%s', async (_, change) => {
    expect(await codesOf(tampered(change))).toEqual(['tpm-signature-invalid'])
    expect(await codesOf(tampered(change, TEST_AKS.rsassa))).toEqual(['tpm-signature-invalid'])
    expect(await codesOf(tampered(change, TEST_AKS.rsapss))).toEqual(['tpm-signature-invalid'])
    expect(await codesOf(tampered(change, TEST_AKS.p384))).toEqual(['tpm-signature-invalid'])
  })

  it('the key', async () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
    const akPublic = publicArea(other, TEST_AKS.p256.scheme)
    expect(await codesOf({ ...testEvidence(), akPublic })).toEqual(['tpm-signature-invalid'])
    expect(await codesOf({ ...testEvidence([{}], TEST_AKS.rsassa), akPublic })).toEqual(['tpm-signature-scheme-mismatch'])
  })
})

describe('structures that no TPM makes (rows 4 to 11)', () => {
  it.each<[string, QuoteChanges, string]>([
    ['another magic', { attest: { magic: 0xff544346 } }, 'tpm-attest-magic-invalid'],
    ['a certification', { attest: { type: 0x8017 } }, 'tpm-attest-type-not-quote'],
    ['an unknown type', { attest: { type: 0x8100 } }, 'tpm-attest-type-not-quote'],
    ['a byte more', { attest: { trailing: uint(8, 0) } }, 'tpm-attest-trailing-bytes'],
    ['a clock that is neither safe nor not', { attest: { safe: 2 } }, 'tpm-attest-malformed'],
    ['a name of 67 bytes', { attest: { qualifiedSigner: new Uint8Array(67) } }, 'tpm-attest-malformed'],
    ['extraData of 67 bytes', { attest: { extraData: new Uint8Array(67) } }, 'tpm-attest-malformed'],
  ])('%s', async (_, changes, code) => {
    expect(await quoted(changes)).toEqual([code])
  })

  it.each<[string, (quote: Uint8Array) => Uint8Array, string]>([
    ['one byte less', (quote) => quote.subarray(0, -1), 'tpm-attest-malformed'],
    ['five bytes', (quote) => quote.subarray(0, 5), 'tpm-attest-malformed'],
    ['nothing', () => new Uint8Array(0), 'tpm-attest-malformed'],
    ['safe changed', (quote) => quote.map((byte, i) => (i === SAFE_AT ? 0xff : byte)), 'tpm-attest-malformed'],
    ['foreign data', () => new Uint8Array(200), 'tpm-attest-magic-invalid'],
    ['a certification that is cut', (quote) => joined(quote.subarray(0, 4), uint(16, 0x8017)), 'tpm-attest-type-not-quote'],
    ['a length in front that is not its', (quote) => joined(uint(16, quote.length + 1), quote), 'tpm-attest-magic-invalid'],
    ['more than there ever is', (quote) => joined(quote, new Uint8Array(4096)), 'tpm-attest-malformed'],
  ])('%s', async (_, change, code) => {
    expect(await codesOf(resigned(change))).toEqual([code])
  })

  it('but a length in front of it is no fault', async () => {
    const evidence = testEvidence()
    const { akPublic = new Uint8Array(0) } = evidence
    const wrapped = {
      ...evidence,
      akPublic: tpm2b(akPublic),
      quotes: evidence.quotes.map((quote) => ({ ...quote, quote: tpm2b(quote.quote) })),
    }
    expect(await codesOf(wrapped, { context: { rigour: enrolling(evidence) } })).toEqual([])
  })
})

describe('a nonce that is another (rows 12, 13, 16)', () => {
  it.each([
    ['in its last byte', flipped(TEST_NONCE, -1)],
    ['a prefix', TEST_NONCE.subarray(0, 31)],
    ['longer', joined(TEST_NONCE, new Uint8Array(1))],
    ['empty', new Uint8Array(0)],
  ])('%s', async (_, extraData) => {
    expect(await quoted({ attest: { extraData } })).toEqual(['tpm-nonce-mismatch'])
  })

  it('and an empty one is never asked for', async () => {
    const evidence = testEvidence([{ attest: { extraData: new Uint8Array(0) } }])
    expect(await codesOf(evidence, { context: { extraData: new Uint8Array(0) } })).toEqual(['tpm-nonce-mismatch'])
  })
})

const values = pcrValues(FIRMWARE_PCRS)
const sha256 = values.sha256 ?? {}
const without4 = Object.fromEntries(Object.entries(sha256).filter(([pcr]) => pcr !== '4'))
const value4 = sha256['4'] ?? new Uint8Array(0)
const value7 = sha256['7'] ?? new Uint8Array(0)

describe('values of PCRs that are others (rows 17 to 21)', () => {
  it.each<[string, TpmQuote['pcrs'], string]>([
    ['one changed', { sha256: { ...sha256, 4: flipped(value4, 0) } }, 'tpm-pcr-digest-mismatch'],
    ['4 and 7 exchanged', { sha256: { ...sha256, 4: value7, 7: value4 } }, 'tpm-pcr-digest-mismatch'],
    ['one more', { sha256: { ...sha256, 23: new Uint8Array(32) } }, 'tpm-pcr-values-mismatch-selection'],
    ['one more in another bank', { sha256, sha384: { 0: new Uint8Array(48) } }, 'tpm-pcr-values-mismatch-selection'],
    ['one twice, by two labels', { sha256: { ...without4, '04': value4, 4: value4 } }, 'tpm-pcr-values-mismatch-selection'],
    ['one by another label', { sha256: { ...without4, '04': value4 } }, 'tpm-pcr-values-mismatch-selection'],
    ['one less', { sha256: without4 }, 'tpm-pcr-values-mismatch-selection'],
    ['one of 20 bytes', { sha256: { ...sha256, 4: value4.subarray(12) } }, 'tpm-pcr-values-mismatch-selection'],
    ['none', {}, 'tpm-pcr-values-mismatch-selection'],
    ['all in another bank', { sha384: sha256 }, 'tpm-pcr-values-mismatch-selection'],
  ])('%s', async (_, sent, code) => {
    expect(await quoted({ sent })).toEqual([code])
  })

  it('digested by the hash of the bank in place of that of the signature', async () => {
    const body = quoteBody(FIRMWARE_PCRS, values, 'sha256')
    expect(await quoted({ attest: { body } }, TEST_AKS.p384)).toEqual(['tpm-pcr-digest-mismatch'])
  })

  it('in a bank that is not known here', async () => {
    expect(await quoted({ selections: [...FIRMWARE_PCRS, { bank: 0x0012, pcrs: [0] }] })).toEqual(['tpm-pcr-values-mismatch-selection'])
  })
})

describe('selections (rows 22 to 25)', () => {
  it.each<[string, readonly Selection[]]>([
    ['a bank twice', [...FIRMWARE_PCRS, { bank: 'sha256', pcrs: [8] }]],
    ['no PCR', [{ bank: 'sha256', pcrs: [] }]],
    ['no PCR of a second bank', [...FIRMWARE_PCRS, { bank: 'sha384', pcrs: [] }]],
    ['no bank', []],
    ['a PCR over 23', [{ bank: 'sha256', pcrs: [24], size: 4 }]],
    ['a bitmap of no byte', [{ bank: 'sha256', pcrs: [], size: 0 }]],
    ['a bitmap of five bytes', [{ bank: 'sha256', pcrs: [0], size: 5 }]],
    ['seventeen banks', Array.from({ length: 17 }, (_, i) => ({ bank: i, pcrs: [0] }))],
  ])('%s', async (_, selections) => {
    expect(await quoted({ selections })).toEqual(['tpm-pcr-selection-invalid'])
  })

  it('without a PCR that is needed', async () => {
    const evidence = testEvidence([{ selections: [{ bank: 'sha256', pcrs: [16, 23] }] }])
    expect(await codesOf(evidence, { rigour: { requiredPcrs: [4, 7] } })).toEqual(['tpm-pcr-not-quoted'])
  })

  it('of SHA-1 alone, unless a policy names that', async () => {
    const evidence = testEvidence([{ selections: [{ bank: 'sha1', pcrs: [0] }] }])
    expect(await codesOf(evidence)).toEqual(['tpm-pcr-bank-weak'])
    expect(await codesOf(evidence, { rigour: { banks: ['sha256', 'sha1'] } })).toEqual([])
  })

  it('with a needed PCR in a weak bank only', async () => {
    const inOne: readonly Selection[] = [
      { bank: 'sha1', pcrs: [4] },
      { bank: 'sha256', pcrs: [7] },
    ]
    const rigour = { requiredPcrs: [4, 7] }
    expect(await codesOf(testEvidence([{ selections: inOne }]), { rigour })).toEqual(['tpm-pcr-bank-weak', 'tpm-pcr-not-quoted'])
    const inTwo = inOne.map((selection) => ({ selections: [selection] }))
    expect(await codesOf(testEvidence(inTwo), { rigour })).toEqual(['tpm-pcr-not-quoted'])
  })
})

describe('signatures of a kind that is not accepted (rows 26 to 29)', () => {
  const sha1 = { scheme: 'rsassa', hash: 'sha1' } as const
  it('over SHA-1, whatever the key says', async () => {
    expect(await quoted({ scheme: sha1 }, TEST_AKS.rsassa)).toEqual(['tpm-signature-hash-weak', 'tpm-signature-scheme-mismatch'])
    expect(await quoted({}, { ...TEST_AKS.rsassa, scheme: sha1 })).toEqual(['tpm-signature-hash-weak'])
    expect(await codesOf(testEvidence([{}], TEST_AKS.rsassa, sha1))).toEqual(['tpm-signature-hash-weak', 'tpm-signature-scheme-mismatch'])
  })

  it('relabelled', async () => {
    const { quotes } = testEvidence([{}], TEST_AKS.rsassa)
    const relabelled = joined(uint(16, 0x0016), quotes[0]?.signature.subarray(2) ?? new Uint8Array(0))
    expect(await codesOf(signedBy(relabelled, TEST_AKS.rsassa))).toEqual(['tpm-signature-scheme-mismatch'])
    expect(await quoted({ scheme: { scheme: 'ecdsa', hash: 'sha256' } }, TEST_AKS.p384)).toEqual(['tpm-signature-scheme-mismatch'])
  })

  it.each([
    ['ECDAA', joined(uint(16, 0x001a), uint(16, 0x000b), uint(16, 0), tpm2b(uint(8, 1)))],
    ['none', uint(16, 0x0010)],
    ['HMAC', joined(uint(16, 0x0005), uint(16, 0x000b), new Uint8Array(32))],
    ['ECDSA over SM3', joined(uint(16, 0x0018), uint(16, 0x0012), tpm2b(uint(8, 1)), tpm2b(uint(8, 1)))],
  ])('%s', async (_, signature) => {
    expect(await codesOf(signedBy(signature))).toEqual(['tpm-signature-alg-unsupported', 'tpm-signature-scheme-mismatch'])
  })

  const one = uint(8, 1)
  it.each<[string, Uint8Array, TestAk]>([
    ['RSA of 255 bytes', joined(uint(16, 0x0014), uint(16, 0x000b), tpm2b(new Uint8Array(255))), TEST_AKS.rsassa],
    ['RSA of 257 bytes', joined(uint(16, 0x0014), uint(16, 0x000b), tpm2b(new Uint8Array(257))), TEST_AKS.rsassa],
    ['RSA of 513 bytes', joined(uint(16, 0x0014), uint(16, 0x000b), tpm2b(new Uint8Array(513))), TEST_AKS.rsassa],
    ['r of zero', ecdsa(new Uint8Array(32), one), TEST_AKS.p256],
    ['s of zero', ecdsa(one, new Uint8Array(0)), TEST_AKS.p256],
    ['r of 33 bytes', ecdsa(new Uint8Array(33).fill(1), one), TEST_AKS.p256],
    ['s of 33 bytes', ecdsa(one, new Uint8Array(33).fill(1)), TEST_AKS.p256],
    ['a byte more', joined(ecdsa(one, one), one), TEST_AKS.p256],
    ['one byte', one, TEST_AKS.p256],
    ['nothing', new Uint8Array(0), TEST_AKS.p256],
  ])('%s', async (_, signature, ak) => {
    expect(await codesOf(signedBy(signature, ak))).toEqual(['tpm-signature-malformed'])
  })

  it('but numbers with leading zeros, or without, are the same numbers', async () => {
    const evidence = testEvidence()
    const signature = evidence.quotes[0]?.signature ?? new Uint8Array(0)
    const [r, s] = [signature.subarray(6, 38), signature.subarray(40, 72)]
    const stripped = s.subarray(s.findIndex((byte) => byte !== 0))
    const rewritten = evidence.quotes.map((quote) => ({ ...quote, signature: ecdsa(joined(new Uint8Array(3), r), stripped) }))
    expect(await codesOf({ ...evidence, quotes: rewritten })).toEqual([])
  })
})

it('carries the checks up to the failed one', async () => {
  const { error } = await tpmOutcome({ ...testEvidence(), quotes: [testQuote(), testQuote({ attest: { type: 0x8017 } })] })
  expect(error?.at).toBe('quotes[1].quote')
  expect(error?.checks.map(({ id, outcome }) => [id, outcome])).toEqual([
    ['TPM-01', 'pass'],
    ['TPM-05', 'fail'],
  ])
})
