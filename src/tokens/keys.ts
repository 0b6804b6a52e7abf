import { createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto'
import { thumbprintOf, type PublicJwk } from '../access/cnf.ts'
import type { TokenAlgorithm } from '../access/audiences.ts'
import { keyListText, loadKeyList, P256, type KeyFile, type KeyKind } from '../access/key-file.ts'
import type { Mode } from '../verifiers/verifier.ts'
import { proveKey, type TokenKey } from './sign.ts'

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

/** A file with keys of one algorithm; those that follow are to take the place of those before. */
export type TokenKeyFile = {
  readonly alg: TokenAlgorithm
  readonly path: string
  readonly mode: Mode
  readonly absent: 'create' | 'refuse'
}

const fileOf = ({ path, mode, absent }: TokenKeyFile): KeyFile => ({ path, mode, absent, format: 'assay-token-key/2' })

/** The keys in a file. Throws as {@link loadKeyList} does, and for a key whose halves do not belong together. */
export async function loadTokenKeys(file: TokenKeyFile): Promise<readonly TokenKey[]> {
  const keys = (await loadKeyList(fileOf(file), KINDS[file.alg].kind)).map((key) => tokenKeyOf(file.alg, key))
  for (const key of keys) proveKey(key)
  return keys
}

/** What a file holds that Assay makes: these keys. */
export const tokenKeyText = (file: TokenKeyFile, keys: readonly TokenKey[]): string =>
  keyListText(
    fileOf(file),
    KINDS[file.alg].kind,
    keys.map(({ privateKey }) => privateKey),
  )

/** A key that lives in this process only: for tests and demonstrations. */
export const temporaryTokenKey = (alg: TokenAlgorithm): TokenKey => tokenKeyOf(alg, KINDS[alg].kind.make())

function tokenKeyOf(alg: TokenAlgorithm, privateKey: KeyObject): TokenKey {
  const publicJwk = KINDS[alg].publicJwk(createPublicKey(privateKey).export({ format: 'jwk' }))
  return { alg, kid: Buffer.from(thumbprintOf(publicJwk)).toString('base64url'), privateKey, publicJwk }
}
