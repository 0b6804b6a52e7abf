import { pckCrlAddress, qeIdentityAddress, rootCaCrlAddress, tcbInfoAddress } from '../src/verifiers/tdx/address.ts'
import { writeVendorDocument } from '../src/verifiers/tdx/document.ts'
import type { CollateralAddress, Evidence } from '../src/verifiers/verifier.ts'
import { vectorBytes, vectorExists, vectorJson } from './vectors.ts'

/** One evaluation as the manifest has it. */
export type ExpectedTcb = {
  readonly platform: string
  readonly module: string | null
  readonly qe: string
  readonly status: string
  readonly advisories: readonly string[]
  readonly tcbDate: string
  readonly platformTcbDate: string
}

/** `expected` of a case: with `pass` all of {@link ExpectedTcb} is there. */
type Expected = Partial<ExpectedTcb> & {
  readonly result: 'pass' | 'fail' | 'crypto-pass-no-collateral'
  readonly error: string | null
  readonly current?: ExpectedTcb
  readonly tcbEvaluationDataNumber?: readonly [tcbInfo: number, qeIdentity: number]
  readonly earliest_expiration?: readonly [time: string, object: string]
}

/** What expected.json says of the PCK certificate. */
type ExpectedPck = {
  readonly issuer: string
  readonly fmspc: string
  readonly pceid: string
  readonly pcesvn: number
  readonly cpusvn: string
  readonly sgxTcbComponents: readonly number[]
  readonly ppid: string
  readonly sgxType: number
  readonly platformInstanceId: string | null
  readonly configuration: { readonly dynamicPlatform: boolean; readonly cachedKeys: boolean; readonly smtEnabled: boolean } | null
}

type Json = {
  readonly case: string
  readonly teeType: 'tdx' | 'sgx'
  readonly bodyType: string
  readonly quoteVersion: number
  readonly verificationTime?: string
  readonly validWindow?: readonly [from: string, until: string]
  readonly policyFlags: readonly string[]
  readonly expected: Expected
  readonly fields: Readonly<Record<string, string | number>>
  readonly pck?: ExpectedPck
  readonly qeReport: { readonly mrSigner: string; readonly isvProdId: number; readonly isvSvn: number; readonly attributes: string }
  readonly headerUserData?: string
}

/** One case of vectors/tdx. `bundle`: items of a collateral bundle (design section 6). */
export type TdxCase = Omit<Json, 'case'> & {
  readonly name: string
  /** The time of verification; where the manifest names none (no collateral), one at which the certificates are valid. */
  readonly at: string
  readonly evidence: Extract<Evidence, { type: 'tdx' | 'sgx' }>
  readonly documents: ReadonlyMap<CollateralAddress, Uint8Array>
  readonly bundle: { readonly format: 'assay-collateral/1'; readonly items: readonly object[] }
}

const TIMELESS = '2026-05-01T00:00:00Z'

/** All cases with what they hold: CCEL logs and runtime logs are sent where the quote should replay. */
export const tdxCases = (): readonly TdxCase[] =>
  (vectorJson('tdx/MANIFEST.json') as { cases: readonly { case: string }[] }).cases.map((entry) => read(entry.case))

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8')
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

/** A file of a case; undefined where the case has none. */
const fileOf = (name: string, path: string): Uint8Array | undefined =>
  vectorExists(`tdx/${name}/${path}`) ? vectorBytes(`tdx/${name}/${path}`) : undefined

function read(name: string): TdxCase {
  const { case: _, ...json } = vectorJson(`tdx/${name}/expected.json`) as Json
  const { documents, items } = json.pck === undefined ? NOTHING : collateralOf(name, { tee: json.teeType, pck: json.pck })
  return {
    ...json,
    name,
    at: json.verificationTime ?? TIMELESS,
    evidence: evidenceOf(name, json.teeType),
    documents,
    bundle: { format: 'assay-collateral/1', items },
  }
}

function evidenceOf(name: string, type: 'tdx' | 'sgx'): TdxCase['evidence'] {
  const quote = vectorBytes(`tdx/${name}/quote.bin`)
  if (type === 'sgx') return { type, quote, certificates: [] }
  const [eventLog, runtimeLog] = [fileOf(name, 'ccel.bin'), fileOf(name, 'event_log.json')]
  return {
    type,
    quote,
    certificates: [],
    ...(eventLog === undefined ? {} : { eventLog }),
    ...(runtimeLog === undefined ? {} : { runtimeLog }),
  }
}

type Found = { readonly documents: ReadonlyMap<CollateralAddress, Uint8Array>; readonly items: readonly object[] }

const NOTHING: Found = { documents: new Map(), items: [] }

function collateralOf(name: string, { tee, pck }: { tee: 'tdx' | 'sgx'; pck: ExpectedPck }): Found {
  if (!vectorExists(`tdx/${name}/tcb_info.json`)) return NOTHING
  const file = (path: string) => vectorBytes(`tdx/${name}/${path}`)
  const ca = pck.issuer.includes('Platform') ? 'platform' : 'processor'
  const [info, identity] = [file('tcb_info.json'), file('qe_identity.json')]
  const [infoChain, identityChain] = [file('tcb_info_issuer_chain.pem'), file('qe_identity_issuer_chain.pem')]
  const [pckCrl, pckCrlChain, rootCrl] = [file('pck_crl.der'), file('pck_crl_issuer_chain.pem'), file('root_ca_crl.der')]
  return {
    documents: new Map([
      [tcbInfoAddress(tee, pck.fmspc, 'standard'), writeVendorDocument({ issuerChain: infoChain, body: info })],
      [qeIdentityAddress(tee, 'standard'), writeVendorDocument({ issuerChain: identityChain, body: identity })],
      [pckCrlAddress(ca), writeVendorDocument({ issuerChain: pckCrlChain, body: pckCrl })],
      [rootCaCrlAddress, writeVendorDocument({ issuerChain: new Uint8Array(), body: rootCrl })],
    ]),
    items: [
      { kind: 'intel-tcb-info', body: text(info), issuer_chain: text(infoChain) },
      { kind: 'intel-qe-identity', body: text(identity), issuer_chain: text(identityChain) },
      { kind: 'intel-pck-crl', ca, der: base64(pckCrl), issuer_chain: text(pckCrlChain) },
      { kind: 'intel-root-ca-crl', der: base64(rootCrl) },
    ],
  }
}

/** The public code of a code of the specification (design section 3, Codes and statuses). */
const publicCode = (code: string): string => (code === 'collateral-unavailable' || code.startsWith('sgx-') ? code : `tdx-${code}`)

/** The code that each case must be refused with when only "is it genuine?" is asked; undefined: it is genuine. */
export function expectedCode({ expected: { result, error } }: TdxCase): string | undefined {
  if (result === 'crypto-pass-no-collateral') return 'collateral-unavailable'
  return result === 'pass' ? undefined : publicCode(error ?? 'unnamed')
}

/** The evidence item of a case as it travels. */
export function itemOf({ evidence }: TdxCase): Record<string, unknown> {
  const { type, quote } = evidence
  const logs = evidence.type === 'tdx' ? { event_log: evidence.eventLog, runtime_log: evidence.runtimeLog } : {}
  const sent = Object.entries(logs).flatMap(([name, bytes]) => (bytes === undefined ? [] : [[name, base64(bytes)] as const]))
  return { type, quote: base64(quote), ...Object.fromEntries(sent) }
}
