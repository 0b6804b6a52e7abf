import { admitCollateral } from '../verifiers/admission.ts'
import { parseAmdAddress } from '../verifiers/snp/address.ts'
import type { CollateralAddress, RollbackMark } from '../verifiers/verifier.ts'
import { type Certificates, createCertificates } from './certificates.ts'
import type { Answer, CollateralDeps, Deps } from './deps.ts'
import { createLists, type Lists } from './lists.ts'
import type { CollateralRequest, CollateralService, Obtained } from './service.ts'
import { needsDigest } from './needs-digest.ts'
import { createStatus } from './status.ts'

/**
 * Vendor documents from memory, the store or the vendor. Nothing is kept before it has proved genuine, and what is read back proves
 * it again. Certificates are fetched for a request when something pays for it; revocation lists only ever in the background.
 */
export function createCollateralService(options: CollateralDeps): CollateralService {
  const deps: Deps = { random: Math.random, admit: admitCollateral, ...options }
  const certificates = createCertificates(deps)
  const lists = createLists(deps)
  return {
    obtain: (request) => obtain({ certificates, lists }, request),
    remember: ({ offers }) => certificates.remember(offers),
    status: createStatus(deps, lists),
    problems: async () => lists.problems(),
    start: lists.start,
    stop: lists.stop,
  }
}

async function obtain(from: { certificates: Certificates; lists: Lists }, request: CollateralRequest): Promise<Obtained> {
  const needs = [...new Set(request.needs)]
  const pay = payOnce(request, needs)
  const answers = await Promise.all(
    needs.map(async (address): Promise<[CollateralAddress, Answer]> => {
      const kind = parseAmdAddress(address)?.kind
      if (kind === 'crl') return [address, from.lists.answer(address)]
      if (kind === 'vcek')
        return [address, from.certificates.inMemory(address) ?? (await from.certificates.obtain(address, { ...request, pay }))]
      return [address, { missing: 'unavailable' }]
    }),
  )
  return collected(answers, from.lists)
}

/** The challenge is asked once for the whole set, and only when something must be fetched. */
function payOnce(request: CollateralRequest, needs: readonly CollateralAddress[]): () => Promise<boolean> {
  let paid: Promise<boolean> | undefined
  return () => {
    paid ??= request.pay?.(needsDigest(needs)) ?? Promise.resolve(false)
    return paid
  }
}

function collected(answers: readonly [CollateralAddress, Answer][], lists: Lists): Obtained {
  const documents = new Map<CollateralAddress, Uint8Array>()
  const missing = new Map<CollateralAddress, 'not-found' | 'unavailable'>()
  const marks = new Map<CollateralAddress, RollbackMark>()
  const [fetchedAt, expiresAt] = [new Map<CollateralAddress, Date>(), new Map<CollateralAddress, Date>()]
  let retryAfter: number | undefined
  for (const [address, answer] of answers) {
    const mark = lists.mark(address)
    if (mark !== undefined) marks.set(address, mark)
    if ('missing' in answer) {
      missing.set(address, answer.missing)
      retryAfter = Math.max(retryAfter ?? 1, answer.retryAfter ?? UNKNOWN_WAIT)
    } else {
      documents.set(address, answer.bytes)
      fetchedAt.set(address, answer.fetchedAt)
      expiresAt.set(address, answer.expiresAt)
    }
  }
  return { collateral: { documents, missing, marks }, fetchedAt, expiresAt, retryAfter }
}

/** Seconds, where nobody knows better: the pause after which a failed address is asked for again. */
const UNKNOWN_WAIT = 10
