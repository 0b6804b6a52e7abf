import { QE } from '../src/simulator/intel-levels.ts'
import { extension } from '../src/simulator/der.ts'
import type { IntelCrlRequest } from '../src/simulator/intel-crl.ts'
import { SIM_FMSPC, type QeIdentityRequest, type TcbInfoRequest } from '../src/simulator/intel-documents.ts'
import { fakeIntel, intelCollateral, pckCrlDocument, type FakeIntel } from '../src/simulator/intel.ts'
import type { FakePck, PckRequest } from '../src/simulator/pck.ts'
import { teeTcbSvn } from '../src/simulator/td-report.ts'
import { anchorsOf } from '../src/verifiers/anchors.ts'
import { pckCrlAddress, qeIdentityAddress, rootCaCrlAddress, tcbInfoAddress, type IntelTee } from '../src/verifiers/tdx/address.ts'
import { judgeCollateral } from '../src/verifiers/tdx/collateral.ts'
import type { CollateralInput, CollateralJudgement, QeReport, TdModule } from '../src/verifiers/tdx/collateral-input.ts'
import { writeVendorDocument, type VendorDocument } from '../src/verifiers/tdx/document.ts'
import { parseCertificate } from '../src/verifiers/x509.ts'
import { genuineOnly, type CollateralAddress, type Context, type IntelRigour, type RollbackMark } from '../src/verifiers/verifier.ts'
import { freshMemo } from './snp-in-process.ts'

/** How what is judged differs from a healthy platform of a healthy Intel. `documents`: undefined takes one away. */
export type CollateralChanges = {
  readonly tee?: IntelTee
  readonly pck?: PckRequest
  readonly td?: Partial<TdModule>
  readonly qe?: Partial<QeReport>
  readonly documents?: Readonly<Partial<Record<CollateralAddress, VendorDocument | Uint8Array | undefined>>>
  readonly marks?: ReadonlyMap<CollateralAddress, RollbackMark>
  readonly rigour?: Partial<IntelRigour>
  readonly context?: Partial<Context>
  readonly anchors?: CollateralInput['anchors']
}

/** A fake Intel whose collateral is judged without a quote in front of it. */
export type CollateralLabOfIntel = {
  readonly intel: FakeIntel
  readonly now: Date
  /** So many milliseconds from now. */
  readonly at: (milliseconds: number) => Date
  readonly input: (changes?: CollateralChanges) => CollateralInput
  readonly judge: (changes?: CollateralChanges) => CollateralJudgement
  /** One of the standard documents for TDX on the usual platform in the place of the healthy one. */
  readonly root: (request: Partial<IntelCrlRequest>) => CollateralChanges
  readonly pck: (request: Partial<IntelCrlRequest>) => CollateralChanges
  readonly info: (request: TcbInfoRequest) => CollateralChanges
  readonly identity: (request: QeIdentityRequest) => CollateralChanges
}

/** The addresses of the healthy documents. */
export const AT = {
  info: tcbInfoAddress('tdx', SIM_FMSPC, 'standard'),
  identity: qeIdentityAddress('tdx', 'standard'),
  pck: pckCrlAddress('platform'),
  root: rootCaCrlAddress,
} as const

