import { type ChildProcess, fork } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { serveVendor } from '../src/collateral/parent-vendor.ts'
import type { Vendor } from '../src/collateral/source.ts'
import type { Channel } from '../src/stores/ipc.ts'
import { serveStores } from '../src/stores/parent.ts'
import type { Stores } from '../src/stores/stores.ts'

const children: ChildProcess[] = []

/** Ends what {@link forked} started. */
export const killForked = (): void => children.splice(0).forEach((child) => void child.kill('SIGKILL'))

type Run = (room: string, member: string, ...args: readonly unknown[]) => Promise<unknown>

/** Forks a process that uses these stores; resolves to what runs one call in it. */
export async function forked(stores: Stores, vendor?: Vendor): Promise<Run> {
  const child = fork(new URL('./store-child.ts', import.meta.url), [], { serialization: 'advanced', execArgv: [] })
  children.push(child)
  const channel: Channel = {
    get connected() {
      return child.connected
    },
    send: (message) => child.send(message as object),
    on: (event, listener) => child.on(event, listener),
  }
  child.setMaxListeners(100)
  serveStores(stores, channel)
  if (vendor !== undefined) serveVendor(vendor, channel)
  await once(child, 'message')
  let last = 0
  return (room, member, ...args) =>
    new Promise((resolve, reject) => {
      last += 1
      const id = last
      child.on('message', (message: { done?: number; value?: unknown; error?: string }) => {
        if (message.done !== id) return
        if (message.error === undefined) resolve(message.value)
        else reject(new Error(message.error))
      })
      child.send({ run: [id, room, member, ...args] })
    })
}

/** Both ends in one process: what is sent on one is received on the other. */
export function pair(): { child: Channel; parent: Channel; disconnect: () => void } {
  const [down, up] = [new EventEmitter(), new EventEmitter()]
  let connected = true
  const end = (receives: EventEmitter, sends: EventEmitter): Channel => ({
    get connected() {
      return connected
    },
    send: (message) => setImmediate(() => connected && sends.emit('message', message)) !== undefined,
    on: (event, listener) => receives.on(event, listener),
  })
  const disconnect = (): void => {
    connected = false
    down.emit('disconnect')
  }
  return { child: end(down, up), parent: end(up, down), disconnect }
}
