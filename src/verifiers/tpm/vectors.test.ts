import { createPublicKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { vectorBytes, vectorJson, vectorsPresent } from '../../../test/vectors.ts'
import { enrolling, tpmOutcome } from '../../../test/tpm-quotes.ts'
import { ENDORSEMENT, publicArea, qualifiedName } from '../../simulator/tpm-bytes.ts'
import { parseAttest, parseQuote } from './attest.ts'
import type { PcrBank } from './claims.ts'
import { nameOf } from './name.ts'
import { parsePublicArea } from './public.ts'
import type { TpmEvidence, TpmQuote } from '../verifier.ts'

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null
const BANKS: readonly PcrBank[] = ['sha1', 'sha256', 'sha384', 'sha512']

type Values = { readonly [bank in PcrBank]?: Readonly<Record<string, Uint8Array>> }

/** The values of a vector's file, of those PCRs that a quote selects. */
function valuesOf(file: string, quote: Uint8Array): Values {
  const json = vectorJson(file)
  if (!isRecord(json)) throw new Error(`${file} is no object`)
  const selections = parseQuote(quote, file).attested.pcrSelect
  const banks = BANKS.flatMap((bank) => {
    const pcrs = selections.find((row) => row.bank === bank)?.pcrs ?? []
    const values = json[bank]
    return pcrs.length === 0 || !isRecord(values)
      ? []
      : [[bank, Object.fromEntries(pcrs.map((pcr) => [String(pcr), fromHex(String(values[pcr]))]))]]
  })
  return Object.fromEntries(banks)
}

const quoteOf = (folder: string, name: string, pcrs: string): TpmQuote => {
  const quote = vectorBytes(`tpm/${folder}/${name}.attest.bin`)
  return { quote, signature: vectorBytes(`tpm/${folder}/${name}.sig.bin`), pcrs: valuesOf(`tpm/${folder}/${pcrs}`, quote) }
}

/** Quotes of a vector by name, with a public area and the file of their values. */
type Case = readonly [folder: string, quote: string, ak: string, pcrs: string]
const QUOTES: readonly Case[] = [
  ['gce-cos-85-nonce9009', 'quote-sha256', 'ak.tpmt_public', 'quote-sha256.pcrs.json'],
  ['gce-cos-85-nonce9009', 'quote-sha384', 'ak.tpmt_public', 'quote-sha384.pcrs.json'],
  ['swtpm-quotes-with-eventlog', 'q-ak-rsassa', 'ak-rsassa.tpm2b_public', 'pcrs.json'],
  ['swtpm-quotes-with-eventlog', 'q-ak-rsapss', 'ak-rsapss.tpm2b_public', 'pcrs.json'],
  ['swtpm-quotes-with-eventlog', 'q-ak-ecc256', 'ak-ecc256.tpm2b_public', 'pcrs.json'],
  ['swtpm-quotes-with-eventlog', 'q-ak-ecc384', 'ak-ecc384.tpm2b_public', 'pcrs.json'],
  ['swtpm-quotes-with-eventlog', 'q-multi', 'ak-rsassa.tpm2b_public', 'pcrs.json'],
  ['swtpm-quotes-with-eventlog', 'q-sha384bank', 'ak-ecc256.tpm2b_public', 'pcrs.json'],
  ['swtpm-quotes-with-eventlog', 'q-subset', 'ak-ecc256.tpm2b_public', 'pcrs.json'],
  ['swtpm-cel-pcr13', 'quote', 'ak.tpm2b_public', 'pcrs.json'],
  ['swtpm-constellation-style-pcrs', 'quote', 'ak.tpm2b_public', 'pcrs.json'],
  ['swtpm-uki-pcr11', 'quote', 'ak.tpm2b_public', 'pcrs.json'],
  ['swtpm-ima-quote', 'ima400', 'ak.tpm2b_public', 'ima400.pcrs.json'],
  ['swtpm-ima-quote', 'imaend', 'ak.tpm2b_public', 'imaend.pcrs.json'],
]

const evidenceOf = ([folder, quote, ak, pcrs]: Case): TpmEvidence => ({
  type: 'tpm',
  quotes: [quoteOf(folder, quote, pcrs)],
  akPublic: vectorBytes(`tpm/${folder}/${ak}.bin`),
  akCertificates: [],
})

/** The name of the key of evidence, by the name algorithm that its area has. */
const nameOfKey = ({ akPublic = new Uint8Array(0) }: TpmEvidence): string =>
  hexOf(nameOf(parsePublicArea(akPublic, { what: 'ak', code: 'tpm-ak-public-malformed' })))

const judge = async (evidence: TpmEvidence) => {
  const rigour = { enrolledAks: [nameOfKey(evidence)] }
  const [first] = evidence.quotes
  const extraData = first === undefined ? undefined : parseQuote(first.quote, 'quote').extraData
  return tpmOutcome(evidence, { context: { extraData, rigour: enrolling(evidence, rigour) } })
}

/** The keys of vectors that have no public area, as the area that their TPM would give. */
const KEYS: readonly (readonly [folder: string, file: string])[] = [
  ['keylime-checkquote', 'ak.pub.pem'],
  ['trustee-tpm-evidence', 'ak.spki.der'],
  ['azure-trusted-launch-2026', 'ak.pub.pem'],
  ['azure-snp-evidence-v1', 'ak.spki.der'],
  ['azure-snp-evidence-v2-userdata', 'ak.spki.der'],
  ['azure-tdx-evidence-v1', 'ak.spki.der'],
]

function standInArea(folder: string, file: string): Uint8Array {
  const bytes = Buffer.from(vectorBytes(`tpm/${folder}/${file}`))
  const key = file.endsWith('.pem') ? createPublicKey(bytes) : createPublicKey({ key: bytes, format: 'der', type: 'spki' })
  return publicArea(key, { scheme: 'rsassa', hash: 'sha256' })
}

/** Azure's signatures come without the head of a TPMT_SIGNATURE; it is RSASSA with SHA-256. */
function signatureOf(folder: string): Uint8Array {
  if (!folder.startsWith('azure')) return vectorBytes(`tpm/${folder}/quote.sig.bin`)
  return new Uint8Array(Buffer.concat([fromHex('0014000b0100'), vectorBytes(`tpm/${folder}/quote.sig-raw.bin`)]))
}

/** The expectations of the manifest, found by their fields wherever they stand in a case. */
function attestsIn(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (!isRecord(value)) return []
  return 'magic' in value ? [value] : Object.values(value).flatMap(attestsIn)
}

function expectedAttests(folder: string): readonly Readonly<Record<string, unknown>>[] {
  const manifest = vectorJson('tpm/MANIFEST.json')
  const cases = isRecord(manifest) && Array.isArray(manifest['cases']) ? manifest['cases'].filter(isRecord) : []
  return attestsIn(cases.find((row) => row['case'] === folder)?.['expected'])
}

const ATTESTS: Readonly<Record<string, readonly string[]>> = {
  'gce-cos-85-nonce9009': ['quote-sha1', 'quote-sha256', 'quote-sha384'],
  'swtpm-quotes-with-eventlog': [
    'q-ak-rsassa',
    'q-ak-rsapss',
    'q-ak-ecc256',
    'q-ak-ecc384',
    'q-multi',
    'q-sha1bank',
    'q-sha384bank',
    'q-subset',
  ],
  'swtpm-clock-series': ['clk1', 'clk2', 'clk3', 'clk4'],
  'swtpm-attest-types': ['certify', 'gettime', 'nvcertify', 'certifycreation', 'forged-unrestricted'],
  'swtpm-ima-quote': ['ima400', 'imaend'],
  'swtpm-cel-pcr13': ['quote'],
  'swtpm-constellation-style-pcrs': ['quote'],
  'swtpm-uki-pcr11': ['quote'],
  'rust-keylime-sha1-quote': ['quote'],
  ...Object.fromEntries(KEYS.map(([folder]) => [folder, ['quote']])),
}

/** What every attestation has, as the manifest writes it. */
function headOf(bytes: Uint8Array) {
  const { qualifiedSigner, extraData, clockInfo, firmwareVersion, attested } = parseAttest(bytes, 'vector')
  return {
    type: attested.type,
    qualifiedSigner: hexOf(qualifiedSigner),
    extraData: hexOf(extraData),
    clock: Number(clockInfo.clock),
    resetCount: clockInfo.resetCount,
    restartCount: clockInfo.restartCount,
    safe: clockInfo.safe ? 1 : 0,
    firmwareVersion: firmwareVersion.toString(16).padStart(16, '0'),
    ...(attested.type === 'quote'
      ? { pcrDigest: hexOf(attested.pcrDigest), pcrSelect: attested.pcrSelect.map(({ bank, pcrs }) => ({ alg: bank, pcrs })) }
      : {}),
  }
}

describe.skipIf(!vectorsPresent())('vectors', () => {
  it.each(Object.entries(ATTESTS))('%s: every field is as the manifest has it', (folder, names) => {
    const expected = expectedAttests(folder)
    const read = names.map((name) => headOf(vectorBytes(`tpm/${folder}/${name}.attest.bin`)))
    expect(expected.length).toBeGreaterThan(0)
    for (const fields of expected) expect(read).toContainEqual(expect.objectContaining(pick(fields, Object.keys(read[0] ?? {}))))
  })

  it.each(QUOTES)('%s %s is genuine', async (...vector) => {
    const { codes, finding } = await judge(evidenceOf(vector))
    expect(codes).toEqual([])
    expect(finding?.claims?.tpm?.ak.attributes_verified).toBe(true)
  })

  it.each(KEYS)('%s is genuine, once its key is enrolled', async (folder, file) => {
    const quote = vectorBytes(`tpm/${folder}/quote.attest.bin`)
    const pcrs = valuesOf(`tpm/${folder}/quote.pcrs.json`, quote)
    const quotes = [{ quote, signature: signatureOf(folder), pcrs }]
    const { codes } = await judge({ type: 'tpm', quotes, akPublic: standInArea(folder, file), akCertificates: [] })
    expect(codes).toEqual([])
  })

  it('all quotes of a GCE host together: the SHA-1 bank does no harm, SHA-384 is relied on, the key is a primary object', async () => {
    const folder = 'gce-cos-85-nonce9009'
    const evidence = evidenceOf([folder, 'quote-sha256', 'ak.tpmt_public', 'quote-sha256.pcrs.json'])
    const more = ['sha1', 'sha384'].map((bank) => quoteOf(folder, `quote-${bank}`, `quote-${bank}.pcrs.json`))
    const { finding, codes } = await judge({ ...evidence, quotes: [...evidence.quotes, ...more] })
    expect(codes).toEqual([])
    expect(finding?.claims?.tpm).toMatchObject({
      bank: 'sha384',
      quoted_banks: ['sha256', 'sha1', 'sha384'],
      firmware_version: '2016051100162800',
      firmware_version_reliable: true,
      ak: { qualified_signer_verified: true },
    })
  })

  it('the key of a GCE host is a primary object of the endorsement hierarchy', () => {
    const folder = 'tpm/gce-cos-85-nonce9009'
    const area = parsePublicArea(vectorBytes(`${folder}/ak.tpmt_public.bin`), { what: 'ak', code: 'tpm-ak-public-malformed' })
    const { qualifiedSigner } = parseQuote(vectorBytes(`${folder}/quote-sha256.attest.bin`), 'quote')
    expect(hexOf(qualifiedSigner)).toBe(hexOf(qualifiedName(area.nameAlg, ENDORSEMENT, nameOf(area))))
  })

  it.each(['ak-rsassa', 'ak-rsapss', 'ak-ecc256', 'ak-ecc384'])('%s signs with the qualified name that its TPM told', (ak) => {
    const folder = 'tpm/swtpm-quotes-with-eventlog'
    const { qualifiedSigner } = parseQuote(vectorBytes(`${folder}/q-${ak}.attest.bin`), ak)
    expect(hexOf(qualifiedSigner)).toBe(hexOf(vectorBytes(`${folder}/${ak}.qualifiedname.bin`)))
  })

  it('q-sha1bank alone is weak', async () => {
    const { codes } = await judge(evidenceOf(['swtpm-quotes-with-eventlog', 'q-sha1bank', 'ak-rsassa.tpm2b_public', 'pcrs.json']))
    expect(codes).toEqual(['tpm-pcr-bank-weak'])
  })

  it('a signature over SHA-1 is weak, whatever key there is', async () => {
    const folder = 'tpm/rust-keylime-sha1-quote'
    const quotes = [{ quote: vectorBytes(`${folder}/quote.attest.bin`), signature: vectorBytes(`${folder}/quote.sig.bin`), pcrs: {} }]
    const akPublic = vectorBytes('tpm/swtpm-cel-pcr13/ak.tpm2b_public.bin')
    expect((await judge({ type: 'tpm', quotes, akPublic, akCertificates: [] })).codes).toContain('tpm-signature-hash-weak')
  })

  it('what is signed by a key that signs anything is refused', async () => {
    const folder = 'tpm/swtpm-attest-types'
    const quotes = [
      {
        quote: vectorBytes(`${folder}/forged-unrestricted.attest.bin`),
        signature: vectorBytes(`${folder}/forged-unrestricted.sig.bin`),
        pcrs: {},
      },
    ]
    const akPublic = vectorBytes(`${folder}/forged-unrestricted.signer.tpm2b_public.bin`)
    const { codes } = await judge({ type: 'tpm', quotes, akPublic, akCertificates: [] })
    expect(codes).toEqual(['tpm-ak-not-restricted'])
  })

  it.each(['certify', 'gettime', 'nvcertify', 'certifycreation'])('%s is no quote', async (name) => {
    const folder = 'tpm/swtpm-attest-types'
    const quotes = [{ quote: vectorBytes(`${folder}/${name}.attest.bin`), signature: vectorBytes(`${folder}/${name}.sig.bin`), pcrs: {} }]
    const evidence = { ...evidenceOf(QUOTES[9] ?? ['', '', '', '']), quotes }
    expect((await tpmOutcome(evidence)).codes[0]).toBe('tpm-attest-type-not-quote')
  })
})

const pick = (fields: Readonly<Record<string, unknown>>, keys: readonly string[]) =>
  Object.fromEntries(Object.entries(fields).flatMap(([key, value]) => (keys.includes(key) ? [[key, comparable(value)]] : [])))

/** A selection without the size of its bitmap, which is not kept. */
const comparable = (value: unknown): unknown =>
  Array.isArray(value) ? value.map((row) => (isRecord(row) ? { alg: row['alg'], pcrs: row['pcrs'] } : row)) : value
