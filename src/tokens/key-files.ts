import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { TOKEN_ALGORITHMS, type TokenAlgorithm } from '../access/audiences.ts'
import type { Mode } from '../verifiers/verifier.ts'
import { loadTokenKeys, type TokenKeyFile } from './keys.ts'
import type { TokenKey } from './sign.ts'

/** Files that somebody put keys into, by their algorithm. */
type NamedFiles = Readonly<Partial<Record<TokenAlgorithm, string | undefined>>>

/** Which keys a service needs, and where they are. */
export type KeyFiles = {
  /** Algorithms of its audiences; each may be there more than once. */
  readonly algorithms: readonly TokenAlgorithm[]
  readonly named: NamedFiles
  /** Where keys are made whose files are not named. */
  readonly folder: string
  readonly mode: Mode
}

/** The file of an algorithm’s keys in the data folder: `token-key` of the first that there was, `token-key-es384`. */
const fileName = (alg: TokenAlgorithm): string => (alg === 'ES256' ? 'token-key' : `token-key-${alg.toLowerCase()}`)

/**
 * One file for each algorithm that an audience asks for. A file that is named must be there, and is somebody else’s to change (`refuse`);
 * where none is, it is made on first start and changed by Assay alone (`create`).
 */
export const tokenKeyFiles = ({ algorithms, named, folder, mode }: KeyFiles): readonly TokenKeyFile[] =>
  [...new Set(algorithms)].map((alg) => {
    const path = named[alg]
    if (path !== undefined) return { alg, path, mode, absent: 'refuse' }
    return { alg, path: join(folder, fileName(alg)), mode, absent: 'create' }
  })

/** The keys in the files that are named, whether anybody asks for them or not. Makes none; throws as {@link loadTokenKeys} does. */
export async function givenTokenKeys(named: NamedFiles, mode: Mode): Promise<readonly TokenKey[]> {
  const files = TOKEN_ALGORITHMS.flatMap((alg): readonly TokenKeyFile[] => {
    const path = named[alg]
    return path === undefined ? [] : [{ alg, path, mode, absent: 'refuse' }]
  })
  return (await Promise.all(files.map(loadTokenKeys))).flat()
}

/** Keys in files, followed as these change. */
export type FollowedKeys = {
  /** In the order of the files; of one algorithm the last is to take the place of those before. */
  readonly keys: () => readonly TokenKey[]
  /** Reads files that have changed. Throws for one that cannot be used: what was in it before counts. */
  readonly look: () => Promise<'same' | 'changed'>
}

/** Reads all files once; throws as {@link loadTokenKeys} does, and where two algorithms have one key. */
export async function followTokenKeys(files: readonly TokenKeyFile[]): Promise<FollowedKeys> {
  let seen = await statesOf(files)
  let keys = await readAll(files)
  return {
    keys: () => keys,
    look: async () => {
      const now = await statesOf(files)
      if (now === seen) return 'same'
      const read = await readAll(files)
      // Only now: what could not be read is tried again, because it may be the reading that failed.
      seen = now
      const known = new Map(keys.map((key) => [key.kid, key]))
      // A key stays the same object: signers are made once for each.
      keys = read.map((key) => known.get(key.kid) ?? key)
      return 'changed'
    },
  }
}

async function readAll(files: readonly TokenKeyFile[]): Promise<readonly TokenKey[]> {
  const keys = (await Promise.all(files.map(loadTokenKeys))).flat()
  // One key under two algorithms would have one name for both, and could be asked for the weaker; twice in a row it would replace itself.
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length)
    throw new Error('two token keys are the same key; each algorithm needs its own')
  return keys
}

/** What changes when a file does, also when a link is put on another one. */
async function statesOf(files: readonly TokenKeyFile[]): Promise<string> {
  const states = files.map(async ({ path }) => {
    const found = await stat(path).catch(() => undefined)
    return found === undefined ? 'none' : `${found.dev} ${found.ino} ${found.size} ${found.mtimeMs}`
  })
  return (await Promise.all(states)).join('\n')
}
