import type { Stores } from './stores.ts'

/** The end of a channel between a parent and a forked child; both `process` and a ChildProcess are one. */
export type Channel = {
  readonly connected: boolean
  readonly send?: (message: unknown) => boolean
  readonly on: (event: 'message' | 'disconnect', listener: (message: unknown) => void) => unknown
}

/** Answers a child's store calls in the parent. Fork the child with `serialization: 'advanced'`. */
export function serveStores(_stores: Stores, _child: Channel): void {
  throw new Error('not yet')
}

/** The parent's stores as a forked child sees them. Fails closed when the parent is gone. */
export function parentStores(_channel: Channel): Stores {
  throw new Error('not yet')
}
