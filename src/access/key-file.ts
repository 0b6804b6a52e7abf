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

/**
 * The EC P-256 private key in a file that only its owner may read. Three forms are known: the one that Assay makes, which names its purpose
 * and mode; PKCS#8 or SEC 1 in PEM; and a private JWK. A key belongs to one mode (design section 5): a file that Assay made is refused in
 * another, and a PEM or JWK, which names none, is for production alone. Throws a plain error that names the path and never shows the key.
 */
export async function loadP256Key(file: KeyFile): Promise<KeyObject> {
  const { path, absent } = file
  const content = absent === 'create' ? await readOrCreatePrivateFile(path, () => newKeyFile(file)) : await readPrivateFile(path)
  if (content === undefined) throw new Error(`${path} does not exist; put an EC P-256 private key there (PEM or JWK), mode 0600`)
  return readKey(Buffer.from(content).toString('utf8'), file)
}

function newKeyFile({ format, mode }: KeyFile): string {
  const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
  return `${JSON.stringify({ format, mode, jwk })}\n`
}

function readKey(text: string, file: KeyFile): KeyObject {
  if (!text.trimStart().startsWith('{')) return foreignKey(() => createPrivateKey(text), file)
  const document = parseObject(text, file)
  if (!('format' in document)) return foreignKey(() => importJwk(document), file)
  if (document['format'] !== file.format)
    throw new Error(`${file.path} has the format ${String(document['format'])}; this version reads ${file.format}`)
  if (document['mode'] !== file.mode) {
    throw new Error(`${file.path} is a key of mode ${String(document['mode'])}; it never signs in mode ${file.mode}`)
  }
  return p256Key(() => importJwk(document['jwk']), file)
}

/** A key that somebody brought: nothing tells that it never signed for production, so nothing else may use it. */
function foreignKey(load: () => KeyObject, file: KeyFile): KeyObject {
  if (file.mode !== 'production')
    throw new Error(`${file.path} names no mode; in mode ${file.mode} only a key that Assay made itself is used`)
  return p256Key(load, file)
}

function p256Key(load: () => KeyObject, { path }: KeyFile): KeyObject {
  const key = attempt(load, `${path} holds no private key that can be read`)
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error(`${path} holds no EC P-256 key, which ES256 needs`)
  return key
}

/** Node completes nothing and compares nothing: that d belongs to x and y is found by signing once, which whoever uses the key does. */
function importJwk(jwk: unknown): KeyObject {
  if (!isObject(jwk)) throw new Error('not a JWK')
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
