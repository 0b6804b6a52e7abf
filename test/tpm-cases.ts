import { createPublicKey, type KeyObject } from 'node:crypto'
import { nameOfArea, publicArea } from '../src/simulator/tpm-bytes.ts'
import { parseQuote } from '../src/verifiers/tpm/attest.ts'
import type { PcrBank } from '../src/verifiers/tpm/claims.ts'
import type { TpmEvidence, TpmQuote } from '../src/verifiers/verifier.ts'
import { vectorBytes, vectorJson } from './vectors.ts'

/** What of a folder of vectors/tpm is evidence. Files without their endings: `.attest.bin`, `.sig.bin`, `.bin`. */
type Files = {
  readonly quotes: readonly string[]
  /** A public area, a SubjectPublicKeyInfo, or PEM. */
  readonly ak: string
  /** Values of PCRs: of each quote its own file, or one for all. */
  readonly pcrs: (quote: string) => string | undefined
  readonly certificates?: readonly string[]
  readonly eventLog?: 'eventlog.bin'
  readonly imaLog?: 'ascii_runtime_measurements'
  /** Azure's signatures come without the head of a TPMT_SIGNATURE. */
  readonly signature?: 'raw'
}

const one =
  (file: string): Files['pcrs'] =>
  () =>
    file
const own: Files['pcrs'] = (quote) => `${quote}.pcrs.json`

const GCE = {
  ak: 'ak.tpmt_public.bin',
  pcrs: own,
  eventLog: 'eventlog.bin',
  certificates: ['ak.cert.der', 'ca-tpm_ek_intermediate_2.crt'],
} as const
const LOGGED = { pcrs: one('pcrs.json'), eventLog: 'eventlog.bin' } as const
const SWTPM = { quotes: ['quote'], ak: 'ak.tpm2b_public.bin', pcrs: one('pcrs.json') } as const
const IMA = { ak: 'ak.tpm2b_public.bin', pcrs: own, imaLog: 'ascii_runtime_measurements' } as const
const AZURE = { quotes: ['quote'], ak: 'ak.spki.der', pcrs: own, signature: 'raw' } as const

/** Every folder that holds a quote with its values, by name; a second piece of evidence of a folder stands behind a space. */
const FILES: Readonly<Record<string, Files>> = {
  'gce-cos-85-nonce9009': { ...GCE, quotes: ['quote-sha256', 'quote-sha1', 'quote-sha384'] },
  'gce-cos-85-nonce9009 sha256': { ...GCE, quotes: ['quote-sha256'] },
  'gce-cos-85-nonce9009 sha1': { ...GCE, quotes: ['quote-sha1'] },
  'swtpm-quotes-with-eventlog rsassa': { ...LOGGED, quotes: ['q-ak-rsassa'], ak: 'ak-rsassa.tpm2b_public.bin' },
  'swtpm-quotes-with-eventlog rsapss': { ...LOGGED, quotes: ['q-ak-rsapss'], ak: 'ak-rsapss.tpm2b_public.bin' },
  'swtpm-quotes-with-eventlog ecc256': { ...LOGGED, quotes: ['q-ak-ecc256'], ak: 'ak-ecc256.tpm2b_public.bin' },
  'swtpm-quotes-with-eventlog ecc384': { ...LOGGED, quotes: ['q-ak-ecc384'], ak: 'ak-ecc384.tpm2b_public.bin' },
  'swtpm-quotes-with-eventlog multi': { ...LOGGED, quotes: ['q-multi'], ak: 'ak-rsassa.tpm2b_public.bin' },
  'swtpm-quotes-with-eventlog sha1bank': { ...LOGGED, quotes: ['q-sha1bank'], ak: 'ak-rsassa.tpm2b_public.bin' },
  'swtpm-quotes-with-eventlog sha384bank': { ...LOGGED, quotes: ['q-sha384bank'], ak: 'ak-ecc256.tpm2b_public.bin' },
  'swtpm-quotes-with-eventlog subset': { ...LOGGED, quotes: ['q-subset'], ak: 'ak-ecc256.tpm2b_public.bin' },
  'swtpm-clock-series clk4': { ...SWTPM, quotes: ['clk4'], pcrs: () => undefined },
  'swtpm-ima-quote 400': { ...IMA, quotes: ['ima400'] },
  'swtpm-ima-quote end': { ...IMA, quotes: ['imaend'] },
  'swtpm-uki-pcr11': SWTPM,
  'swtpm-cel-pcr13': SWTPM,
  'swtpm-constellation-style-pcrs': SWTPM,
  'trustee-tpm-evidence': { quotes: ['quote'], ak: 'ak.spki.der', pcrs: own },
  'keylime-checkquote': { quotes: ['quote'], ak: 'ak.pub.pem', pcrs: own },
  'azure-trusted-launch-2026': { ...AZURE, ak: 'ak.pub.pem' },
  'azure-snp-evidence-v1': AZURE,
  'azure-snp-evidence-v2-userdata': AZURE,
  'azure-tdx-evidence-v1': AZURE,
}

/** Names of all evidence of vectors/tpm. */
export const TPM_CASES: readonly string[] = Object.keys(FILES)

/** The folder of evidence. */
export const folderOf = (name: string): string => name.split(' ')[0] ?? ''

