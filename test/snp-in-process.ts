import { pinnedAnchors, testAnchors } from '../src/verifiers/anchors.ts'
import { AttestationError } from '../src/verifiers/problems.ts'
import { verify } from '../src/verifiers/registry.ts'
import { crlAddress } from '../src/verifiers/snp/address.ts'
import {
  genuineOnly,
  type Anchors,
  type Check,
  type Collateral,
  type CollateralAddress,
  type Context,
  type Evidence,
  type FactTable,
  type Finding,
  type Memo,
  type RollbackMark,
} from '../src/verifiers/verifier.ts'
import type { BundleJson, EvidenceItem, SnpCase } from './snp-cases.ts'
import { vectorBytes } from './vectors.ts'

/** Bytes of a base64 text. */
export const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'))

/** What the verifier takes of an evidence item of a request. */
export function evidenceOf(item: EvidenceItem): Evidence {
  if (item.type === 'tsm') {
    const auxblob = item.auxblob === undefined ? {} : { auxblob: bytesOf(item.auxblob) }
    return { type: 'tsm', provider: item.provider, outblob: bytesOf(item.outblob), ...auxblob }
  }
  const table = item.cert_table === undefined ? {} : { certTable: bytesOf(item.cert_table) }
  return { type: 'snp', form: 'report', bytes: bytesOf(item.report), certificates: item.certificates.map(bytesOf), ...table }
}

function factTable<T>(): FactTable<T> {
  const facts = new Map<string, T>()
  return { get: (key) => facts.get(key), set: (key, fact) => facts.set(key, fact) }
}

/** A memo that keeps nothing but what one test puts into it. */
export const freshMemo = (): Memo => ({
  snp: { vek: factTable(), crl: factTable() },
  tdx: { pck: factTable(), qe: factTable(), crl: factTable(), tcbInfo: factTable(), qeIdentity: factTable(), tcb: factTable() },
  tpm: { chain: factTable(), own: factTable(), crl: factTable(), ak: factTable(), key: factTable() },
})

const itemsOf = (bundle: BundleJson | undefined, kind: 'amd-certificate'): readonly Uint8Array[] =>
  (bundle?.items ?? []).flatMap((item) => (item.kind === kind ? [bytesOf(item.der)] : []))

/** AMD's pinned keys, or the test root of the case with the intermediates of its bundle. */
export function anchorsFor({ testRoot, bundle }: Pick<SnpCase, 'testRoot' | 'bundle'>): Anchors {
  if (testRoot === undefined) return pinnedAnchors
  return testAnchors([vectorBytes(testRoot)], itemsOf(bundle, 'amd-certificate'))
}

/** The lists of the case's bundle by address, and the rollback mark that the case tells of. */
export function collateralFor({ bundle, highestSeen }: Pick<SnpCase, 'bundle' | 'highestSeen'>): Collateral {
  const lists = (bundle?.items ?? []).flatMap((item) => (item.kind === 'amd-crl' ? [item] : []))
  const documents = new Map<CollateralAddress, Uint8Array>(
    lists.map((item) => [crlAddress(item.product, item.endpoint), bytesOf(item.der)] as const),
  )
  const mark: RollbackMark | undefined = highestSeen === undefined ? undefined : { number: BigInt(highestSeen), thisUpdate: new Date(0) }
  const marks = new Map<CollateralAddress, RollbackMark>(mark === undefined ? [] : [...documents.keys()].map((address) => [address, mark]))
  return { documents, missing: new Map(), marks }
}

/** The questions of "is it genuine?", at a time. */
export const contextAt = (at: string | Date, more: Partial<Context> = {}): Context => ({
  now: new Date(at),
  mode: 'test',
  reportData: undefined,
  extraData: undefined,
  rigour: genuineOnly,
  memo: freshMemo(),
  ...more,
})

/** A finding, or the error that reading ended with; `codes` are those of all failed checks. */
export type Outcome = {
  readonly finding: Finding | undefined
  readonly error: AttestationError | undefined
  readonly checks: readonly Check[]
  readonly codes: readonly string[]
}

const codesOf = (checks: readonly Check[]): readonly string[] => checks.flatMap((check) => (check.outcome === 'fail' ? [check.code] : []))

/** Everything that a verification may be given. */
export type Trial = { readonly anchors: Anchors; readonly collateral: Collateral; readonly context: Context }

/** Reads and verifies evidence; only AttestationError is caught. */
export async function attempt(evidence: Evidence, { anchors, collateral, context }: Trial): Promise<Outcome> {
  try {
    const unverified = await verify(evidence, anchors, context)
    const finding = await unverified.verify(collateral, context)
    return { finding, error: undefined, checks: finding.checks, codes: codesOf(finding.checks) }
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return { finding: undefined, error, checks: error.checks, codes: [error.code, ...codesOf(error.checks)] }
  }
}

/** The trial that a vector describes. */
export const trialOf = (vector: SnpCase, more: Partial<Context> = {}): Trial => ({
  anchors: anchorsFor(vector),
  collateral: collateralFor(vector),
  context: contextAt(vector.at, more),
})

/** Accepted means: claims were released. */
export const verdictOf = ({ finding }: Outcome): 'pass' | 'fail' => (finding?.claims?.snp === undefined ? 'fail' : 'pass')
