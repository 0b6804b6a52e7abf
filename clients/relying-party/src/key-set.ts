import type { CryptoKey } from 'jose'
import { importPublicKey, isAlgorithm, readPublicKey, SECRETS, type Algorithm } from './jwk.ts'
import { isObject, type JsonObject } from './json.ts'
import { AttestationRefused } from './problems.ts'

/** A key that may verify tokens, with one algorithm; or why it may not. */
export type PublishedKey = { readonly alg: Algorithm; readonly key: CryptoKey } | { readonly unusable: string }

/** Keys by `kid`. */
export type KeySet = ReadonlyMap<string, PublishedKey>

/**
 * The keys of a JWK Set (RFC 7517 section 5). A set is refused as a whole if it holds anything secret, or two keys of one name: whoever publishes
 * that cannot be followed. A key of a kind that is not for us stays in the set as unusable, so that the others can be used and its name explains itself.
 * Throws `keys-invalid`.
 */
export async function readKeySet(set: JsonObject): Promise<KeySet> {
  const list = set['keys']
  if (!Array.isArray(list) || !list.every(isObject)) throw invalid('keys is not a list of objects')
  const secret = list.find((jwk) => jwk['kty'] === 'oct' || SECRETS.some((name) => Object.hasOwn(jwk, name)))
  if (secret !== undefined) throw invalid('a private or symmetric key is in it')
  const named = list.flatMap((jwk) => (typeof jwk['kid'] === 'string' ? [{ kid: jwk['kid'], jwk }] : []))
  const kids = named.map(({ kid }) => kid)
  const twice = kids.find((kid, at) => kids.indexOf(kid) !== at)
  if (twice !== undefined) throw invalid('two keys have one kid', { kid: twice })
  return new Map(await Promise.all(named.map(async ({ kid, jwk }) => [kid, await publishedKey(jwk)] as const)))
}

async function publishedKey(jwk: JsonObject): Promise<PublishedKey> {
  const { alg } = jwk
  if (!isAlgorithm(alg)) return { unusable: 'its alg is absent or not one of Assay' }
  const purpose = otherPurpose(jwk)
  const read = purpose === undefined ? readPublicKey(jwk, alg) : { fault: purpose }
  if ('fault' in read) return { unusable: read.fault }
  try {
    return { alg, key: await importPublicKey(read.jwk, alg) }
  } catch {
    return { unusable: 'it cannot be imported in this runtime' }
  }
}

/** RFC 7517 sections 4.2 and 4.3. */
function otherPurpose({ use = 'sig', key_ops: operations = ['verify'] }: JsonObject): string | undefined {
  if (use !== 'sig') return 'its use is not sig'
  return Array.isArray(operations) && operations.includes('verify') ? undefined : 'its key_ops do not hold verify'
}

const invalid = (why: string, facts: object = {}): AttestationRefused => new AttestationRefused('keys-invalid', { why, ...facts })
