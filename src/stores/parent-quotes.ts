import type { QuoteClock } from '../verifiers/tpm/context.ts'
import type { Call, Handlers } from './ipc.ts'
import { number, objectIn, refuse, text } from './messages.ts'
import type { QuoteStore } from './stores.ts'

/** What the parent answers about last quotes. */
export const quoteHandlers = (quotes: QuoteStore): Handlers => ({
  'quotes.last': async (akName) => quotes.last(text(akName)),
  'quotes.advance': async (akName, quote) => quotes.advance(text(akName), quoteIn(quote)),
})

/** The parent's last quotes as a forked child sees them. */
export const remoteQuotes = (call: Call): QuoteStore => ({
  last: async (akName) => {
    const answer = await call('quotes.last', akName)
    return answer === undefined || answer === 'strictest' ? answer : quoteIn(answer)
  },
  advance: async (akName, quote) => ((await call('quotes.advance', akName, quote)) === 'kept' ? 'kept' : 'regressed'),
})

function quoteIn(value: unknown): QuoteClock {
  const { clock, resetCount, restartCount } = objectIn(value)
  return {
    clock: typeof clock === 'bigint' ? clock : refuse('a clock'),
    resetCount: number(resetCount),
    restartCount: number(restartCount),
  }
}
