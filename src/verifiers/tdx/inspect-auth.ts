import { hexOf } from '../der-values.ts'
import { readable, type Unreadable } from '../inspect-certificate.ts'
import { readCertificateChain } from '../pem.ts'
import { Reader } from '../reader.ts'
import { enclaveClaims } from './claims-of.ts'
import { readEnclaveReport, type EnclaveReport } from './enclave-report.ts'
import { inspectCertificate, type CertificateView } from './inspect-certificate.ts'
import type { AuthData } from './quote-auth.ts'

/** Two numbers of P-256, big-endian, 32 bytes each. */
type Pair<A extends string, B extends string> = { readonly [N in A | B]: string }

/** What certification data of types 1 to 3 say of the platform (specification tdx.md section 1.8); the PPID of types 2 and 3 is encrypted. */
type PlatformIdView = {
  readonly ppid: string
  readonly cpusvn: string
  readonly pcesvn: number
  readonly pceid: string
}

/** Every field of an enclave's report, which has no version of its own. */
type EnclaveView = Omit<ReturnType<typeof enclaveClaims>, 'quote_version'>

function enclaveView(report: EnclaveReport): EnclaveView {
  const { quote_version: _, ...fields } = enclaveClaims(4, report)
  return fields
}

/** What signs the quote and vouches for the signer (section 1.7), byte fields in lower-case hex. */
export type AuthView = {
  readonly quote_signature: Pair<'r', 's'>
  readonly attestation_key: Pair<'x', 'y'>
  readonly qe_report: EnclaveView
  readonly qe_report_signature: Pair<'r', 's'>
  readonly qe_auth_data: string
  readonly certification_type: number
  readonly certification_bytes: number
  /** null for types that hold certificates. */
  readonly platform_id: PlatformIdView | Unreadable | null
}

/** The certificates in the quote and beside it, each as it can be read. */
export type ChainView = readonly (CertificateView | ({ readonly at: string } & Unreadable))[]

const COORDINATE = 32
const halves = (bytes: Uint8Array): readonly [string, string] => [hexOf(bytes.subarray(0, COORDINATE)), hexOf(bytes.subarray(COORDINATE))]

function signature(bytes: Uint8Array): Pair<'r', 's'> {
  const [r, s] = halves(bytes)
  return { r, s }
}

function point(bytes: Uint8Array): Pair<'x', 'y'> {
  const [x, y] = halves(bytes)
  return { x, y }
}

/** Bytes of the PPID by type: plain, or encrypted for a key of 2048 or 3072 bits. */
const PPID_BYTES: Readonly<Record<number, number>> = { 1: 16, 2: 256, 3: 384 }

function platformIdOf({ certificationType, certificationData }: AuthData): AuthView['platform_id'] {
  const ppidBytes = PPID_BYTES[certificationType]
  if (ppidBytes === undefined) return null
  return readable(() =>
    Reader.all(certificationData, { what: 'certification_data', code: 'tdx-qe-certification-data-size-mismatch' }, (r) => ({
      ppid: hexOf(r.bytes('PPID', ppidBytes)),
      cpusvn: hexOf(r.bytes('CPUSVN', 16)),
      pcesvn: r.u16le('PCESVN'),
      pceid: hexOf(r.bytes('PCEID', 2)),
    })),
  )
}

/** Every field of the auth data; its certificates are {@link inspectChain}'s. */
export const inspectAuth = (auth: AuthData): AuthView => ({
  quote_signature: signature(auth.quoteSignature),
  attestation_key: point(auth.attestationKey),
  qe_report: enclaveView(readEnclaveReport(auth.qeReport)),
  qe_report_signature: signature(auth.qeReportSignature),
  qe_auth_data: hexOf(auth.qeAuthData),
  certification_type: auth.certificationType,
  certification_bytes: auth.certificationData.length,
  platform_id: platformIdOf(auth),
})

/** Type 4: the PCK certificate alone. Type 5: the chain in PEM. */
const [LEAF, CHAIN] = [4, 5]

function inQuote({ certificationType, certificationData }: AuthData): ChainView {
  const at = 'quote.pck_chain'
  if (certificationType === LEAF) return [viewOf(certificationData, `${at}[0]`)]
  if (certificationType !== CHAIN) return []
  const ders = readable(() => readCertificateChain(certificationData, { what: at, code: 'tdx-pck-chain-malformed' }))
  return 'code' in ders ? [{ at, ...ders }] : ders.map((der, i) => viewOf(der, `${at}[${i}]`))
}

const viewOf = (bytes: Uint8Array, at: string) => ({ at, ...readable(() => inspectCertificate(bytes, at)) })

/** Every certificate of a quote, and those that were sent beside it. */
export const inspectChain = (auth: AuthData | undefined, beside: readonly Uint8Array[]): ChainView => [
  ...(auth === undefined ? [] : inQuote(auth)),
  ...beside.map((bytes, i) => viewOf(bytes, `certificates[${i}]`)),
]
