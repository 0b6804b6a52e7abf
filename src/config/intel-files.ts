import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readPrivateFile } from '../access/private-file.ts'
import type { IntelSources } from './intel.ts'

/** The authority of the caching service's TLS, PEM. Throws when the file holds no certificate. */
export function readAuthority({ pccsCaFile }: IntelSources): string | undefined {
  if (pccsCaFile === undefined) return undefined
  const pem = readFileSync(pccsCaFile, 'utf8')
  // A file that OpenSSL finds nothing in would leave nobody to trust, and every answer would look intercepted.
  return new X509Certificate(pem).fingerprint256 === '' ? undefined : pem
}

const API_KEY = /^[\x21-\x7e]{1,200}$/

/** The subscription key. Throws, naming the path and never the content, if the file is absent, readable by others, or holds no key. */
export async function readApiKey({ apiKeyFile }: IntelSources): Promise<string | undefined> {
  if (apiKeyFile === undefined) return undefined
  const content = await readPrivateFile(apiKeyFile)
  const key = Buffer.from(content ?? [])
    .toString('latin1')
    .trim()
  if (!API_KEY.test(key)) throw new Error(`${apiKeyFile} holds no subscription key`)
  return key
}
