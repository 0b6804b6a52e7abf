import type { IntelTee } from '../verifiers/tdx/address.ts'
import { certificationData, type Certification, type CertificationKind } from './certification.ts'
import { enclaveReport, type EnclaveReportFields } from './enclave-report.ts'
import { pem } from './envelopes.ts'
import type { FakeIntel } from './intel.ts'
import type { FakePck, PckRequest } from './pck.ts'
import { fakeQe, type FakeQe, type QeOptions } from './qe.ts'
import { signedQuote, type QuoteFields } from './quote.ts'
import { TD_BODIES, tdReport, type TdBody, type TdReportFields } from './td-report.ts'

/** An Intel evidence item as it travels (design section 3); binary is base64. */
export type IntelItemJson =
  | {
      readonly type: 'tdx'
      readonly quote: string
      readonly certificates?: readonly string[]
      readonly event_log?: string
      readonly runtime_log?: string
      readonly initdata?: string
    }
  | { readonly type: 'sgx'; readonly quote: string; readonly certificates?: readonly string[] }
  | { readonly type: 'tsm'; readonly provider: 'tdx_guest'; readonly outblob: string }

/** Fields of one quote: those of the quote, of its body, and another quoting enclave. */
export type QuoteChanges = Partial<QuoteFields> & {
  readonly td?: Partial<TdReportFields>
  readonly enclave?: Partial<EnclaveReportFields>
  readonly qe?: QeOptions
  readonly certification?: CertificationKind | Certification
}

/** What the two kinds of host have in common. */
type CommonOptions = {
  readonly name?: string
  /** The platform's PCK, or what it is minted from. */
  readonly pck?: PckRequest
  readonly qe?: QeOptions
  /** Default: 5, the chain. */
  readonly certification?: CertificationKind
  /** Ships the PCK chain beside the quote. */
  readonly ships?: 'certificates'
  /** Fields of every quote of this host that differ from the defaults. */
  readonly fields?: QuoteChanges
}

/** What a fake TDX host is. Default: version 4 with a TD report 1.0. */
export type TdxHostOptions = CommonOptions & {
  readonly version?: 4 | 5
  /** Anything but 1.0 travels in version 5 only. */
  readonly body?: TdBody
  readonly envelope?: 'tdx' | 'tsm'
  /** What travels beside every quote. */
  readonly eventLog?: Uint8Array
  readonly runtimeLog?: Uint8Array
  readonly initdata?: Uint8Array
}

/** What a fake SGX host is. Default: version 3. */
export type SgxHostOptions = CommonOptions & { readonly version?: 3 | 4 | 5 }

/** A TD or an enclave on a processor of the fake Intel. */
export type FakeIntelHost = {
  readonly name: string
  readonly tee: IntelTee
  /** The technology, for a reader. */
  readonly product: string
  readonly pck: FakePck
  readonly qe: FakeQe
  /** A signed quote over 64 bytes of report data. */
  readonly quote: (reportData: Uint8Array, changes?: QuoteChanges) => Uint8Array
  /** The evidence item for 64 bytes of report data. */
  readonly evidence: (reportData: Uint8Array, changes?: QuoteChanges) => IntelItemJson
}

/** A new TDX host; its platform exists in the fake Intel from then on. */
export function fakeTdxHost(intel: FakeIntel, options: TdxHostOptions = {}): FakeIntelHost {
  const { body = 'td-report-1.0', envelope = 'tdx' } = options
  const version = options.version ?? (body === 'td-report-1.0' ? 4 : 5)
  const shape: Shape = {
    tee: 'tdx',
    version,
    bodyType: TD_BODIES[body].type,
    body: (reportData, { td }) => tdReport(body, { ...options.fields?.td, reportData, ...td }),
  }
  const host = hostOf(intel, shape, options)
  const beside = { event_log: options.eventLog, runtime_log: options.runtimeLog, initdata: options.initdata }
  return {
    ...host,
    evidence: (reportData, changes) => {
      const quote = base64(host.quote(reportData, changes))
      if (envelope === 'tsm') return { type: 'tsm', provider: 'tdx_guest', outblob: quote }
      return { type: 'tdx', quote, ...certificatesOf(host, options), ...encoded(beside) }
    },
  }
}

/** A new SGX host with an application enclave; its platform exists in the fake Intel from then on. */
export function fakeSgxHost(intel: FakeIntel, options: SgxHostOptions = {}): FakeIntelHost {
  const shape: Shape = {
    tee: 'sgx',
    version: options.version ?? 3,
    bodyType: 1,
    body: (reportData, { enclave }) => enclaveReport({ ...options.fields?.enclave, reportData, ...enclave }),
  }
  const host = hostOf(intel, shape, options)
  return {
    ...host,
    evidence: (reportData, changes) => ({ type: 'sgx', quote: base64(host.quote(reportData, changes)), ...certificatesOf(host, options) }),
  }
}

type Shape = {
  readonly tee: IntelTee
  readonly version: 3 | 4 | 5
  readonly bodyType: number
  readonly body: (reportData: Uint8Array, changes: QuoteChanges) => Uint8Array
}

function hostOf(intel: FakeIntel, shape: Shape, options: CommonOptions): Omit<FakeIntelHost, 'evidence'> {
  const { tee } = shape
  const pck = intel.pck(options.pck)
  const qe = fakeQe(pck, { tee, ...options.qe })
  return {
    name: options.name ?? tee,
    tee,
    product: tee.toUpperCase(),
    pck,
    qe,
    quote: (reportData, changes = {}) => {
      const all = { ...options.fields, ...changes }
      const { certification = options.certification ?? 5 } = all
      return signedQuote(
        {
          ...shape,
          body: shape.body(reportData, changes),
          qe: changes.qe === undefined ? qe : fakeQe(pck, { tee, ...options.qe, ...changes.qe }),
          certification: typeof certification === 'object' ? certification : certificationData(certification, pck),
        },
        all,
      )
    },
  }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

const certificatesOf = ({ pck }: Pick<FakeIntelHost, 'pck'>, { ships }: CommonOptions) =>
  ships === undefined ? {} : { certificates: pck.chain.map((der) => pem(der)) }

const encoded = (beside: Readonly<Record<string, Uint8Array | undefined>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(beside).flatMap(([name, bytes]) => (bytes === undefined ? [] : [[name, base64(bytes)] as const])))
