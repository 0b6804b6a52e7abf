import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { joined, publicArea, tpm2b, uint, type AreaFields } from '../src/simulator/tpm-bytes.ts'
import type { TpmEvidence } from '../src/verifiers/verifier.ts'
import { failedCodes, judgeTpm, type TpmExhibit } from './tpm-judged.ts'
import { FIRMWARE_PCRS, pcrValues, TEST_AKS, TEST_NONCE, testEvidence, type QuoteChanges, type TestAk } from './tpm-quotes.ts'
import { ecdsaSignature, EXTRA_DATA_AT, flipBit, resigned, tampered } from './tpm-tampering.ts'
import { vectorBytes, vectorsPresent } from './vectors.ts'

// Specification tpm.md section 17, the rows about quotes and their keys. Signatures are genuine unless the row is about them.

type Row = readonly [change: string, code: string, make: () => TpmExhibit]

const { rsassa, rsapss, p256, p384 } = TEST_AKS
const evidence = (evidenceOf: TpmEvidence): TpmExhibit => ({ evidence: evidenceOf })
const quoted = (changes: QuoteChanges, ak: TestAk = p256): TpmExhibit => evidence(testEvidence([changes], ak))
const area = (fields: Partial<AreaFields>, ak: TestAk = p256): TpmExhibit => evidence(testEvidence([{}], ak, fields))
const signed = (signature: Uint8Array, ak: TestAk = p256): TpmExhibit => evidence(tampered(testEvidence([{}], ak), () => ({ signature })))

const flippedQuote = (at: number, ak: TestAk): TpmExhibit =>
  evidence(tampered(testEvidence([{}], ak), ({ quote }) => ({ quote: flipBit(quote, at) })))
const flippedSignature = (ak: TestAk): TpmExhibit =>
  evidence(tampered(testEvidence([{}], ak), ({ signature }) => ({ signature: flipBit(signature, -1) })))

const otherKey = (): Uint8Array => publicArea(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey, p256.scheme)

const PROOF: readonly Row[] = [
  ['1: a bit of extraData (RSASSA)', 'tpm-signature-invalid', () => flippedQuote(EXTRA_DATA_AT, rsassa)],
  ['1: a bit of extraData (ECDSA)', 'tpm-signature-invalid', () => flippedQuote(EXTRA_DATA_AT, p256)],
  ['1: a bit of pcrDigest (RSAPSS)', 'tpm-signature-invalid', () => flippedQuote(-1, rsapss)],
  ['1: a bit of pcrDigest (P-384)', 'tpm-signature-invalid', () => flippedQuote(-1, p384)],
  ['2: a bit of the signature (RSASSA)', 'tpm-signature-invalid', () => flippedSignature(rsassa)],
  ['2: a bit of the signature (RSAPSS)', 'tpm-signature-invalid', () => flippedSignature(rsapss)],
  ['2: a bit of the signature (ECDSA)', 'tpm-signature-invalid', () => flippedSignature(p384)],
  ['3: another key of the same scheme', 'tpm-signature-invalid', () => evidence({ ...testEvidence(), akPublic: otherKey() })],
  [
    '3: another key of another scheme',
    'tpm-signature-scheme-mismatch',
    () => evidence({ ...testEvidence([{}], rsassa), akPublic: otherKey() }),
  ],
]

const STRUCTURE: readonly Row[] = [
  ['4: another magic, signed', 'tpm-attest-magic-invalid', () => quoted({ attest: { magic: 0xff544346 } })],
  ['9: a byte more, signed', 'tpm-attest-trailing-bytes', () => quoted({ attest: { trailing: uint(8, 0) } })],
  ['10: a byte less, signed', 'tpm-attest-malformed', () => evidence(resigned((quote) => quote.subarray(0, -1)))],
  ['11: safe is 2, signed', 'tpm-attest-malformed', () => quoted({ attest: { safe: 2 } })],
]

const nonce = (extraData: Uint8Array): TpmExhibit => quoted({ attest: { extraData } })

const NONCE: readonly Row[] = [
  ['12: another last byte', 'tpm-nonce-mismatch', () => nonce(flipBit(TEST_NONCE, -1))],
  ['13: what was asked is a prefix', 'tpm-nonce-mismatch', () => nonce(joined(TEST_NONCE, uint(8, 0x5a)))],
  ['13: padded with zeros', 'tpm-nonce-mismatch', () => nonce(joined(TEST_NONCE, new Uint8Array(32)))],
  ['13: a prefix of what was asked', 'tpm-nonce-mismatch', () => nonce(TEST_NONCE.subarray(0, 31))],
  ['16: no extraData', 'tpm-nonce-mismatch', () => nonce(new Uint8Array())],
  ['16: no extraData, and nothing asked', 'tpm-nonce-mismatch', () => ({ ...nonce(new Uint8Array()), extraData: new Uint8Array() })],
]

