import { createHash } from 'node:crypto'
import { z } from 'zod'
import { TOKEN_ALGORITHMS } from '../access/audiences.ts'
import type { DocumentStore } from '../stores/stores.ts'
import type { PublishedKey } from './published-key.ts'

/** The keys of all replicas as the store has them; the counter changes with them. */
export type Listed = { readonly counter: number; readonly keys: readonly PublishedKey[] }

/** The list of public keys that all replicas share, authenticated as every stored document is (design section 1.4). */
export type PublishedKeys = {
  /** Changes with the list; undefined where the store cannot be believed. Rejects when it gives no answer. */
  readonly revision: () => Promise<string | undefined>
  /** Empty where there is none that can be believed. Throws a plain error for a list that a newer version wrote. */
  readonly read: () => Promise<Listed>
  /** Replaces the list that was read under this counter; `conflict` where another has taken its place. */
  readonly replace: (listed: Listed, at: Date) => Promise<'replaced' | 'conflict'>
}

/** More keys than this are a fault: six for each of sixty replicas. */
export const MOST_KEYS = 400

const COLLECTION = 'token-keys'
const NAME = 'public-keys'
const BY = 'assay'
/** The one version of the document, which says what its standing holds. */
const TEXT = 'assay-public-keys/1'

const text = z.string().min(1).max(1024)
const jwk = z.union([
  z.strictObject({ crv: z.enum(['P-256', 'P-384']), kty: z.literal('EC'), x: text, y: text }),
  z.strictObject({ e: text, kty: z.literal('RSA'), n: text }),
  z.strictObject({ crv: z.literal('Ed25519'), kty: z.literal('OKP'), x: text }),
])
const time = z.int().min(0)
const key = z.strictObject({
  kid: text,
  alg: z.enum(TOKEN_ALGORITHMS),
  jwk,
  signs_from: time,
  shown_until: time,
  superseded: z.boolean(),
})
const list = z.array(key).max(MOST_KEYS)

/** The list in a store of documents. */
export function publishedKeysIn(store: DocumentStore): PublishedKeys {
  return {
    revision: () => store.revision(COLLECTION),
    read: async () => {
      const standing = await store.standing(COLLECTION, NAME)
      return standing === undefined ? { counter: 0, keys: [] } : { counter: standing.counter, keys: list.parse(standing.value).map(keyOf) }
    },
    replace: async ({ counter, keys }, at) => {
      if (counter === 0) await begin(store, at)
      const outcome = await store.advance(COLLECTION, { name: NAME, value: keys.map(rowOf), by: BY, at }, counter)
      return outcome === 'conflict' ? 'conflict' : 'replaced'
    },
  }
}

/** A standing belongs to a document that has a version. */
async function begin(store: DocumentStore, created: Date): Promise<void> {
  const sha256 = createHash('sha256').update(TEXT).digest('hex')
  // A conflict says that it is there, which is all that is wanted.
  await store.append(COLLECTION, { name: NAME, sha256, text: TEXT, author: BY, created }, 0)
}

const keyOf = ({ signs_from, shown_until, ...same }: z.output<typeof key>): PublishedKey => ({
  ...same,
  signsFrom: signs_from,
  shownUntil: shown_until,
})

const rowOf = ({ signsFrom, shownUntil, ...same }: PublishedKey): z.output<typeof key> => ({
  ...same,
  signs_from: signsFrom,
  shown_until: shownUntil,
})
