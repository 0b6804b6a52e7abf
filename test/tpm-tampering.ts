import { joined, tpm2b, tpmtSignature, uint } from '../src/simulator/tpm-bytes.ts'
import type { TpmEvidence, TpmQuote } from '../src/verifiers/verifier.ts'
import { TEST_AKS, testEvidence, type TestAk } from './tpm-quotes.ts'

/** Bytes with the lowest bit of one of them changed; negative places count from the end. */
export const flipBit = (bytes: Uint8Array, at: number): Uint8Array => {
  const place = at < 0 ? bytes.length + at : at
  return bytes.map((byte, i) => (i === place ? byte ^ 1 : byte))
}

/** Evidence with every quote changed after it was signed. */
export const tampered = (evidence: TpmEvidence, change: (quote: TpmQuote) => Partial<TpmQuote>): TpmEvidence => ({
  ...evidence,
  quotes: evidence.quotes.map((quote) => ({ ...quote, ...change(quote) })),
})

/** Evidence whose quote was changed before it was signed. */
export function resigned(change: (quote: Uint8Array) => Uint8Array, ak: TestAk = TEST_AKS.p256): TpmEvidence {
  return tampered(testEvidence([{}], ak), ({ quote }) => {
    const changed = change(quote)
    return { quote: changed, signature: tpmtSignature(ak.privateKey, ak.scheme, changed) }
  })
}

/** TPMT_SIGNATURE of ECDSA over SHA-256 with these numbers. */
export const ecdsaSignature = (r: Uint8Array, s: Uint8Array): Uint8Array => joined(uint(16, 0x0018), uint(16, 0x000b), tpm2b(r), tpm2b(s))

/** Where extraData begins in quotes of tests: magic 4, type 2, qualifiedSigner 2 + 34, and a length. */
export const EXTRA_DATA_AT = 4 + 2 + 36 + 2
