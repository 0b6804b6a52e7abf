import { createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto'
import { thumbprintOf, type PublicJwk } from '../access/cnf.ts'
import type { TokenAlgorithm } from '../access/audiences.ts'
import { loadKey, P256, type KeyFile, type KeyKind } from '../access/key-file.ts'

/** A key that signs tokens, with one algorithm only (RFC 8725 section 3.1). */
export type TokenKey = {
  readonly alg: TokenAlgorithm
  /** RFC 7638 thumbprint, base64url. */
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicJwk: PublicJwk
}

/**
 * Bits of an RSA modulus: fewer are not taken anywhere, more make tokens long and signatures slow. The smallest is made, because a
 * signature need only outlive its token (NIST SP 800-57 part 1 section 5.6.3: 2048 bits until 2030).
 */
const RSA_BITS = { min: 2048, max: 4096 } as const

const rsaKind = (alg: TokenAlgorithm): KeyKind => ({
  name: `RSA (${RSA_BITS.min} to ${RSA_BITS.max} bits, exponent 65537)`,
  alg,
  make: () => generateKeyPairSync('rsa', { modulusLength: RSA_BITS.min }).privateKey,
  fits: ({ asymmetricKeyType: type, asymmetricKeyDetails: details }) => {
    const bits = details?.modulusLength ?? 0
    return type === 'rsa' && bits >= RSA_BITS.min && bits <= RSA_BITS.max && details?.publicExponent === 65537n
  },
})

type Row = { readonly kind: KeyKind; readonly publicJwk: (jwk: JsonWebKey) => PublicJwk }

const rsa = (alg: TokenAlgorithm): Row => ({ kind: rsaKind(alg), publicJwk: ({ e = '', n = '' }) => ({ e, kty: 'RSA', n }) })

/** Each algorithm with its keys. Members of public keys are in the order of {@link PublicJwk}, which thumbprints need. */
const KINDS = {
  ES256: { kind: P256, publicJwk: ({ x = '', y = '' }) => ({ crv: 'P-256', kty: 'EC', x, y }) },
  ES384: {
    kind: {
      name: 'EC P-384',
      alg: 'ES384',
      make: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
      fits: ({ asymmetricKeyDetails: details }) => details?.namedCurve === 'secp384r1',
    },
    publicJwk: ({ x = '', y = '' }) => ({ crv: 'P-384', kty: 'EC', x, y }),
  },
  RS256: rsa('RS256'),
  PS256: rsa('PS256'),
  PS384: rsa('PS384'),
  EdDSA: {
    kind: {
      name: 'Ed25519',
      alg: 'EdDSA',
      make: () => generateKeyPairSync('ed25519').privateKey,
      fits: ({ asymmetricKeyType: type }) => type === 'ed25519',
    },
    publicJwk: ({ x = '' }) => ({ crv: 'Ed25519', kty: 'OKP', x }),
  },
} as const satisfies Record<TokenAlgorithm, Row>

/** The key of an algorithm in a file. Throws as {@link loadKey} does. */
export const loadTokenKey = async (alg: TokenAlgorithm, file: Omit<KeyFile, 'format'>): Promise<TokenKey> =>
  tokenKeyOf(alg, await loadKey({ ...file, format: 'assay-token-key/1' }, KINDS[alg].kind))

/** A key that lives in this process only: for tests and demonstrations. */
export const temporaryTokenKey = (alg: TokenAlgorithm): TokenKey => tokenKeyOf(alg, KINDS[alg].kind.make())

function tokenKeyOf(alg: TokenAlgorithm, privateKey: KeyObject): TokenKey {
  const publicJwk = KINDS[alg].publicJwk(createPublicKey(privateKey).export({ format: 'jwk' }))
  return { alg, kid: Buffer.from(thumbprintOf(publicJwk)).toString('base64url'), privateKey, publicJwk }
}
