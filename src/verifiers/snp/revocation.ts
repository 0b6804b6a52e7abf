import type { RevocationList } from '../crl.ts'
import { attempt } from '../der-attempt.ts'
import { AttestationError, problemOf, type ProblemCode } from '../problems.ts'
import type { AmdAnchor, Anchors, Check, Collateral, CollateralAddress, Context, RollbackMark } from '../verifier.ts'
import { crlAddress } from './address.ts'
import { proveCrl } from './facts-crl.ts'
import { heldDigestOf } from '../digests.ts'
import { factKey } from './facts.ts'
import { failed, passed, skipped } from '../checks.ts'

/** The chain whose authorities may be revoked, and all that the lists are judged by. */
export type RevocationInput = {
  readonly issuer: AmdAnchor
  readonly root: AmdAnchor
  readonly anchors: Anchors
  readonly collateral: Collateral
  readonly context: Context
}

/** SNP-36: one check for each endpoint. `validUntil`: when the first of the lists that were relied on ends, grace included. */
export type Revocation = { readonly checks: readonly Check[]; readonly validUntil: readonly Date[] }

const ENDPOINTS = ['vcek', 'vlek'] as const
type Endpoint = (typeof ENDPOINTS)[number]

const ruleFor = (endpoint: Endpoint, code: ProblemCode) =>
  ({
    id: 'SNP-36',
    title: `Revocation list of the ${endpoint} endpoint`,
    code,
    expected: 'a current list, signed by the root, on which neither root nor intermediate stand',
  }) as const

/**
 * Judges the lists of both endpoints of the chain's product (specification snp.md section 8, design section 7): a serial on either
 * revokes, since nothing inside a list says which endpoint it belongs to. VEKs are never looked up: all have serial 0 (SNP-37).
 */
export function checkRevocation(input: RevocationInput): Revocation {
  const checks: Check[] = []
  const validUntil: Date[] = []
  for (const endpoint of ENDPOINTS) {
    const { check, until } = checkEndpoint(input, endpoint)
    checks.push(check)
    if (until !== undefined) validUntil.push(until)
  }
  return { checks, validUntil }
}

type EndpointResult = { readonly check: Check; readonly until?: Date }

function checkEndpoint(input: RevocationInput, endpoint: Endpoint): EndpointResult {
  const { collateral, context } = input
  const address = crlAddress(input.issuer.product, endpoint)
  const bytes = collateral.documents.get(address)
  if (context.rigour.snp.revocation === 'DANGEROUSLY_OFF') return { check: unasked(input, endpoint, bytes) }
  if (bytes === undefined) return { check: absent(input, endpoint, address) }
  const list = attempt(() => readList(bytes, endpoint, input))
  if (list instanceof AttestationError) return { check: failed(ruleFor(endpoint, list.code), list.message) }
  const fault = faultOf(list, input, collateral.marks.get(address))
  if (fault !== undefined) return { check: failed(ruleFor(endpoint, fault.code), fault.why) }
  return { check: passed(ruleFor(endpoint, 'snp-crl-unavailable'), list.text), until: endOf(list, context) }
}

/**
 * What a policy that asks for no list cannot turn off: a genuine list at hand that names an authority of the chain (design section 3, floor).
 * Nothing else about a list counts then, and a list that names none is no proof of anything.
 */
function unasked(input: RevocationInput, endpoint: Endpoint, bytes: Uint8Array | undefined): Check {
  const list = bytes === undefined ? undefined : attempt(() => readList(bytes, endpoint, input))
  const found = list === undefined || list instanceof AttestationError ? undefined : revocationOn(list, input)
  if (found !== undefined) return failed(ruleFor(endpoint, found.code), found.why)
  return skipped(ruleFor(endpoint, 'snp-crl-unavailable'), 'not asked: the policy turns revocation off')
}

/** Absence is tolerated only in mode `prefer`, and only until a list was once seen. */
function absent({ collateral, context }: RevocationInput, endpoint: Endpoint, address: CollateralAddress): Check {
  const seen = collateral.marks.has(address)
  if (context.rigour.snp.revocation === 'prefer' && !seen) return notChecked(endpoint, 'no list is at hand, and none was ever seen')
  return failed(ruleFor(endpoint, 'snp-crl-unavailable'), seen ? 'no list is at hand, though one was seen before' : 'no list is at hand')
}

