import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Telemetry } from '../telemetry/log.ts'
import { regressionOf } from '../verifiers/tpm/clock-order.ts'
import type { PreviousQuote, QuoteClock } from '../verifiers/tpm/context.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { openRecord, sealRecord } from './record.ts'
import type { QuoteStore, StoreKeys } from './stores.ts'

/** Where sealed records lie, by name (64 hexadecimal digits). Nothing here is believed. */
export type QuoteShelf = {
  readonly read: (name: string) => Promise<string | undefined>
  /** Writes `next` where `held` still lies (undefined: nothing); false where something else does. */
  readonly replace: (name: string, held: string | undefined, next: string) => Promise<boolean>
}

type Parts = { readonly shelf: QuoteShelf; readonly keys: StoreKeys; readonly log: Telemetry }

/** Keys that one machine keeps quotes of; each is about 150 bytes in a file of its own. */
export const MOST_QUOTES = 100_000

/** Keys that one process remembers itself, so that a record which is removed or put back is noticed; about 200 bytes each. */
const REMEMBERED = 100_000
/** Attempts against others that write the same key; each is a quote of the same TPM at the same moment. */
const ATTEMPTS = 5

type Held = { readonly raw: string | undefined; readonly counter: number; readonly quote: PreviousQuote | undefined }

/**
 * The last accepted quotes as sealed records. A record that somebody else changed counts as the strictest (nothing may follow it); one that is
 * older than what this process has seen, or gone, counts as what was seen (design section 1.4).
 */
export function createQuoteStore(parts: Parts): QuoteStore {
  const seen = new LRUCache<string, Exclude<Held, 'raw'>>({ max: REMEMBERED })
  const read = async (name: string): Promise<Held> => {
    const held = opened(parts, name, await parts.shelf.read(name))
    const known = seen.get(name)
    if (known === undefined || held.counter >= known.counter) return held
    parts.log.error({ alarm: 'quote-rolled-back', key: name }, 'the last quote of an attestation key was removed or put back in the store')
    return { ...known, raw: held.raw }
  }
  return {
    last: async (akName) => (await read(nameOf(akName))).quote,
    advance: async (akName, quote) => {
      const name = nameOf(akName)
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const held = await read(name)
        if (held.quote === 'strictest' || (held.quote !== undefined && regressionOf(held.quote, quote) !== undefined)) return 'regressed'
        const counter = held.counter + 1
        if (!(await parts.shelf.replace(name, held.raw, sealed(parts.keys, { name, counter, quote })))) continue
        seen.set(name, { raw: undefined, counter, quote })
        return 'kept'
      }
      throw new AttestationError('not-ready', 'others keep writing the last quote of this key', { retryAfter: 1 })
    },
  }
}

/** Names come from evidence, so what they are kept under has a fixed form. */
const nameOf = (akName: string): string => createHash('sha256').update(akName).digest('hex')

const PURPOSE = 'quote'

function sealed(keys: StoreKeys, { name, counter, quote }: { name: string; counter: number; quote: QuoteClock }): string {
  const value = Buffer.from(JSON.stringify([String(quote.clock), quote.resetCount, quote.restartCount]))
  return Buffer.from(sealRecord(keys, { purpose: PURPOSE, name, counter, value })).toString('base64')
}

function opened({ keys, log }: Parts, name: string, raw: string | undefined): Held {
  if (raw === undefined) return { raw, counter: 0, quote: undefined }
  const record = openRecord(keys, { purpose: PURPOSE, name }, Buffer.from(raw, 'base64'))
  const quote = record === 'forged' ? undefined : decoded(record.value)
  if (record !== 'forged' && quote !== undefined) return { raw, counter: record.counter, quote }
  log.error({ alarm: 'quote-forged', key: name }, 'the last quote of an attestation key was changed by somebody else: it accepts no other')
  return { raw, counter: Number.MAX_SAFE_INTEGER, quote: 'strictest' }
}

const VALUE = /^\["(\d{1,20})",(\d{1,10}),(\d{1,10})\]$/

function decoded(value: Uint8Array): QuoteClock | undefined {
  const [, clock, reset, restart] = VALUE.exec(Buffer.from(value).toString('latin1')) ?? []
  return clock === undefined ? undefined : { clock: BigInt(clock), resetCount: Number(reset), restartCount: Number(restart) }
}

/** A shelf of one process. `most`: keys that it takes; a full one refuses rather than forgets. */
export function memoryQuotes(most: number): QuoteShelf {
  const records = new Map<string, string>()
  return {
    read: async (name) => records.get(name),
    replace: async (name, held, next) => {
      if (records.get(name) !== held) return false
      if (held === undefined && records.size >= most)
        throw new AttestationError('overloaded', 'the table of quotes is full', { retryAfter: 30 })
      records.set(name, next)
      return true
    },
  }
}
