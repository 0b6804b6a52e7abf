import { createHash, createPrivateKey, createPublicKey, randomUUID, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { SignJWT } from 'jose'
import { z } from 'zod'
import { JOINS } from './broker.ts'

/** A node that has attested: its token, and the key that its evidence bound. */
export type AttestedNode = { readonly token: string; readonly key: KeyObject }

/** A proof of possession for one request (RFC 9449 section 4.2): it names method, address and token, and is of use for nothing else. */
export function proofFor({ token, key }: AttestedNode, method: string, url: string): Promise<string> {
  const ath = createHash('sha256').update(token).digest('base64url')
  const { kty, crv, x, y, n, e } = createPublicKey(key).export({ format: 'jwk' })
  return new SignJWT({ jti: randomUUID(), htm: method, htu: url, ath, iat: Math.floor(Date.now() / 1000) })
    .setProtectedHeader({ alg: algorithmOf(key), typ: 'dpop+jwt', jwk: defined({ kty, crv, x, y, n, e }) })
    .sign(key)
}

/** What guests may be bound to (docs/binding.md) and how it signs. */
function algorithmOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string {
  if (type === 'rsa') return 'RS256'
  if (type === 'ed25519') return 'EdDSA'
  return details?.namedCurve === 'secp384r1' ? 'ES384' : 'ES256'
}

const defined = (members: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))

/** Asks a broker for what is needed to join. */
export async function askToJoin(node: AttestedNode, broker: string): Promise<Response> {
  const url = `${broker}${JOINS}`
  const headers = { authorization: `DPoP ${node.token}`, dpop: await proofFor(node, 'POST', url) }
  return fetch(url, { method: 'POST', headers })
}

/** `node examples/join-broker/join.ts --broker URL --token FILE --key FILE`: prints the secret alone, so that a script can take it. */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { broker: { type: 'string' }, token: { type: 'string' }, key: { type: 'string' } } })
  const { broker, token, key } = values
  if (broker === undefined || token === undefined || key === undefined)
    throw new Error('--broker URL, --token FILE and --key FILE are needed')
  const node = { token: readFileSync(token, 'utf8').trim(), key: createPrivateKey(readFileSync(key)) }
  const response = await askToJoin(node, broker)
  const text = await response.text()
  if (response.status === 201) process.stdout.write(`${z.object({ join_secret: z.string() }).parse(JSON.parse(text)).join_secret}\n`)
  else process.stderr.write(`${response.status} ${text}\n`)
  return response.status === 201 ? 0 : 1
}

if (import.meta.main) process.exitCode = await main()
