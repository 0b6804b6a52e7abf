import { join } from 'node:path'
import { TOKEN_ALGORITHMS, type TokenAlgorithm } from '../access/audiences.ts'
import type { Mode } from '../verifiers/verifier.ts'
import { loadTokenKey, type TokenKey } from './keys.ts'

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

/** The file of an algorithm’s key in the data folder: `token-key` of the first that there was, `token-key-es384`. */
const fileName = (alg: TokenAlgorithm): string => (alg === 'ES256' ? 'token-key' : `token-key-${alg.toLowerCase()}`)

/**
 * One key for each algorithm that an audience asks for. A file that is named must be there; where none is, the key is made on first start.
 * Throws as {@link loadTokenKey} does.
 */
export const tokenKeysOf = ({ algorithms, named, folder, mode }: KeyFiles): Promise<readonly TokenKey[]> =>
  Promise.all(
    [...new Set(algorithms)].map((alg) => {
      const path = named[alg]
      if (path !== undefined) return loadTokenKey(alg, { path, mode, absent: 'refuse' })
      return loadTokenKey(alg, { path: join(folder, fileName(alg)), mode, absent: 'create' })
    }),
  )

/** The keys in the files that are named, whether anybody asks for them or not. Makes none; throws as {@link loadTokenKey} does. */
export const givenTokenKeys = (named: NamedFiles, mode: Mode): Promise<readonly TokenKey[]> =>
  Promise.all(
    TOKEN_ALGORITHMS.flatMap((alg) => {
      const path = named[alg]
      return path === undefined ? [] : [loadTokenKey(alg, { path, mode, absent: 'refuse' })]
    }),
  )