/** Builds the lab; `now` is fixed, so that windows can be aimed at. */
export function intelLab(now = new Date('2026-11-23T12:00:00Z')): CollateralLabOfIntel {
  const intel = fakeIntel({ now })
  const usual = intel.pck()
  const input = (changes: CollateralChanges = {}): CollateralInput => {
    const { tee = 'tdx', pck, td, qe, anchors = anchorsOf([], intel.anchors()), marks = new Map() } = changes
    const platform = pck === undefined ? usual : intel.pck(pck)
    const fmspc = Buffer.from(platform.fields.fmspc).toString('hex')
    const healthy = intelCollateral(intel, { tee, fmspc, ca: platform.ca })
    return {
      td: tee === 'tdx' ? { ...HEALTHY_TD, ...td } : undefined,
      platform: platform.fields,
      pck: chainOf(platform),
      qe: { ...healthyQe(tee), ...qe },
      anchors,
      collateral: { documents: documentsOf(healthy, changes), missing: new Map(), marks },
      context: contextOf(now, changes),
    }
  }
  return {
    intel,
    now,
    at: (milliseconds) => new Date(now.getTime() + milliseconds),
    input,
    judge: (changes) => sound(judgeCollateral(input(changes))),
    root: (request) => ({ documents: { [AT.root]: bare(intel.crl({ issuer: 'root', ...request })) } }),
    pck: (request) => ({ documents: { [AT.pck]: pckCrlDocument(intel, { ...request, issuer: 'platform' }) } }),
    info: (request) => ({ documents: { [AT.info]: intel.tcbInfo(request) } }),
    identity: (request) => ({ documents: { [AT.identity]: intel.qeIdentity(request) } }),
  }
}

/** Whatever is judged: there is a verdict exactly where nothing failed, and never beside `undecided`. */
function sound(judgement: CollateralJudgement): CollateralJudgement {
  const { checks, verdict, undecided } = judgement
  const hasFailed = checks.some(({ outcome }) => outcome === 'fail')
  if ((verdict === undefined) !== hasFailed || (undecided !== undefined && !hasFailed)) throw new Error('verdict and checks disagree')
  return judgement
}

/** A document that came without a chain. */
export const bare = (body: Uint8Array): VendorDocument => ({ body, issuerChain: new Uint8Array() })

function chainOf({ ca: issuedBy, chain: [leaf, ca, root] }: FakePck): CollateralInput['pck'] {
  return { issuedBy, leaf: parseCertificate(leaf), ca: parseCertificate(ca), root: parseCertificate(root) }
}

const contextOf = (now: Date, { tee = 'tdx', rigour, context }: CollateralChanges): Context => ({
  now,
  mode: 'test',
  reportData: undefined,
  extraData: undefined,
  memo: freshMemo(),
  ...context,
  rigour: { ...genuineOnly, [tee]: { ...genuineOnly[tee], ...rigour } },
})

/** A critical extension that nobody knows. */
export const UNKNOWN_EXTENSION = { ...extension('1.2.3.4', Uint8Array.of(5, 0)), critical: true }

/** One fault: what it is, the code, and how it is made. */
export type FaultRow = readonly [fault: string, code: string, changes: () => CollateralChanges]

/** What of a TD report is looked at when nothing is wrong. */
const HEALTHY_TD: TdModule = {
  teeTcbSvn: teeTcbSvn(5),
  teeTcbSvn2: undefined,
  mrSignerSeam: new Uint8Array(48),
  seamAttributes: new Uint8Array(8),
}

const healthyQe = (tee: IntelTee): QeReport => ({
  miscSelect: new Uint8Array(4),
  attributes: new Uint8Array(Buffer.from('1500000000000000e700000000000000', 'hex')),
  mrSigner: new Uint8Array(Buffer.from(QE[tee].mrSigner, 'hex')),
  isvProdId: QE[tee].isvProdId,
  isvSvn: 5,
})

function documentsOf(
  healthy: Map<CollateralAddress, Uint8Array>,
  { documents = {} }: CollateralChanges,
): Map<CollateralAddress, Uint8Array> {
  for (const [address, document] of Object.entries(documents) as [CollateralAddress, VendorDocument | Uint8Array | undefined][]) {
    if (document === undefined) healthy.delete(address)
    else healthy.set(address, document instanceof Uint8Array ? document : writeVendorDocument(document))
  }
  return healthy
}

/** The codes of what failed, in order. */
export const failuresOf = ({ checks }: Pick<CollateralJudgement, 'checks'>): readonly string[] =>
  checks.flatMap((check) => (check.outcome === 'fail' ? [check.code] : []))

/** The codes of what was tolerated, in order. */
export const warningsOf = ({ checks }: Pick<CollateralJudgement, 'checks'>): readonly string[] =>
  checks.flatMap((check) => (check.outcome === 'warn' ? [check.code] : []))
