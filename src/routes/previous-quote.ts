import type { ActivePolicy } from '../appraisal/policy-set.ts'
import { AttestationError } from '../verifiers/problems.ts'
import type { PreviousQuote } from '../verifiers/tpm/context.ts'
import type { Finding, Unverified } from '../verifiers/verifier.ts'
import type { Services } from './services.ts'

const compares = ({ document }: ActivePolicy): boolean => document.tpm.clock.compare_to_previous === 'yes'

/** The last accepted quote of the key that signed, where the policy compares (specification tpm.md section 5). Throws `not-ready`. */
export const previousQuote = async (
  { akId }: Unverified,
  policy: ActivePolicy,
  { quotes }: Services,
): Promise<PreviousQuote | undefined> => (akId === undefined || !compares(policy) ? undefined : quotes.last(akId))

/**
 * Keeps the clock of a quote that is about to get a token. Throws `tpm-clock-regressed` where a later one of the same key was accepted
 * meanwhile: of two that are judged at once, the older must not come after the newer. Throws `not-ready` where it cannot be kept.
 */
export async function keepQuote({ remains }: Finding, policy: ActivePolicy, { quotes }: Services): Promise<void> {
  if (remains === undefined || !compares(policy)) return
  if ((await quotes.advance(remains.akId, remains.quote)) === 'kept') return
  throw new AttestationError('tpm-clock-regressed', 'a later quote of this key was accepted meanwhile', { at: 'evidence' })
}
