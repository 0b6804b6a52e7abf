import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Telemetry } from '../telemetry/log.ts'
import type { CollateralAddress, Mode } from '../verifiers/verifier.ts'
import { readIfThere, removePartials, writeAtomic } from './atomic.ts'
import { openDocument, sealDocument } from './documents.ts'
import { fileDocuments } from './file-documents.ts'
import { fileQuotes } from './file-quotes.ts'
import { checkFormat, formatOf } from './format.ts'
import { keptMarks } from './kept-marks.ts'
import { lockFolder } from './lock.ts'
import { isAddress } from './marks.ts'
import { memoryChallenges } from './memory.ts'
import { createQuoteStore, MOST_QUOTES } from './quotes.ts'
import { pingDocuments } from './revision.ts'
import type { CollateralStore, StoredDocument, StoredEntry, StoreKeys, Stores } from './stores.ts'

/** A data folder belongs to one mode; `keys` are those of that mode. */
export type FileStoreOptions = { readonly dataDir: string; readonly keys: StoreKeys; readonly mode: Mode; readonly log: Telemetry }

/** Most documents that a folder takes: two generations of firmware for fifty thousand hosts, about 130 MB. */
const MOST_DOCUMENTS = 100_000

/**
 * One machine's store: documents and marks in files, spent challenges in memory with a new epoch at every start.
 * Rejects when another living process holds the folder, or when a newer version or another mode wrote it.
 */
export async function fileStores({ dataDir, keys, mode, log }: FileStoreOptions): Promise<Stores> {
  const folder = join(dataDir, 'collateral')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const release = await lockFolder(dataDir)
  try {
    await bindFormat(join(dataDir, 'format'), mode)
    await Promise.all([removePartials(dataDir), removePartials(folder)])
    const documents = await fileDocuments({ dataDir, keys, log })
    return {
      kind: 'file',
      challenges: memoryChallenges(),
      collateral: await fileCollateral({ folder, keys, log }),
      documents,
      quotes: createQuoteStore({ shelf: await fileQuotes(join(dataDir, 'quotes'), MOST_QUOTES), keys, log }),
      ping: async () => {
        await readdir(folder)
        await pingDocuments(documents)
      },
      close: release,
    }
  } catch (error) {
    await release()
    throw error
  }
}

async function bindFormat(path: string, mode: Mode): Promise<void> {
  const found = await readIfThere(path)
  // Version 1 is migrated by saying so: it only lacks the folder of operators' documents.
  if (found === undefined || checkFormat(Buffer.from(found).toString('utf8'), { mode, where: path }) === 'older')
    await writeAtomic(path, Buffer.from(formatOf(mode)))
}

type Folder = { readonly folder: string; readonly keys: StoreKeys; readonly log: Telemetry }

async function fileCollateral({ folder, keys, log }: Folder): Promise<CollateralStore> {
  const marks = await keptMarks({ path: join(folder, 'marks'), keys, log })
  const names = new Set((await readdir(folder)).filter((name) => name.endsWith(SUFFIX)))
  const read = async (address: CollateralAddress): Promise<StoredDocument | undefined> => {
    const bytes = await readIfThere(join(folder, fileName(address)))
    const document = bytes === undefined ? undefined : openDocument(keys, address, bytes)
    if (document === 'forged') log.error({ alarm: 'document-forged', address }, 'a kept document was changed by somebody else')
    return document === 'forged' ? undefined : document
  }
  return {
    get: read,
    put: async (document) => {
      const name = fileName(document.address)
      if (!names.has(name) && names.size >= MOST_DOCUMENTS) throw new Error(`the folder already holds ${MOST_DOCUMENTS} documents`)
      await writeAtomic(join(folder, name), sealDocument(keys, document))
      names.add(name)
    },
    list: async () => listed([...names].flatMap(addressOf), read),
    mark: async (address) => marks.get(address),
    advanceMark: marks.advance,
  }
}

/** One file at a time: a listing of a large folder must not take all file handles. */
async function listed(addresses: readonly CollateralAddress[], read: CollateralStore['get']): Promise<readonly StoredEntry[]> {
  const entries: StoredEntry[] = []
  for (const address of addresses) {
    const document = await read(address)
    if (document === undefined) continue
    entries.push({ address, fetchedAt: document.fetchedAt, expiresAt: document.expiresAt })
  }
  return entries
}

const SUFFIX = '.document'

/** `amd/crl/Milan/vcek` is kept as `amd_crl_Milan_vcek.document`: addresses hold no underscore, so the name can be read back. */
function fileName(address: CollateralAddress): string {
  if (!isAddress(address)) throw new Error('not an address of a vendor document')
  return `${address.replaceAll('/', '_')}${SUFFIX}`
}

function addressOf(name: string): CollateralAddress[] {
  const address = name.slice(0, -SUFFIX.length).replaceAll('_', '/')
  return isAddress(address) ? [address] : []
}
