import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { Mode } from '../verifiers/verifier.ts'
import { readOrCreatePrivateFile, readPrivateFile } from './private-file.ts'

/** Which key a file holds. */
export type KeyFile = {
  readonly path: string
  /** What a file of this purpose that Assay made begins with; its version is the number at the end. */
  readonly format: `assay-${string}/${number}`
  readonly mode: Mode
  /** What to do where there is no file. */
  readonly absent: 'create' | 'refuse'
}

/** Which keys a file may hold. */
export type KeyKind = {
  /** In messages: `EC P-256`. */
  readonly name: string
  /** The JWS algorithm that the key is for (RFC 7518 section 3.1): a JWK that names another is refused (RFC 8725 section 3.1). */
  readonly alg: string
  readonly make: () => KeyObject
  readonly fits: (key: KeyObject) => boolean
}

/** Keys for ES256. */
export const P256: KeyKind = {
  name: 'EC P-256',
  alg: 'ES256',
  make: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  fits: ({ asymmetricKeyDetails: details }) => details?.namedCurve === 'prime256v1',
}

/** {@link loadKey} for a key of kind {@link P256}. */
export const loadP256Key = (file: KeyFile): Promise<KeyObject> => loadKey(file, P256)

/** A key file and what must be in it. */
type Wanted = KeyFile & { readonly kind: KeyKind }

/**
 * The private key in a file that only its owner may read. Three forms are known: the one that Assay makes, which names its purpose
 * and mode; PKCS#8, SEC 1 or PKCS#1 in PEM; and a private JWK. A key belongs to one mode (design section 5): a file that Assay made is refused
 * in another, and a PEM or JWK, which names none, is for production alone. Throws a plain error that names the path and never shows the key.
 */
async function loadKey(file: KeyFile, kind: KeyKind): Promise<KeyObject> {
  const [key, ...more] = await keysIn(file, kind, ownKey)
  if (key === undefined || more.length > 0) throw new Error(`${file.path} holds ${more.length + 1} keys; it may hold one`)
  return key
}

/** Keys that a file may hold at most. */
const MOST_KEYS = 8

/**
 * As {@link loadKey}, for files that hold several keys in a row: PEM blocks, a JWK Set (RFC 7517 section 5), or what {@link keyListText} writes.
 * Files of version 1 of the format hold one, and are read, too.
 */
export async function loadKeyList(file: KeyFile, kind: KeyKind): Promise<readonly KeyObject[]> {
  const keys = await keysIn(file, kind, keyListText)
  if (keys.length === 0 || keys.length > MOST_KEYS) throw new Error(`${file.path} holds ${keys.length} keys; it may hold 1 to ${MOST_KEYS}`)
  return keys
}

/** What a file of several keys holds that Assay makes. */
export const keyListText = ({ format, mode }: KeyFile, { alg }: KeyKind, keys: readonly KeyObject[]): string =>
  `${JSON.stringify({ format, mode, keys: keys.map((key) => ({ ...key.export({ format: 'jwk' }), alg })) })}\n`

const ownKey = ({ format, mode }: KeyFile, { alg }: KeyKind, [key]: readonly [KeyObject]): string =>
  `${JSON.stringify({ format, mode, jwk: { ...key.export({ format: 'jwk' }), alg } })}\n`

type WriteOwn = (file: KeyFile, kind: KeyKind, keys: readonly [KeyObject]) => string

async function keysIn(file: KeyFile, kind: KeyKind, own: WriteOwn): Promise<readonly KeyObject[]> {
  const { path, absent } = file
  const content =
    absent === 'create' ? await readOrCreatePrivateFile(path, () => own(file, kind, [kind.make()])) : await readPrivateFile(path)
  if (content === undefined) throw new Error(`${path} does not exist; put an ${kind.name} private key there (PEM or JWK), mode 0600`)
  return readKeys(Buffer.from(content).toString('utf8'), { ...file, kind })
}

function readKeys(text: string, file: Wanted): readonly KeyObject[] {
  if (!text.trimStart().startsWith('{')) return pemsIn(text).map((pem) => foreignKey(() => createPrivateKey(pem), file))
  const document = parseObject(text, file)
  if (!('format' in document)) return jwksIn(document).map((jwk) => foreignKey(() => importJwk(jwk, file), file))
  checkOwn(document, file)
  return jwksIn('keys' in document ? document : document['jwk']).map((jwk) => fittingKey(() => importJwk(jwk, file), file))
}

/** Private keys alone, also those that cannot be read and are then refused: what else stands in such files (parameters, certificates) says nothing. Text without one is left for the parser to refuse. */
function pemsIn(text: string): readonly string[] {
  const found = text.match(/-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?-----END [A-Z ]*PRIVATE KEY-----/g)
  return found ?? [text]
}

/** The keys of a JWK Set, or the one JWK that this is. */
const jwksIn = (document: unknown): readonly unknown[] =>
  isObject(document) && 'keys' in document && Array.isArray(document['keys']) ? document['keys'] : [document]

function checkOwn(document: Readonly<Record<string, unknown>>, { path, format, mode }: KeyFile): void {
  const [purpose] = format.split('/')
  const known = 'keys' in document ? format : `${purpose}/1`
  if (document['format'] !== known) throw new Error(`${path} has the format ${String(document['format'])}; this version reads ${format}`)
  if (document['mode'] !== mode) throw new Error(`${path} is a key of mode ${String(document['mode'])}; it never signs in mode ${mode}`)
}

/** A key that somebody brought: nothing tells that it never signed for production, so nothing else may use it. */
function foreignKey(load: () => KeyObject, file: Wanted): KeyObject {
  if (file.mode !== 'production')
    throw new Error(`${file.path} names no mode; in mode ${file.mode} only a key that Assay made itself is used`)
  return fittingKey(load, file)
}

function fittingKey(load: () => KeyObject, { path, kind }: Wanted): KeyObject {
  const key = attempt(load, `${path} holds no private key for ${kind.alg} that can be read`)
  if (!kind.fits(key)) throw new Error(`${path} holds no ${kind.name} key, which ${kind.alg} needs`)
  return key
}

/** Node completes nothing and compares nothing: that d belongs to x and y is found by signing once, which whoever uses the key does. */
function importJwk(jwk: unknown, { kind }: Wanted): KeyObject {
  if (!isObject(jwk)) throw new Error('not a JWK')
  if (jwk['alg'] !== undefined && jwk['alg'] !== kind.alg) throw new Error('a JWK for another algorithm')
  return createPrivateKey({ key: jwk, format: 'jwk' })
}

function parseObject(text: string, { path }: KeyFile): Readonly<Record<string, unknown>> {
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
