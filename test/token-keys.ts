import type { TokenAlgorithm } from '../src/access/audiences.ts'
import { temporaryTokenKey } from '../src/tokens/keys.ts'
import type { TokenKey } from '../src/tokens/sign.ts'

const made = new Map<string, TokenKey>()

/**
 * The nth key of an algorithm, the same in one test file, because RSA keys take long to make: those of one number are one key. An issuer
 * refuses that, so it wants another number for each.
 */
export function tokenKey(alg: TokenAlgorithm, nth = 0): TokenKey {
  const kind = /^[RP]S/.test(alg) ? 'RSA' : alg
  const key = made.get(`${kind} ${nth}`) ?? temporaryTokenKey(alg)
  made.set(`${kind} ${nth}`, key)
  return { ...key, alg }
}
