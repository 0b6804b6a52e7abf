const PEM = /^\s*-----BEGIN (CERTIFICATE|PUBLIC KEY)-----\r?\n((?:[A-Za-z0-9+/]{1,76}={0,2}\r?\n)+)-----END \1-----\s*$/

/** The DER of one certificate or public key in PEM; undefined for anything else. */
export function derOfPem(text: string): Uint8Array | undefined {
  const body = PEM.exec(text)?.[2]?.replaceAll(/\r?\n/g, '')
  return body === undefined ? undefined : new Uint8Array(Buffer.from(body, 'base64'))
}
