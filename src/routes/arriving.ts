import type { Duplex, Readable } from 'node:stream'

/** The body of a request on its way. It is read once. */
export type Body = AsyncIterable<Uint8Array> & {
  /**
   * Hands over each portion as it arrives, and resolves at the end. Rejects with what `take` throws, after which nothing more is read, and
   * with {@link Broken} when the connection ends first. Absent where iterating is the only way, which costs four promises a portion.
   */
  readonly each?: (take: (portion: Uint8Array) => void) => Promise<void>
  /** Whoever reads it watches its pace from here on: the server's limit for requests does not count until the returned function is called. */
  readonly keepTime?: () => () => void
}

/** The connection ended before the body did. */
export class Broken extends Error {}

/** Sockets on which a body arrives whose reader watches its pace. */
const keptTime = new WeakSet<Duplex>()

/** Whether the reader of what arrives on this socket watches its pace. */
export const isKeptTime = (socket: Duplex): boolean => keptTime.has(socket)

/** The body of a request that arrives on a socket. Whoever stops reading leaves the socket open for the answer. */
export const bodyOf = (incoming: Readable & { readonly socket?: Duplex }): Body => ({
  [Symbol.asyncIterator]: () => incoming.iterator({ destroyOnReturn: false }),
  each: (take) => eachPortion(incoming, take),
  keepTime: () => {
    const { socket } = incoming
    if (socket === undefined) return () => undefined
    keptTime.add(socket)
    return () => void keptTime.delete(socket)
  },
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
