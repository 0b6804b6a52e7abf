import { AttestationError } from '../verifiers/problems.ts'

/** How fast a long body must arrive. Only the time that its sender is waited for counts: whoever judges it may be slow. */
export const PACE = {
  /** Milliseconds until bytes must have come at the rate below, and at most between two portions. */
  patienceMs: 10_000,
  /** On average, from then on. A shorter list than 640 KiB has no other limit than ordinary requests have. */
  bytesPerSecond: 64 * 1024,
  /** Milliseconds in all: the quote comes before the list, and the token that follows must not tell of a host as it was long ago. */
  mostMs: 120_000,
} as const

/**
 * The portions of a body, as long as they come fast enough. Throws `request-timeout`, after which nobody waits for the next portion any
 * more, and what reading them throws.
 */
export async function* paced(portions: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const source = portions[Symbol.asyncIterator]()
  let [waited, bytes, isWaiting] = [0, 0, true]
  const next = async (): Promise<Uint8Array | undefined> => {
    const began = performance.now()
    isWaiting = true
    const { done, value } = await within(leftOf(waited, bytes), source.next())
    isWaiting = false
    waited += performance.now() - began
    if (done === true) return undefined
    bytes += value.byteLength
    return value
  }
  try {
    for (let portion = await next(); portion !== undefined; portion = await next()) yield portion
  } finally {
    // Not where the time is over: the source would wait for the portion that does not come.
    if (!isWaiting) await source.return?.()
  }
}

/** Milliseconds that the next portion may take. */
function leftOf(waited: number, bytes: number): number {
  const { patienceMs, bytesPerSecond, mostMs } = PACE
  return Math.min(patienceMs, patienceMs + (bytes / bytesPerSecond) * 1000 - waited, mostMs - waited)
}

async function within<T>(milliseconds: number, next: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(new AttestationError('request-timeout', 'the body arrives too slowly', { at: 'body' })),
    milliseconds,
  )
  try {
    return await Promise.race([next, late])
  } finally {
    clearTimeout(timer)
  }
}
