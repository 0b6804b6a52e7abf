import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readOrCreatePrivateFile, readPrivateFile } from '../access/private-file.ts'
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

/** What a key file that Assay made begins with; its version is the number at the end. */
const FORMAT = 'assay-token-key/1'

/**
 * The ES256 key in a file that only its owner may read. Three forms are known: the one that Assay makes, which names its mode; PKCS#8 or
 * SEC 1 in PEM; and a private JWK. `create` makes the file where it is absent.
 * A key belongs to one mode (design section 5): a file that Assay made is refused in another, and a PEM or JWK, which names none, is
 * for production alone. Throws a plain error that names the path and never shows the key.
 */
export async function loadTokenKey(path: string, mode: Mode, absent: 'create' | 'refuse'): Promise<TokenKey> {
  const content = absent === 'create' ? await readOrCreatePrivateFile(path, () => newKeyFile(mode)) : await readPrivateFile(path)
  if (content === undefined) throw new Error(`${path} does not exist; put an EC P-256 private key there (PEM or JWK), mode 0600`)
  return readTokenKey(Buffer.from(content).toString('utf8'), { path, mode })
}

/** A key that lives in this process only: for tests and demonstrations. */
export const temporaryTokenKey = (): TokenKey => tokenKeyOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)

function newKeyFile(mode: Mode): string {
  const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
  return `${JSON.stringify({ format: FORMAT, mode, jwk })}\n`
}

type Origin = { readonly path: string; readonly mode: Mode }

function readTokenKey(text: string, origin: Origin): TokenKey {
  if (!text.trimStart().startsWith('{')) return foreignKey(() => createPrivateKey(text), origin)
  const document = parseObject(text, origin)
  if (!('format' in document)) return foreignKey(() => importJwk(document), origin)
  if (document['format'] !== FORMAT)
    throw new Error(`${origin.path} has the format ${String(document['format'])}; this version reads ${FORMAT}`)
  if (document['mode'] !== origin.mode) {
    throw new Error(`${origin.path} is a key of mode ${String(document['mode'])}; it never signs in mode ${origin.mode}`)
  }
  return tokenKeyFrom(() => importJwk(document['jwk']), origin)
}

/** A key that somebody brought: nothing tells that it never signed for production, so nothing else may use it. */
function foreignKey(load: () => KeyObject, origin: Origin): TokenKey {
  if (origin.mode !== 'production')
    throw new Error(`${origin.path} names no mode; in mode ${origin.mode} only a key that Assay made itself is used`)
  return tokenKeyFrom(load, origin)
}

function tokenKeyFrom(load: () => KeyObject, { path }: Origin): TokenKey {
  const key = attempt(load, `${path} holds no private key that can be read`)
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error(`${path} holds no EC P-256 key, which ES256 needs`)
  return tokenKeyOf(key)
}

function tokenKeyOf(privateKey: KeyObject): TokenKey {
  const { x = '', y = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
  const publicJwk: PublicJwk = { crv: 'P-256', kty: 'EC', x, y }
  return { alg: 'ES256', kid: Buffer.from(thumbprintOf(publicJwk)).toString('base64url'), privateKey, publicJwk }
}

/** Node completes nothing and compares nothing: that d belongs to x and y is found by signing once (see sign.ts). */
function importJwk(jwk: unknown): KeyObject {
  if (!isObject(jwk)) throw new Error('not a JWK')
  return createPrivateKey({ key: jwk, format: 'jwk' })
}

function parseObject(text: string, { path }: Origin): Readonly<Record<string, unknown>> {
  const document: unknown = attempt(() => JSON.parse(text), `${path} is neither PEM nor JSON`)
  if (!isObject(document)) throw new Error(`${path} is neither PEM nor a JSON object`)
  return document
}

/** Messages of parsers quote what they read, which here may be a private key: they are not passed on. */
function attempt<T>(action: () => T, message: string): T {
  try {
    return action()
  } catch {
    throw new Error(message)
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
