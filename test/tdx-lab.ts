import { createHash } from 'node:crypto'
import { appraise } from '../src/appraisal/appraise.ts'
import { readPolicy } from '../src/appraisal/read-policy.ts'
import { rigourOf } from '../src/appraisal/rigour.ts'
import { SIM_ENCLAVE } from '../src/simulator/enclave-report.ts'
import type { IntelCrlRequest } from '../src/simulator/intel-crl.ts'
import { SIM_FMSPC, type QeIdentityRequest, type TcbInfoRequest } from '../src/simulator/intel-documents.ts'
import { fakeSgxHost, fakeTdxHost, type FakeIntelHost, type QuoteChanges, type TdxHostOptions } from '../src/simulator/intel-hosts.ts'
import { fakeIntel, pckCrlDocument, type FakeIntel } from '../src/simulator/intel.ts'
import { SIM_MRTD } from '../src/simulator/td-report.ts'
import { anchorsOf } from '../src/verifiers/anchors.ts'
import { AttestationError } from '../src/verifiers/problems.ts'
import { verify } from '../src/verifiers/registry.ts'
import { pckCrlAddress, qeIdentityAddress, rootCaCrlAddress, tcbInfoAddress, type IntelTee } from '../src/verifiers/tdx/address.ts'
import { writeVendorDocument, type VendorDocument } from '../src/verifiers/tdx/document.ts'
import type {
  Anchors,
  Check,
  Claims,
  CollateralAddress,
  Context,
  Evidence,
  Finding,
  Mode,
  RollbackMark,
} from '../src/verifiers/verifier.ts'
import { freshMemo } from './snp-in-process.ts'

/** What is put before the verifier and the policy. What is left out is as it should be. */
export type TdxExhibit = {
  readonly quote: Uint8Array
  readonly tee?: IntelTee
  readonly certificates?: readonly Uint8Array[]
  readonly eventLog?: Uint8Array
  readonly runtimeLog?: Uint8Array
  readonly initdata?: Uint8Array
  readonly anchors?: Anchors
  readonly mode?: Mode
  readonly at?: Date
  readonly reportData?: Uint8Array
  readonly documents?: ReadonlyMap<CollateralAddress, Uint8Array>
  readonly marks?: ReadonlyMap<CollateralAddress, RollbackMark>
  /** Members of the policy's `tdx` or `sgx`; default: the strict preset with the simulator's measurements. */
  readonly policy?: Readonly<Record<string, unknown>>
}

/** The answer: `accepted`, or the code that answers for the refusal; every check, and the claims if there are any. */
type TdxAnswer = {
  readonly code: string
  readonly checks: readonly Check[]
  readonly tcb: string | undefined
  readonly claims: Claims | undefined
  readonly warnings: readonly string[]
}

/** How the documents differ from those of a healthy Intel. A document that is `absent` is not at hand; bytes are put in its place. */
export type DocumentChanges = {
  readonly tee?: IntelTee
  readonly ca?: 'platform' | 'processor'
  readonly fmspc?: string
  readonly tcbInfo?: TcbInfoRequest | VendorDocument | 'absent'
  readonly qeIdentity?: QeIdentityRequest | VendorDocument | 'absent'
  readonly pckCrl?: Partial<IntelCrlRequest> | Uint8Array | 'absent'
  readonly rootCrl?: Partial<IntelCrlRequest> | Uint8Array | 'absent'
}

/** A fake Intel with everything that a row of the matrix needs around it. */
export type TdxLab = {
  readonly intel: FakeIntel
  readonly now: Date
  /** A host whose platform is fully patched. */
  readonly td: FakeIntelHost
  readonly td15: FakeIntelHost
  readonly enclave: FakeIntelHost
  readonly host: (options: TdxHostOptions) => FakeIntelHost
  /** A quote over zeros. */
  readonly quote: (changes?: QuoteChanges, host?: FakeIntelHost) => Uint8Array
  readonly documents: (changes?: DocumentChanges) => Map<CollateralAddress, Uint8Array>
  readonly judge: (exhibit: TdxExhibit) => Promise<TdxAnswer>
}

/** Builds a lab; `now` is fixed, so that windows can be aimed at. */
export function tdxLab(now = new Date('2026-11-23T12:00:00Z')): TdxLab {
  const intel = fakeIntel({ now })
  const td = fakeTdxHost(intel)
  const documents = (changes: DocumentChanges = {}) => documentsOf(intel, changes)
  const anchors = anchorsOf([], intel.anchors())
  const healthy = { tdx: documents(), sgx: documents({ tee: 'sgx' }) }
  return {
    intel,
    now,
    td,
    td15: fakeTdxHost(intel, { body: 'td-report-1.5' }),
    enclave: fakeSgxHost(intel),
    host: (options) => fakeTdxHost(intel, options),
    quote: (changes, host = td) => host.quote(new Uint8Array(64), changes),
    documents,
    judge: ({ tee = 'tdx', ...exhibit }) =>
      judge({ tee, anchors, at: now, documents: healthy[tee], marks: new Map(), mode: 'test', policy: {}, ...exhibit }),
  }
}

