import type { Readable } from 'node:stream'

/** The body of a request on its way. It is read once. */
export type Body = AsyncIterable<Uint8Array> & {
  /**
   * Hands over each portion as it arrives, and resolves at the end. Rejects with what `take` throws, after which nothing more is read, and
   * with {@link Broken} when the connection ends first. Absent where iterating is the only way, which costs four promises a portion.
   */
  readonly each?: (take: (portion: Uint8Array) => void) => Promise<void>
}

/** The connection ended before the body did. */
export class Broken extends Error {}

/** The body of a request that arrives on a socket. Whoever stops reading leaves the socket open for the answer. */
export const bodyOf = (incoming: Readable): Body => ({
  [Symbol.asyncIterator]: () => incoming.iterator({ destroyOnReturn: false }),
  each: (take) => eachPortion(incoming, take),
})

function eachPortion(stream: Readable, take: (portion: Uint8Array) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const leave = (): void => {
    stream.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken)
  }
  const onData = (portion: Uint8Array): void => {
    try {
      take(portion)
    } catch (error) {
      leave()
      stream.pause()
      reject(error)
    }
  }
  const onEnd = (): void => {
    leave()
    resolve()
  }
  const onBroken = (cause?: unknown): void => {
    leave()
    reject(new Broken('the connection ended before the body', { cause }))
  }
  // One that broke before anybody listened says so no more.
  if (stream.destroyed) onBroken(stream.errored)
  else stream.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken)
  return promise
}
