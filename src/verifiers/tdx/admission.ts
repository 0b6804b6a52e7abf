import type { Admitted } from '../admission.ts'
import { parseCrl, type RevocationList } from '../crl.ts'
import { readable } from '../der-attempt.ts'
import { hexOf } from '../der-values.ts'
import { AttestationError } from '../problems.ts'
import type { Anchors, CollateralAddress } from '../verifier.ts'
import { parseIntelAddress, type IntelDocument } from './address.ts'
import { INTEL_CN, isIntelName, type TrustScope } from './certificate-rules.ts'
import { checkDates, datesRule, type Window } from './certificate-dates.ts'
import { checkWindow, datedOf, type Dated, type WindowRule } from './collateral-dates.ts'
import { readVendorDocument, type VendorDocument } from './document.ts'
import { QE_IDENTITY } from './qe-identity.ts'
import { listCode, proveList } from './revocation-list.ts'
import { proveAnew, type DocumentKind, type Issued } from './signed-document.ts'
import { proveIssuerChain } from './signing-chain.ts'
import { QE_ID } from './tcb-identity.ts'
import { TCB_INFO } from './tcb-info.ts'

/** A document that is to be kept: the bytes as fetched, imported or read back. */
type Candidate = { readonly address: CollateralAddress; readonly bytes: Uint8Array }
/** By what it is judged. */
type Grounds = { readonly anchors: Anchors; readonly mode: TrustScope['mode']; readonly now: Date }
/** A genuine document: when it was issued and ends, and the certificates that it stands on. */
type Genuine = { readonly dated: Dated; readonly windows: readonly Window[]; readonly rule: WindowRule }

/** Clocks may differ by five minutes at most (specification tdx.md section 5.7): what begins so soon is kept already, and judged when it is used. */
const RIGOUR = { skewSeconds: 300, collateralGraceSeconds: 0 } as const

/**
 * Proves that bytes are the genuine document that an `intel/…` address names (see admitCollateral), and current. Which `update` a document is of,
 * it does not say. A mark holds the date alone, since the number of every list of Intel's is 1. Throws AttestationError with the code of what is wrong.
 */
export async function admitIntel({ address, bytes }: Candidate, anchors: Anchors, now: Date): Promise<Admitted> {
  const named = parseIntelAddress(address)
  if (named === undefined) throw new AttestationError('collateral-unavailable', `${address} names no document of Intel’s`)
  // Only a process that has test roots may keep what they have signed; without them this is what production asks.
  const mode = anchors.intel.some(({ origin }) => origin === 'test') ? 'test' : 'production'
  const { dated, windows, rule } = prove(named, bytes, { anchors, mode, now })
  const scope = { now, rigour: RIGOUR }
  const checks = [...(windows.length > 0 ? checkDates(datesRule(address), windows, now) : []), checkWindow(rule, dated, scope).check]
  const fault = checks.find((check) => check.outcome === 'fail')
  if (fault?.outcome === 'fail') throw new AttestationError(fault.code, fault.actual ?? fault.title, { at: fault.id, checks })
  const ends = [dated.until, ...windows.map(({ notAfter }) => notAfter)].flatMap((end) => (end === undefined ? [] : [end.getTime()]))
  return { expiresAt: new Date(Math.min(...ends)), mark: { number: 0n, thisUpdate: dated.from } }
}

function prove(named: IntelDocument, bytes: Uint8Array, grounds: Grounds): Genuine {
  if (named.kind === 'tcb-info') return proveTcbInfo(named, bytes, grounds)
  if (named.kind === 'qe-identity') return proveQeIdentity(named, bytes, grounds)
  const document = readVendorDocument(bytes)
  return named.kind === 'pck-crl' ? provePckList(named, document, grounds) : proveRootList(document, grounds)
}

type Named<K extends IntelDocument['kind']> = Extract<IntelDocument, { readonly kind: K }>

function proveTcbInfo({ tee, fmspc }: Named<'tcb-info'>, bytes: Uint8Array, grounds: Grounds): Genuine {
  const { document, dated, windows } = proveSigned(bytes, TCB_INFO, grounds)
  if (document.tee !== tee) throw new AttestationError('tdx-tcb-info-mismatch', `the TCB info is for ${document.tee}, not ${tee}`)
  const actual = hexOf(document.fmspc)
  if (actual !== fmspc) throw new AttestationError('tdx-fmspc-mismatch', `the TCB info is for ${actual}, not ${fmspc}`)
  return { dated, windows, rule: { ...CURRENT, id: 'TDX-32', early: 'tdx-tcb-info-not-yet-valid', late: 'tdx-tcb-info-expired' } }
}

function proveQeIdentity({ tee }: Named<'qe-identity'>, bytes: Uint8Array, grounds: Grounds): Genuine {
  const { document, dated, windows } = proveSigned(bytes, QE_IDENTITY, grounds)
  if (document.id !== QE_ID[tee]) throw new AttestationError('tdx-qe-identity-mismatch', `the identity is that of ${document.id}`)
  return { dated, windows, rule: { ...CURRENT, id: 'TDX-33', early: 'tdx-qe-identity-not-yet-valid', late: 'tdx-qe-identity-expired' } }
}

const CURRENT = { title: 'The document is current' } as const
const LIST_CURRENT: WindowRule = { ...CURRENT, id: 'TDX-31', early: 'tdx-crl-not-yet-valid', late: 'tdx-crl-expired' }

function proveSigned<T extends Issued>(
  bytes: Uint8Array,
  kind: DocumentKind<T>,
  grounds: Grounds,
): Omit<Genuine, 'rule'> & { readonly document: T } {
  const proof = proveAnew(bytes, kind, grounds)
  if ('untrusted' in proof) throw proof.untrusted
  if ('unproven' in proof) throw proof.unproven
  return { document: proof.document, dated: proof.dated, windows: proof.chain.windows }
}

/** The authority's certificate comes with the list and must itself stand under a pinned root. */
function provePckList({ ca }: Named<'pck-crl'>, { issuerChain, body }: VendorDocument, grounds: Grounds): Genuine {
  const { first, windows } = proveIssuerChain(issuerChain, ca, grounds)
  return { dated: windowOf(proveList(body, 'pck', first)), windows, rule: LIST_CURRENT }
}

/** Under the first pinned key that it verifies under: beside the pinned root there may be one of a test. */
function proveRootList({ body }: VendorDocument, { anchors }: Grounds): Genuine {
  const { issuer, issuerDer } = parseCrl(body, { what: 'root-crl', code: listCode('root', 'malformed') })
  if (!isIntelName(issuer, INTEL_CN.root)) throw new AttestationError(listCode('root', 'issuer-mismatch'), 'the list is not the root’s')
  const lists = anchors.intel.map(
    ({ spki }) =>
      () =>
        proveList(body, 'root', { subjectDer: issuerDer, spki }),
  )
  const list = lists.map((proveOne) => readable(proveOne)).find((one) => one !== undefined) ?? lists[0]?.()
  if (list === undefined) throw new AttestationError('tdx-root-ca-untrusted', 'no root of Intel’s is pinned')
  return { dated: windowOf(list), windows: [], rule: LIST_CURRENT }
}

const windowOf = ({ thisUpdate, nextUpdate }: RevocationList): Dated => datedOf(thisUpdate, nextUpdate)