const { sha256 = {} } = pcrValues(FIRMWARE_PCRS)
const valueOf = (pcr: number): Uint8Array => sha256[String(pcr)] ?? new Uint8Array()
const sent = (changes: Readonly<Record<string, Uint8Array>>): TpmExhibit => quoted({ sent: { sha256: { ...sha256, ...changes } } })

const PCRS: readonly Row[] = [
  ['17: a value changed', 'tpm-pcr-digest-mismatch', () => sent({ 4: flipBit(valueOf(4), 0) })],
  ['18: values of 4 and 7 swapped', 'tpm-pcr-digest-mismatch', () => sent({ 4: valueOf(7), 7: valueOf(4) })],
  ['19: a value of 23 more', 'tpm-pcr-values-mismatch-selection', () => sent({ 23: new Uint8Array(32) })],
  [
    '20: a value less',
    'tpm-pcr-values-mismatch-selection',
    () => quoted({ sent: { sha256: Object.fromEntries(Object.entries(sha256).filter(([pcr]) => pcr !== '4')) } }),
  ],
  ['21: a value of 20 bytes', 'tpm-pcr-values-mismatch-selection', () => sent({ 4: valueOf(4).subarray(12) })],
  [
    '22: SHA-256 selected twice',
    'tpm-pcr-selection-invalid',
    () => quoted({ selections: [...FIRMWARE_PCRS, { bank: 'sha256', pcrs: [8] }] }),
  ],
  ['23: no PCR selected', 'tpm-pcr-selection-invalid', () => quoted({ selections: [{ bank: 'sha256', pcrs: [] }] })],
  [
    '24: 16 and 23 quoted, 4 and 7 needed',
    'tpm-pcr-not-quoted',
    () => ({ ...quoted({ selections: [{ bank: 'sha256', pcrs: [16, 23] }] }), policy: { required_pcrs: [4, 7] } }),
  ],
]

const RSASSA_SHA256 = joined(uint(16, 0x0014), uint(16, 0x000b))
const one = uint(8, 1)
const relabelled = (): TpmExhibit =>
  evidence(tampered(testEvidence([{}], rsassa), ({ signature }) => ({ signature: joined(uint(16, 0x0016), signature.subarray(2)) })))

const SCHEMES: readonly Row[] = [
  ['25: SHA-1 bank alone', 'tpm-pcr-bank-weak', () => sha1Bank()],
  ['26: SHA-1, as the key says', 'tpm-signature-hash-weak', () => quoted({}, { ...rsassa, scheme: { scheme: 'rsassa', hash: 'sha1' } })],
  [
    '26: SHA-1, another hash than the key’s',
    'tpm-signature-hash-weak',
    () => quoted({ scheme: { scheme: 'rsassa', hash: 'sha1' } }, rsassa),
  ],
  ['27: RSASSA called RSAPSS', 'tpm-signature-scheme-mismatch', relabelled],
  ['28: P-384 over SHA-256', 'tpm-signature-scheme-mismatch', () => quoted({ scheme: { scheme: 'ecdsa', hash: 'sha256' } }, p384)],
  ['29: RSA of 255 bytes', 'tpm-signature-malformed', () => signed(joined(RSASSA_SHA256, tpm2b(new Uint8Array(255).fill(1))), rsassa)],
  ['29: RSA of 257 bytes', 'tpm-signature-malformed', () => signed(joined(RSASSA_SHA256, tpm2b(new Uint8Array(257).fill(1))), rsassa)],
  ['29: r is zero', 'tpm-signature-malformed', () => signed(ecdsaSignature(new Uint8Array(32), one))],
  ['29: s is zero', 'tpm-signature-malformed', () => signed(ecdsaSignature(one, new Uint8Array(32)))],
]

/** fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, restricted, sign; the others are not those of such keys. */
const USUAL = 0x0005_0072
const BIT = { fixedTPM: 1 << 1, fixedParent: 1 << 4, sensitiveDataOrigin: 1 << 5, restricted: 1 << 16, decrypt: 1 << 17 } as const
const weakRsa = (modulusLength: number, exponent: number): TpmExhibit => {
  const keys = generateKeyPairSync('rsa', { modulusLength, publicExponent: exponent })
  const ak: TestAk = { ...keys, scheme: rsassa.scheme }
  const bits = joined(uint(16, 0x0010), uint(16, 0x0014), uint(16, 0x000b), uint(16, modulusLength), uint(32, exponent))
  return evidence(testEvidence([{}], ak, { parameters: bits }))
}

