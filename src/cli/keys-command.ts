import { access, writeFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import type { Config } from '../config.ts'
import type { TokenKeyFile } from '../tokens/keys.ts'
import type { AddCommand } from './command.ts'
import { EXIT, UsageError } from './exit.ts'
import { configuration } from './load.ts'
import { columns, jsonText, type Session } from './output.ts'

const HELP = `
Keys that Assay makes are in the data folder; those of token_key_file and token_key_files are yours to change: put a new key behind the old
one, and the service takes it up. Which key signs, which will and which did: GET /v1/token-keys (role viewer).`

/** How long a service that runs may take to answer a request for new keys. */
const WAIT_MS = 10_000
const STEP_MS = 100

/** `assay keys`: the keys that tokens are signed with. */
export const addKeys: AddCommand = (program, session) => {
  const keys = program.command('keys').description('keys that sign tokens: list, rotate').addHelpText('after', HELP)
  keys
    .command('list')
    .description('which private keys the files hold')
    .option('--json', 'print as JSON')
    .action((flags: { readonly json?: true }) => list(flags, session))
  keys
    .command('rotate')
    .description('have the service make a successor of each key of its own; it signs when no cache has a key set without it')
    .action(() => rotate(session))
}

async function filesOf(session: Session): Promise<{ readonly config: Config; readonly files: readonly TokenKeyFile[] }> {
  const { keyFilesOf } = await import('../service/token-keys.ts')
  const { config } = configuration(session)
  return { config, files: keyFilesOf(config) }
}

/** Only what is there: listing makes no key. */
async function heldIn(files: readonly TokenKeyFile[]) {
  const { loadTokenKeys } = await import('../tokens/keys.ts')
  const read = files.map(async (file) => {
    const keys = (await exists(file.path)) ? await loadTokenKeys({ ...file, absent: 'refuse' }) : []
    return keys.map(({ kid, alg }) => ({ kid, alg, file: file.path }))
  })
  return (await Promise.all(read)).flat()
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

async function list({ json }: { readonly json?: true }, session: Session): Promise<void> {
  const held = await heldIn((await filesOf(session)).files)
  if (json === true) return session.out(jsonText(held))
  session.out(columns(held.map(({ kid, alg, file }) => [alg, `${kid} in ${file}`])))
  session.note(`assay: ${held.length} keys`)
}

async function rotate(session: Session): Promise<void> {
  const { rotationRequest } = await import('../tokens/key-keeper.ts')
  const { config, files } = await filesOf(session)
  const own = files.filter(({ absent }) => absent === 'create')
  if (own.length === 0) throw new UsageError('every key is in a file of yours: put the new one behind the old one there')
  const before = await heldIn(own)
  const request = rotationRequest(config.dataDir)
  await writeFile(request, '', { mode: 0o600 }).catch((error: unknown) => {
    throw new UsageError(
      `the data folder ${config.dataDir} cannot be written to: ${error instanceof Error ? error.message : String(error)}`,
    )
  })
  if (!(await taken(request))) {
    session.note('assay: no service took the request; the next one that starts in this data folder will')
    return session.exit(EXIT.undecided)
  }
  const known = new Set(before.map(({ kid }) => kid))
  const made = (await heldIn(own)).filter(({ kid }) => !known.has(kid))
  session.out(columns(made.map(({ kid, alg }) => [alg, kid])))
  const minutes = Math.ceil((2 * config.tokenKeys.maxAgeSeconds) / 60)
  session.note(
    made.length === 0
      ? 'assay: every key has a successor already that does not sign yet; none was made'
      : `assay: ${made.length} keys made; they sign in ${minutes} minutes at the latest, when no cache has a key set without them`,
  )
}

/** Waits until a service has taken the request away. */
async function taken(request: string): Promise<boolean> {
  for (let left = WAIT_MS; left > 0; left -= STEP_MS) {
    if (!(await exists(request))) return true
    await setTimeout(STEP_MS)
  }
  return false
}