const bare = (der: Uint8Array): VendorDocument => ({ body: der, issuerChain: new Uint8Array() })
const HEALTHY = {
  tee: 'tdx',
  ca: 'platform',
  fmspc: SIM_FMSPC,
  tcbInfo: {},
  qeIdentity: {},
  pckCrl: {},
  rootCrl: {},
} as const satisfies DocumentChanges

function documentsOf(intel: FakeIntel, changes: DocumentChanges): Map<CollateralAddress, Uint8Array> {
  const { tee, ca, fmspc, tcbInfo, qeIdentity, pckCrl, rootCrl } = { ...HEALTHY, ...changes }
  const made: readonly (readonly [CollateralAddress, VendorDocument | 'absent'])[] = [
    [tcbInfoAddress(tee, fmspc, 'standard'), isMade(tcbInfo) ? tcbInfo : intel.tcbInfo({ tee, fmspc, ...tcbInfo })],
    [qeIdentityAddress(tee, 'standard'), isMade(qeIdentity) ? qeIdentity : intel.qeIdentity({ tee, ...qeIdentity })],
    [pckCrlAddress(ca), listOf(pckCrl, (request) => pckCrlDocument(intel, { ...request, issuer: pckIssuer(request, ca) }))],
    [rootCaCrlAddress, listOf(rootCrl, (request) => bare(intel.crl({ issuer: 'root', ...request })))],
  ]
  return new Map(made.flatMap(([address, document]) => (document === 'absent' ? [] : [[address, writeVendorDocument(document)]])))
}

const pckIssuer = ({ issuer }: Partial<IntelCrlRequest>, ca: 'platform' | 'processor') =>
  issuer === 'platform' || issuer === 'processor' ? issuer : ca

const isMade = (change: object | 'absent'): change is VendorDocument | 'absent' => change === 'absent' || 'body' in change

function listOf(
  change: Partial<IntelCrlRequest> | Uint8Array | 'absent',
  make: (request: Partial<IntelCrlRequest>) => VendorDocument,
): VendorDocument | 'absent' {
  if (change === 'absent') return change
  return change instanceof Uint8Array ? bare(change) : make(change)
}

type Prepared = TdxExhibit & Required<Pick<TdxExhibit, 'tee' | 'anchors' | 'at' | 'documents' | 'marks' | 'mode' | 'policy'>>

async function judge(exhibit: Prepared): Promise<TdxAnswer> {
  const policy = readPolicy(JSON.stringify(policyText(exhibit)), 'matrix')
  const { at: now, mode, reportData, tee } = exhibit
  const context: Context = { now, mode, reportData, extraData: undefined, rigour: rigourOf(policy.document), memo: freshMemo() }
  try {
    const finding = await find(exhibit, context)
    const { code, appraisal } = appraise({ ...INPUT, mode, policy, items: [{ type: tee, finding, fresh: true }] })
    const checks = appraisal.evidence.flatMap((item) => item.checks)
    const answer = appraisal.status === 'affirming' ? 'accepted' : `status ${appraisal.status}`
    return { code: code ?? answer, checks, tcb: tcbOf(finding), claims: finding.claims, warnings: warningsOf(checks) }
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return { code: error.code, checks: error.checks, tcb: undefined, claims: undefined, warnings: warningsOf(error.checks) }
  }
}

async function find(exhibit: Prepared, context: Context): Promise<Finding> {
  const { documents, marks } = exhibit
  const unverified = await verify(evidenceOf(exhibit), exhibit.anchors, context)
  const missing = new Map(unverified.needs.flatMap((address) => (documents.has(address) ? [] : [[address, 'unavailable'] as const])))
  return unverified.verify({ documents, missing, marks }, context)
}

const tcbOf = ({ claims }: Finding): string | undefined => (claims?.tdx ?? claims?.sgx)?.tcb.status

const warningsOf = (checks: readonly Check[]): readonly string[] =>
  checks.flatMap((check) => (check.outcome === 'warn' ? [check.code] : []))

const INPUT = {
  id: 'matrix',
  freshness: 'none',
  keyBinding: 'not-asked',
  evidenceDigest: createHash('sha256').digest('hex'),
  collateral: { digest: '', oldest_fetch: null, earliest_expiry: null },
} as const

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const policyText = ({ tee, policy }: Prepared) => ({
  name: 'matrix',
  tdx: { mr_td: [hex(SIM_MRTD)], ...(tee === 'tdx' ? policy : {}) },
  sgx: { mr_enclave: [hex(SIM_ENCLAVE.mrEnclave)], ...(tee === 'sgx' ? policy : {}) },
})

function evidenceOf({ tee, quote, certificates = [], eventLog, runtimeLog, initdata }: Prepared): Evidence {
  if (tee === 'sgx') return { type: 'sgx', quote, certificates }
  return {
    type: 'tdx',
    quote,
    certificates,
    ...(eventLog === undefined ? {} : { eventLog }),
    ...(runtimeLog === undefined ? {} : { runtimeLog }),
    ...(initdata === undefined ? {} : { initdata }),
  }
}
