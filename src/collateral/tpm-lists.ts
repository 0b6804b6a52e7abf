import { open } from 'node:fs/promises'
import type { CollateralAddress } from '../verifiers/verifier.ts'
import { listInDer } from './crl-forms.ts'
import { ask } from './http.ts'
import type { Fetched, VendorClient } from './source.ts'

/** Where one list is had: fetched from its authority or a mirror, or put into a file by somebody else. */
export type ListSource = { readonly url: string } | { readonly file: string }

/** Largest list, in bytes (design section 3, Limits), and milliseconds for one try. */
const MOST_BYTES = 8 * 1024 * 1024
const TIMEOUT = 10_000

/** Revocation lists of TPM authorities, each from where the operator says that it is had. */
export const createTpmLists = (sources: ReadonlyMap<CollateralAddress, ListSource>, timeout = TIMEOUT): VendorClient => ({
  fetch: async (address) => {
    const source = sources.get(address)
    if (source === undefined) return { outcome: 'unavailable', reason: 'no list of this authority is configured' }
    return inDer('url' in source ? await ask(new URL(source.url), { most: MOST_BYTES, timeout }) : await readList(source.file))
  },
})

function inDer(answer: Fetched): Fetched {
  if (answer.outcome !== 'found') return answer
  const bytes = listInDer(answer.bytes)
  return bytes === undefined ? { outcome: 'unavailable', reason: 'the answer is no list' } : { outcome: 'found', bytes }
}

/** A file that is absent is not "no such list": whoever puts it there may be late. */
async function readList(path: string): Promise<Fetched> {
  try {
    await using file = await open(path)
    const { size } = await file.stat()
    if (size > MOST_BYTES) return { outcome: 'unavailable', reason: `the file has more than ${MOST_BYTES} bytes` }
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0)
    return { outcome: 'found', bytes: new Uint8Array(buffer.subarray(0, bytesRead)) }
  } catch (error) {
    return { outcome: 'unavailable', reason: error instanceof Error ? error.message : String(error) }
  }
}
