import { failed, passed, skipped } from '../checks.ts'
import { equalBytes, hexOf } from '../der-values.ts'
import type { Check } from '../verifier.ts'
import { regressionOf } from './clock-order.ts'
import type { PreviousQuote, QuoteClock } from './context.ts'
import type { AkFact } from './facts.ts'
import type { ReadQuote } from './read.ts'

const SIGNER = { id: 'TPM-15', title: 'The key is where its issuer keeps it in the TPM', code: 'tpm-qualified-signer-mismatch' } as const
const NONCE = { id: 'TPM-32', title: 'extraData is the value that the request binds', code: 'tpm-nonce-mismatch' } as const
const CONSISTENT = {
  id: 'TPM-38',
  title: 'All quotes are of one key, nonce and boot',
  code: 'tpm-quotes-inconsistent',
  expected: 'qualifiedSigner, extraData, resetCount, restartCount and values alike',
} as const
const CLOCK = { id: 'TPM-39', title: 'Clock and counters have not gone back since the last quote', code: 'tpm-clock-regressed' } as const

/** What a quote’s qualified signer was found to be. null: the parent of the key is not known. */
export type SignerJudgement = { readonly check: Check; readonly isEndorsementPrimary: boolean | null }

/**
 * TPM-15 (specification tpm.md section 3.3). Google’s attestation keys are primary objects of the endorsement hierarchy; of others the place is
 * not known, but one that is such an object shows it, since the TPM signed its qualified name.
 */
export function checkSigner([first]: readonly ReadQuote[], ak: AkFact, issuer: 'google' | 'other'): SignerJudgement {
  if (ak.area === undefined || first === undefined) return { check: skipped(SIGNER, 'no public area'), isEndorsementPrimary: null }
  const rule = { ...SIGNER, expected: ak.area.endorsementPrimary }
  const actual = hexOf(first.attest.qualifiedSigner)
  if (actual === rule.expected) return { check: passed(rule, actual), isEndorsementPrimary: true }
  if (issuer === 'google') return { check: failed(rule, actual), isEndorsementPrimary: false }
  return { check: skipped(SIGNER, 'the parent of the key is not known'), isEndorsementPrimary: null }
}

/** TPM-32: the whole of extraData, its length too. An empty value is never one that was asked for. */
export function checkNonce(quotes: readonly ReadQuote[], expected: Uint8Array | undefined): Check {
  if (expected === undefined) return skipped(NONCE, 'not asked')
  const rule = { ...NONCE, expected: hexOf(expected) || 'nothing, which is no nonce' }
  const holds = expected.length > 0 && quotes.every(({ attest }) => equalBytes(attest.extraData, expected))
  const actual = quotes.map(({ attest }) => hexOf(attest.extraData)).join(', ')
  return holds ? passed(rule, actual) : failed(rule, actual)
}

/** TPM-38. `conflict` names a PCR that two quotes give two values. */
export function checkConsistency(quotes: readonly ReadQuote[], conflict: string | undefined): Check {
  const differing = DIFFERENCES.filter(({ of }) => new Set(quotes.map(({ attest }) => of(attest))).size > 1).map(({ name }) => name)
  const faults = [...differing, ...(conflict === undefined ? [] : [conflict])]
  return faults.length === 0 ? passed(CONSISTENT, `${quotes.length} quotes`) : failed(CONSISTENT, `other ${faults.join(', ')}`)
}

type Field = { readonly name: string; readonly of: (attest: ReadQuote['attest']) => string | number }
const DIFFERENCES: readonly Field[] = [
  { name: 'qualifiedSigner', of: ({ qualifiedSigner }) => hexOf(qualifiedSigner) },
  { name: 'extraData', of: ({ extraData }) => hexOf(extraData) },
  { name: 'resetCount', of: ({ clockInfo }) => clockInfo.resetCount },
  { name: 'restartCount', of: ({ clockInfo }) => clockInfo.restartCount },
]

/** The clock of quotes that are of one boot: the latest, and whether it was safe in all of them. */
export type QuotesClock = { readonly latest: QuoteClock; readonly isSafe: boolean }

/** Quotes of one boot differ in their clock alone. */
export function clockOf(quotes: readonly ReadQuote[]): QuotesClock {
  const infos = quotes.map(({ attest }) => attest.clockInfo)
  const { clock, resetCount, restartCount } = infos.reduce((a, b) => (b.clock > a.clock ? b : a))
  return { latest: { clock, resetCount, restartCount }, isSafe: infos.every(({ safe }) => safe) }
}

/** TPM-39, the part of it that needs no policy. `rebooted` is null where nothing was compared. */
export type ClockJudgement = { readonly check: Check; readonly rebooted: boolean | null }

/** No quote may be earlier than the last one that was accepted (section 5). */
export function checkClock(quotes: readonly ReadQuote[], previous: PreviousQuote | undefined): ClockJudgement {
  if (previous === undefined) return { check: skipped(CLOCK, 'nothing to compare with'), rebooted: null }
  const actual = quotes.map(({ attest }) => formatClock(attest.clockInfo)).join(', ')
  if (previous === 'strictest') {
    return { check: failed({ ...CLOCK, expected: 'a record of the last quote that can be read' }, actual), rebooted: null }
  }
  const rule = { ...CLOCK, expected: `not before ${formatClock(previous)}` }
  const regressed = quotes.flatMap(({ attest }) => regressionOf(previous, attest.clockInfo) ?? [])
  if (regressed.length > 0) return { check: failed(rule, `${actual}: ${regressed.join(', ')} went back`), rebooted: null }
  return { check: passed(rule, actual), rebooted: quotes.some(({ attest }) => attest.clockInfo.resetCount !== previous.resetCount) }
}

const formatClock = ({ clock, resetCount, restartCount }: QuoteClock): string =>
  `clock ${clock}, reset ${resetCount}, restart ${restartCount}`
