import { base64url, calculateJwkThumbprint, exportJWK, importSPKI, importX509, type CryptoKey } from 'jose'
import { ALGORITHMS, readPublicKey, type Algorithm } from './jwk.ts'
import { AttestationRefused } from './problems.ts'

/** Who is at the other end of a TLS connection, from whoever ended it: a certificate or its public key (SPKI), as PEM or DER. */
export type TlsPeer = { readonly certificate: string | Uint8Array | undefined } | { readonly publicKey: string | Uint8Array | undefined }

type Kind = 'CERTIFICATE' | 'PUBLIC KEY'

/** SHA-256 of the certificate (RFC 8705 section 3.1). Throws `certificate-missing` or `certificate-malformed`. */
export async function certificateOf(peer: TlsPeer): Promise<string> {
  if (!('certificate' in peer)) throw new AttestationRefused('certificate-missing')
  const der = base64.decode(bodyOf(pemOf(peer.certificate, 'CERTIFICATE'), 'CERTIFICATE'))
  return base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', der)))
}

/**
 * The RFC 7638 thumbprint of the peer's key. That the peer has the private half is what TLS proved; who signed the certificate does not matter,
 * because the token names the key. Throws `certificate-missing` or `certificate-malformed`.
 */
export async function thumbprintOfTlsKey(peer: TlsPeer): Promise<string> {
  const [value, kind, read] =
    'certificate' in peer ? ([peer.certificate, 'CERTIFICATE', importX509] as const) : ([peer.publicKey, 'PUBLIC KEY', importSPKI] as const)
  const pem = pemOf(value, kind)
  for (const alg of ALGORITHMS) {
    const thumbprint = await thumbprintAs(alg, () => read(pem, alg, { extractable: true }))
    if (thumbprint !== undefined) return thumbprint
  }
  throw new AttestationRefused('certificate-malformed', { why: 'its key is of no known kind' })
}

/** WebCrypto wants to be told what a key is for before it reads it, so each kind is tried. */
async function thumbprintAs(alg: Algorithm, read: () => Promise<CryptoKey>): Promise<string | undefined> {
  try {
    const members = readPublicKey({ ...(await exportJWK(await read())) }, alg)
    return 'fault' in members ? undefined : await calculateJwkThumbprint(members.jwk)
  } catch {
    return undefined
  }
}

function pemOf(value: string | Uint8Array | undefined, kind: Kind): string {
  if (value === undefined || value.length === 0) throw new AttestationRefused('certificate-missing')
  const body = typeof value === 'string' ? bodyOf(value, kind) : base64.encode(value)
  return `-----BEGIN ${kind}-----\n${body}\n-----END ${kind}-----`
}

/** One block of PEM (RFC 7468) and nothing beside it but blanks: of several certificates nothing is chosen. */
function bodyOf(pem: string, kind: Kind): string {
  const body = new RegExp(`^\\s*-----BEGIN ${kind}-----([A-Za-z0-9+/=\\s]+)-----END ${kind}-----\\s*$`).exec(pem)?.[1]
  if (body === undefined)
    throw new AttestationRefused('certificate-malformed', { why: `it is not one PEM block of a ${kind.toLowerCase()}` })
  return body.replaceAll(/\s/g, '')
}

const base64 = {
  encode: (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')),
  decode: (text: string): Uint8Array<ArrayBuffer> => {
    try {
      return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
    } catch (cause) {
      throw new AttestationRefused('certificate-malformed', { why: 'it is not base64' }, cause)
    }
  },
}
