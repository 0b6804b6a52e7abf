import { compareAndSet, type RedisParts } from './redis-connection.ts'
import type { QuoteShelf } from './quotes.ts'

/** Records that all replicas share. */
export const redisQuotes = ({ connection, prefix }: RedisParts): QuoteShelf => ({
  read: async (name) => (await connection.ask((client) => client.get(`${prefix}quote:${name}`))) ?? undefined,
  replace: async (name, held, next) => (await compareAndSet(connection, `${prefix}quote:${name}`, { held: held ?? '', next })) === next,
})