/** Evidence of vectors/tpm, and the value that its quotes were made for. */
export type TpmCase = { readonly name: string; readonly evidence: TpmEvidence; readonly extraData: Uint8Array }

const BYTES: Readonly<Record<PcrBank, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 }

type Values = Readonly<Partial<Record<string, Readonly<Record<string, string>>>>>

/** Values of those PCRs that a quote selects; zeros where the vector has no file of them. */
function valuesOf(quote: Uint8Array, file: string | undefined): TpmQuote['pcrs'] {
  const json = file === undefined ? undefined : (vectorJson(file) as Values)
  const banks = parseQuote(quote, 'vector').attested.pcrSelect.flatMap(({ bank, pcrs }) => {
    if (bank === undefined) return []
    const zero = '00'.repeat(BYTES[bank])
    const values = pcrs.map((pcr) => [String(pcr), bytesOf(json === undefined ? zero : (json[bank]?.[String(pcr)] ?? ''))] as const)
    return [[bank, Object.fromEntries(values)] as const]
  })
  return Object.fromEntries(banks)
}

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

function quoteOf(folder: string, { signature, pcrs }: Files, name: string): TpmQuote {
  const quote = vectorBytes(`${folder}/${name}.attest.bin`)
  const raw = signature === 'raw' ? vectorBytes(`${folder}/${name}.sig-raw.bin`) : undefined
  const values = pcrs(name)
  return {
    quote,
    // RSASSA with SHA-256 and the length of an RSA-2048 signature.
    signature: raw === undefined ? vectorBytes(`${folder}/${name}.sig.bin`) : new Uint8Array([0, 0x14, 0, 0x0b, 1, 0, ...raw]),
    pcrs: valuesOf(quote, values === undefined ? undefined : `${folder}/${values}`),
  }
}

const keyOf = (bytes: Buffer, file: string): KeyObject =>
  file.endsWith('.pem') ? createPublicKey(bytes) : createPublicKey({ key: bytes, format: 'der', type: 'spki' })

/** A public area; where a vector holds the key alone, the one that its TPM would give for such a key. */
function areaOf(path: string): Uint8Array {
  const bytes = vectorBytes(path)
  return path.endsWith('public.bin') ? bytes : publicArea(keyOf(Buffer.from(bytes), path), { scheme: 'rsassa', hash: 'sha256' })
}

/** Reads evidence by its name. Throws for a name that is none. */
export function tpmCase(name: string): TpmCase {
  const files = FILES[name]
  if (files === undefined) throw new Error(`vectors/tpm has no evidence called ${name}`)
  const folder = `tpm/${folderOf(name)}`
  const quotes = files.quotes.map((quote) => quoteOf(folder, files, quote))
  const evidence: TpmEvidence = {
    type: 'tpm',
    quotes,
    akPublic: areaOf(`${folder}/${files.ak}`),
    akCertificates: (files.certificates ?? []).map((file) => vectorBytes(`${folder}/${file}`)),
    ...(files.eventLog === undefined ? {} : { eventLog: vectorBytes(`${folder}/${files.eventLog}`) }),
    ...(files.imaLog === undefined ? {} : { imaLog: vectorBytes(`${folder}/${files.imaLog}`) }),
  }
  const [first] = quotes
  return { name, evidence, extraData: first === undefined ? new Uint8Array() : parseQuote(first.quote, name).extraData }
}

/** The certificates of a file of the vectors, DER each. */
export function certificatesIn(path: string): readonly Uint8Array[] {
  const bytes = vectorBytes(path)
  const blocks = Buffer.from(bytes)
    .toString('latin1')
    .matchAll(/-----BEGIN CERTIFICATE-----([^-]*)-----END/g)
  const found = [...blocks].map(([, body = '']) => new Uint8Array(Buffer.from(body, 'base64')))
  return found.length === 0 ? [bytes] : found
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const hexValues = (pcrs: TpmQuote['pcrs']): object =>
  Object.fromEntries(
    Object.entries(pcrs).map(([bank, values]) => [
      bank,
      Object.fromEntries(Object.entries(values).map(([pcr, value]) => [pcr, hexOf(value)])),
    ]),
  )

/** Evidence as it travels. */
export function tpmItemOf({ quotes, akPublic, akCertificates, eventLog, imaLog }: TpmEvidence): Record<string, unknown> {
  const blobs = { ak_public: akPublic, event_log: eventLog, ima_log: imaLog instanceof Uint8Array ? imaLog : undefined }
  const sent = Object.entries(blobs).flatMap(([member, bytes]) => (bytes === undefined ? [] : [[member, base64(bytes)] as const]))
  return {
    type: 'tpm',
    quotes: quotes.map(({ quote, signature, pcrs }) => ({ quote: base64(quote), signature: base64(signature), pcrs: hexValues(pcrs) })),
    ...(akCertificates.length === 0 ? {} : { ak_certificates: akCertificates.map(base64) }),
    ...Object.fromEntries(sent),
  }
}

/** The name of the key of evidence, by the hash that its public area says. */
export function nameOfCase({ akPublic = new Uint8Array() }: TpmEvidence): string {
  const first = Buffer.from(akPublic).readUInt16BE(0)
  const area = first === akPublic.length - 2 ? akPublic.subarray(2) : akPublic
  return hexOf(nameOfArea(area[3] === 0x0c ? 'sha384' : 'sha256', area))
}
