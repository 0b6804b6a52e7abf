import { admitCollateral } from '../verifiers/admission.ts'
import type { CollateralAddress, RollbackMark } from '../verifiers/verifier.ts'
import { keepingOf } from './address.ts'
import { type Certificates, createCertificates } from './certificates.ts'
import { createDatedDocuments, type DatedDocuments, type PayingCaller } from './dated.ts'
import type { Answer, CollateralDeps, Deps } from './deps.ts'
import type { CollateralRequest, CollateralService, Obtained } from './service.ts'
import { needsDigest } from './needs-digest.ts'
import { createStatus } from './status.ts'

type Rooms = { readonly certificates: Certificates; readonly dated: DatedDocuments }

/**
 * Vendor documents from memory, the store or the vendor. Nothing is kept before it has proved genuine, and what is read back proves
 * it again. Certificates and documents of one family of platforms are fetched for a request when something pays for it; revocation lists
 * and what else is standing only ever in the background.
 */
export function createCollateralService(options: CollateralDeps): CollateralService {
  const deps: Deps = { random: Math.random, admit: admitCollateral, ...options }
  const rooms = { certificates: createCertificates(deps), dated: createDatedDocuments(deps) }
  return {
    obtain: (request) => obtain(rooms, request),
    remember: async ({ offers, needs, wants = [] }) => {
      rooms.dated.follow([...needs, ...wants])
      await rooms.certificates.remember(offers)
    },
    status: createStatus(deps, rooms.dated),
    problems: async () => rooms.dated.problems(),
    start: rooms.dated.start,
    stop: rooms.dated.stop,
  }
}

async function obtain(rooms: Rooms, request: CollateralRequest): Promise<Obtained> {
  const needs = [...new Set(request.needs)]
  const caller = { ...request, pay: payOnce(request, needs) }
  const answers: [CollateralAddress, Answer][] = []
  // One after the other: one prefix holds one fetch at a time.
  for (const address of needs) answers.push([address, inMemory(rooms, address) ?? (await fetched(rooms, address, caller))])
  for (const address of request.wants ?? []) {
    const held = await rooms.dated.ifHeld(address)
    if (held !== undefined) answers.push([address, held])
  }
  return collected(answers, rooms.dated)
}

const inMemory = ({ certificates, dated }: Rooms, address: CollateralAddress): Answer | undefined =>
  dated.inMemory(address) ?? certificates.inMemory(address)

function fetched({ certificates, dated }: Rooms, address: CollateralAddress, caller: PayingCaller): Promise<Answer> {
  return keepingOf(address)?.life === 'immutable' ? certificates.obtain(address, caller) : dated.obtain(address, caller)
}

/** The challenge is asked once for the whole set, and only when something must be fetched. */
function payOnce(request: CollateralRequest, needs: readonly CollateralAddress[]): () => Promise<boolean> {
  let paid: Promise<boolean> | undefined
  return () => {
    paid ??= request.pay?.(needsDigest(needs)) ?? Promise.resolve(false)
    return paid
  }
}

function collected(answers: readonly [CollateralAddress, Answer][], dated: DatedDocuments): Obtained {
  const documents = new Map<CollateralAddress, Uint8Array>()
  const missing = new Map<CollateralAddress, 'not-found' | 'unavailable'>()
  const marks = new Map<CollateralAddress, RollbackMark>()
  const [fetchedAt, expiresAt] = [new Map<CollateralAddress, Date>(), new Map<CollateralAddress, Date>()]
  let retryAfter: number | undefined
  for (const [address, answer] of answers) {
    const mark = dated.mark(address)
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