const notChecked = (endpoint: Endpoint, why: string): Check => {
  const { id, title, code, expected } = ruleFor(endpoint, 'snp-crl-unavailable')
  return { id, title, outcome: 'warn', code, actual: why, expected, origin: 'specification', remedy: problemOf(code).remedy }
}

/** A list whose signature is proven, from memory if these bytes were proven before. */
function readList(bytes: Uint8Array, endpoint: Endpoint, { root, anchors, context }: RevocationInput): RevocationList {
  // Beside a pinned root there may be one of a test with the same name: what one has signed is not proven for the other.
  const role = `${root.origin}/${root.commonName}/${endpoint}`
  const key = factKey({ fact: 'snp-crl/1', mode: context.mode, anchors: anchors.digest, role }, heldDigestOf(bytes))
  const known = context.memo.snp.crl.get(key)
  if (known !== undefined) return known
  const list = proveCrl(bytes, root)
  context.memo.snp.crl.set(key, list)
  return list
}

type Fault = { readonly code: ProblemCode; readonly why: string }

/** What is wrong with a genuine list, the gravest first: a revocation that was found counts whatever else is wrong. */
function faultOf(list: RevocationList, input: RevocationInput, mark: RollbackMark | undefined): Fault | undefined {
  if (list.notUnderstood !== undefined)
    return { code: 'snp-crl-unavailable', why: `the list has extension ${list.notUnderstood}, which is not understood` }
  const revoked = revocationOn(list, input)
  if (revoked !== undefined) return revoked
  if (isRollback(list, mark)) return { code: 'snp-crl-rollback', why: `${list.text}; ${describeMark(mark)} was seen before` }
  return faultOfWindow(list, input.context)
}

/** An authority of the chain on a list that is understood. A list that is not says nothing of anybody (RFC 5280 section 5.2). */
function revocationOn(list: RevocationList, { issuer, root }: Pick<RevocationInput, 'issuer' | 'root'>): Fault | undefined {
  if (list.notUnderstood !== undefined) return undefined
  if (list.isRevoked(root.serial)) return { code: 'snp-root-revoked', why: `${root.commonName}, serial ${root.serial}, is revoked` }
  if (list.isRevoked(issuer.serial))
    return { code: 'snp-intermediate-revoked', why: `${issuer.commonName}, serial ${issuer.serial}, is revoked` }
  return undefined
}

function faultOfWindow(list: RevocationList, context: Context): Fault | undefined {
  if (!(list.thisUpdate.getTime() <= context.now.getTime() + skewMs(context))) return { code: 'snp-crl-not-yet-valid', why: list.text }
  return context.now < endOf(list, context) ? undefined : { code: 'snp-crl-expired', why: list.text }
}

/** Clocks may differ by five minutes at most (SNP-33). */
const skewMs = ({ rigour }: Context): number => Math.min(Math.max(rigour.snp.skewSeconds, 0), 300) * 1000

/** When a list counts as expired: nextUpdate and the policy's grace; at once where it does not say. */
const endOf = ({ nextUpdate }: RevocationList, { rigour }: Context): Date =>
  new Date(nextUpdate === undefined ? 0 : nextUpdate.getTime() + Math.max(rigour.snp.crlGraceSeconds, 0) * 1000)

/** Older than the newest ever accepted, by number or by date; a mark that could not be read is newer than anything. */
function isRollback({ number, thisUpdate }: RevocationList, mark: RollbackMark | undefined): boolean {
  if (mark === undefined) return false
  return mark === 'strictest' || (number ?? 0n) < mark.number || !(mark.thisUpdate <= thisUpdate)
}

const describeMark = (mark: RollbackMark | undefined): string =>
  mark === undefined || mark === 'strictest' ? 'a list of unknown number' : `number ${mark.number} of ${mark.thisUpdate.toISOString()}`
