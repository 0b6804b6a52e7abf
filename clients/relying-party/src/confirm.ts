import { calculateJwkThumbprint } from 'jose'
import type { Claims, Confirmation } from './claims.ts'
import { verifyProof, type DpopRequest } from './dpop.ts'
import { isObject } from './json.ts'
import { algorithmOf, readPublicKey } from './jwk.ts'
import { AttestationRefused } from './problems.ts'
import { certificateOf, thumbprintOfTlsKey, type TlsPeer } from './tls.ts'

/** How the sender of a token proves that it is the holder, or that nobody asks. There is no default. */
export type Confirm = { readonly dpop: DpopRequest } | { readonly tls: TlsPeer } | 'DANGEROUSLY_BEARER'

/** How it was proven. */
export type Confirmed = 'dpop' | 'tls' | 'bearer'

/** Refuses, as `options-invalid`, whatever is none of the three: also nothing at all. */
export function checkConfirm(confirm: unknown): void {
  const [[name, how] = [], ...more] = isObject(confirm) ? Object.entries(confirm) : []
  const isProof = (name === 'dpop' || name === 'tls') && isObject(how) && more.length === 0
  if (confirm === 'DANGEROUSLY_BEARER' || isProof) return
  throw new AttestationRefused('options-invalid', { option: 'confirm', expected: '{dpop}, {tls} or DANGEROUSLY_BEARER' })
}

/** What is proven, and when. */
export type Proven = { readonly token: string; readonly claims: Claims; readonly now: Date }

/** Proves that who sent the token has the key that it is bound to. Throws `confirmation-…`, `proof-…` or `certificate-…`. */
export async function confirmHolder(confirm: Confirm, { token, claims, now }: Proven): Promise<Confirmed> {
  if (confirm === 'DANGEROUSLY_BEARER') return 'bearer'
  const { cnf } = claims
  if (cnf === undefined) throw new AttestationRefused('confirmation-missing')
  if ('dpop' in confirm) {
    const expected = await keyThumbprint(cnf, ['jwk', 'jkt'])
    await verifyProof(confirm.dpop, { token, now, thumbprint: expected })
    return 'dpop'
  }
  await confirmTls(confirm.tls, cnf)
  return 'tls'
}

async function confirmTls(peer: TlsPeer, cnf: Confirmation): Promise<void> {
  const bound = cnf['x5t#S256']
  if (bound !== undefined) {
    const certificate = await certificateOf(peer)
    if (certificate !== bound) throw mismatch({ member: 'x5t#S256', actual: certificate })
    if (cnf.jwk === undefined && cnf.jkt === undefined) return
  }
  const expected = await keyThumbprint(cnf, ['jwk', 'jkt', 'x5t#S256'])
  const actual = await thumbprintOfTlsKey(peer)
  if (actual !== expected) throw mismatch({ expected, actual })
}

/** The RFC 7638 thumbprint of the key; of a `jwk` beside a `jkt` both must be of one key. What cannot be looked at must not be there. */
async function keyThumbprint(cnf: Confirmation, known: readonly string[]): Promise<string> {
  const foreign = Object.keys(cnf).filter((name) => !known.includes(name))
  if (foreign.length > 0) throw mismatch({ foreign })
  const ofKey = cnf.jwk === undefined ? undefined : await thumbprintOf(cnf.jwk)
  const thumbprint = ofKey ?? cnf.jkt
  if (thumbprint === undefined || (cnf.jkt ?? thumbprint) !== thumbprint) throw mismatch({ jkt: cnf.jkt, thumbprint })
  return thumbprint
}

async function thumbprintOf(jwk: NonNullable<Confirmation['jwk']>): Promise<string> {
  const alg = algorithmOf(jwk)
  const read = alg === undefined ? { fault: 'unknown kind' } : readPublicKey({ ...jwk }, alg)
  if ('fault' in read) throw mismatch({ why: read.fault })
  return calculateJwkThumbprint(read.jwk)
}

const mismatch = (facts: object): AttestationRefused => new AttestationRefused('confirmation-mismatch', { ...facts })
