import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { loadP256Key } from '../access/key-file.ts'
import { thumbprintOf, type PublicJwk } from '../access/cnf.ts'
import type { Mode } from '../verifiers/verifier.ts'

/** The key that signs tokens. */
export type TokenKey = {
  readonly alg: 'ES256'
  /** RFC 7638 thumbprint, base64url. */
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicJwk: PublicJwk
}

/** The ES256 key in a file. Throws as {@link loadP256Key} does. */
export const loadTokenKey = async (path: string, mode: Mode, absent: 'create' | 'refuse'): Promise<TokenKey> =>
  tokenKeyOf(await loadP256Key({ path, mode, absent, format: 'assay-token-key/1' }))

/** A key that lives in this process only: for tests and demonstrations. */
export const temporaryTokenKey = (): TokenKey => tokenKeyOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)

function tokenKeyOf(privateKey: KeyObject): TokenKey {
  const { x = '', y = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
  const publicJwk: PublicJwk = { crv: 'P-256', kty: 'EC', x, y }
  return { alg: 'ES256', kid: Buffer.from(thumbprintOf(publicJwk)).toString('base64url'), privateKey, publicJwk }
}