const KEYS: readonly Row[] = [
  ['30: without fixedTPM', 'tpm-ak-not-tpm-resident', () => area({ attributes: USUAL & ~BIT.fixedTPM })],
  ['30: without fixedParent', 'tpm-ak-not-tpm-resident', () => area({ attributes: USUAL & ~BIT.fixedParent })],
  ['30: without sensitiveDataOrigin', 'tpm-ak-not-tpm-resident', () => area({ attributes: USUAL & ~BIT.sensitiveDataOrigin })],
  ['31: with decrypt', 'tpm-ak-not-signing-key', () => area({ attributes: USUAL | BIT.decrypt })],
  ['32: RSA of 1024 bits', 'tpm-ak-key-weak', () => weakRsa(1024, 65_537)],
  ['32: RSA with exponent 3', 'tpm-ak-key-weak', () => weakRsa(2048, 3)],
  [
    '33: a point that is not on the curve',
    'tpm-ak-key-weak',
    () => area({ unique: joined(tpm2b(new Uint8Array(32).fill(7)), tpm2b(new Uint8Array(32).fill(9))) }),
  ],
  ['34: a reserved bit', 'tpm-ak-attributes-invalid', () => area({ attributes: USUAL | 1 })],
  ['34: another reserved bit', 'tpm-ak-attributes-invalid', () => area({ attributes: USUAL | (1 << 31) })],
  ['35: nobody vouches for the key', 'tpm-ak-untrusted', () => ({ ...quoted({}), policy: { ak_trust: ['ak-cert', 'ek-activation'] } })],
  ['56: quotes of two boots', 'tpm-quotes-inconsistent', () => evidence(testEvidence([{}, { attest: { resetCount: 3 } }]))],
  ['56: quotes of two restarts', 'tpm-quotes-inconsistent', () => evidence(testEvidence([{}, { attest: { restartCount: 1 } }]))],
]

describe.each([
  ['proof', PROOF],
  ['structure', STRUCTURE],
  ['nonce', NONCE],
  ['PCRs', PCRS],
  ['schemes', SCHEMES],
  ['keys', KEYS],
])('negative matrix of TPM: %s', (_, rows) => {
  it.each(rows)('%s → %s', async (_change, code, make) => {
    expect((await judgeTpm(make())).code).toBe(code)
  })
})

const sha1Bank = (): TpmExhibit => quoted({ selections: [{ bank: 'sha1', pcrs: [0, 7] }] })

describe('negative matrix of TPM: what is accepted', () => {
  const accepted: readonly (readonly [string, () => TpmExhibit])[] = [
    ...Object.entries(TEST_AKS).map(([name, ak]) => [`a quote by ${name}`, () => quoted({}, ak)] as const),
    ['two quotes of one boot', () => evidence(testEvidence([{}, {}]))],
    ['an area with the usual attributes', () => area({ attributes: USUAL })],
    ['16 and 23 alone, where nothing is needed', () => quoted({ selections: [{ bank: 'sha256', pcrs: [16, 23] }] })],
    ['bytes that were signed as they are', () => evidence(resigned((quote) => quote))],
    ['all registers that the policy needs', () => ({ ...quoted({}), policy: { required_pcrs: [4, 7] } })],
    ['quotes of a bank that the policy names', () => ({ ...sha1Bank(), policy: { banks: ['DANGEROUSLY_SHA1'] } })],
  ]

  it.each(accepted)('%s', async (_, make) => {
    const answer = await judgeTpm(make())
    expect([answer.code, failedCodes(answer)]).toEqual(['accepted', []])
  })
})

/** One attestation of the vectors with the key that signed it; values are of no bank, so that nothing but the row refuses. */
const attested = (name: string): TpmExhibit => {
  const file = (part: string) => vectorBytes(`tpm/swtpm-attest-types/${name}.${part}.bin`)
  const quotes = [{ quote: file('attest'), signature: file('sig'), pcrs: {} }]
  return evidence({ type: 'tpm', quotes, akPublic: file('signer.tpm2b_public'), akCertificates: [] })
}

describe.skipIf(!vectorsPresent())('negative matrix of TPM: structures of a software TPM', () => {
  it.each<Row>([
    ['5: forged-unrestricted', 'tpm-ak-not-restricted', () => attested('forged-unrestricted')],
    ['6: certify', 'tpm-attest-type-not-quote', () => attested('certify')],
    ['7: gettime', 'tpm-attest-type-not-quote', () => attested('gettime')],
    ['8: nvcertify', 'tpm-attest-type-not-quote', () => attested('nvcertify')],
    ['8: certifycreation', 'tpm-attest-type-not-quote', () => attested('certifycreation')],
  ])('%s → %s', async (_, code, make) => {
    expect((await judgeTpm(make())).code).toBe(code)
  })
})
