import { createHash } from 'node:crypto'
import { SignJWT } from 'jose'
import { ACCEPT, AUDIENCE, guestKey, ISSUER, minted } from './lab.ts'

/** What a runtime is asked to do with the built package: plain data, so that it can be handed to any of them. */
export type Walk = {
  readonly token: string
  readonly proof: string
  readonly url: string
  readonly options: object
}

/** A bound token, a proof for it, and what to expect. */
export async function walkFor(alg: 'ES256' | 'EdDSA' = 'ES256'): Promise<Walk> {
  const guest = await guestKey()
  const now = new Date()
  const { token, jwks } = minted({ cnf: guest.jwk, now, alg })
  const url = 'https://rp.example/secrets/1'
  const ath = createHash('sha256').update(token).digest('base64url')
  const proof = await new SignJWT({ jti: crypto.randomUUID(), htm: 'GET', htu: url, iat: Math.floor(now.getTime() / 1000), ath })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: guest.jwk })
    .sign(guest.privateKey)
  return { token, proof, url, options: { issuer: ISSUER, audience: AUDIENCE, accept: ACCEPT, jwks } }
}

/** The same program for every runtime, as the body of an async function of `kit` and `walk`: how it was confirmed, then how a second use and a changed token end. */
export const PROGRAM = `
  const confirm = { dpop: { proof: walk.proof, method: 'GET', url: walk.url } }
  const ended = (token, options) => kit.verifyAttestation(token, { ...walk.options, ...options }).then((a) => a.confirmed, (e) => e.code)
  const [head, payload, signature] = walk.token.split('.')
  const changed = head + '.' + payload + '.' + 'AAAA' + signature.slice(4)
  return [
    await ended(walk.token, { confirm }),
    await ended(walk.token, { confirm }),
    await ended(changed, { confirm: 'DANGEROUSLY_BEARER' }),
    await ended(walk.token, {}),
  ].join(' ')
`

/** What it must say. */
export const EXPECTED = 'dpop proof-replayed signature-invalid options-invalid'
