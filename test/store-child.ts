/** A forked process that does to the parent's stores and vendor what the test tells it: `[room, member, ...arguments]`. */
import { parentVendor } from '../src/collateral/parent-vendor.ts'
import { parentStores } from '../src/stores/parent.ts'

const stores = parentStores(process)
const vendor = parentVendor(process)
const rooms: Record<string, Record<string, unknown>> = {
  stores,
  challenges: stores.challenges,
  collateral: stores.collateral,
  documents: stores.documents,
  quotes: stores.quotes,
  vendor,
}

process.on('message', (message: unknown) => {
  if (typeof message !== 'object' || message === null || !('run' in message) || !Array.isArray(message.run)) return
  const [id, room, member, ...args] = message.run as [number, string, string, ...unknown[]]
  const run = rooms[room]?.[member] as (...all: unknown[]) => Promise<unknown>
  void run(...args).then(
    (value) => process.send?.({ done: id, value }),
    (error: unknown) => process.send?.({ done: id, error: error instanceof Error && 'code' in error ? error.code : String(error) }),
  )
})
process.send?.({ ready: true })
