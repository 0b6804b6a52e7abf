import { randomUUID } from 'node:crypto'
import { access, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuditLine, AuditLog } from '../access/audit.ts'
import { writeAtomic } from '../stores/atomic.ts'
import { createKeyRing, lookingEvery, onceEach, type KeyRing, type RingParts } from './key-ring.ts'
import { temporaryTokenKey, tokenKeyText, type TokenKeyFile } from './keys.ts'
import { withHeld, type PublishedKey } from './published-key.ts'
import { MOST_KEYS, type Listed } from './published-keys.ts'

/** The keys of a machine, what is done for them every second, and its end. */
export type KeptKeys = { readonly ring: KeyRing; readonly look: () => Promise<void>; readonly stop: () => void }

/** What the owner of a machine's keys needs beyond its ring. */
export type KeeperParts = RingParts & {
  /** Where requests for new keys are looked for. */
  readonly folder: string
  readonly audit: AuditLog
  /** After so long a key that Assay made gets a successor; undefined: only when somebody asks. */
  readonly rotateMs: number | undefined
  /** How often files and store are looked at. */
  readonly everyMs: number
}

/** The file that asks for new keys: who can write to the data folder, can ask. The service removes it when it has made them. */
export const rotationRequest = (folder: string): string => join(folder, 'rotate-token-keys')

/** Times that the list is written again because another replica wrote it meanwhile. */
const MOST_ATTEMPTS = 10

/**
 * The one place of a machine where token keys are made, published, and removed (specification tokens.md C5): a key is in the key set of every
 * replica for twice as long as caches may keep one before it signs, and stays there until its last token has ended. Private keys never leave
 * the machine's files. Throws as {@link createKeyRing} does; what the store or the disk refuse is logged and tried again.
 */
export async function keepTokenKeys(parts: KeeperParts): Promise<KeptKeys> {
  const ring = await createKeyRing(parts)
  const keeper = { ...parts, ring, told: new Set<string>() }
  const say = onceEach(parts.log)
  const look = async (): Promise<void> => {
    await ring.look()
    await say('the public token keys could not be published', () => publish(keeper))
    await say('new token keys could not be made', () => makeKeys(keeper))
    await say('replaced token keys could not be removed', () => removeReplaced(keeper))
  }
  await look()
  return { ring, look, stop: lookingEvery(parts.everyMs, look) }
}

type Keeper = KeeperParts & { readonly ring: KeyRing; readonly told: Set<string> }

/** A file is rewritten by this process alone, so that nothing is lost between reading and writing. */
async function makeKeys(keeper: Keeper): Promise<void> {
  const { folder, files, log } = keeper
  const isAsked = await access(rotationRequest(folder)).then(
    () => true,
    () => false,
  )
  const due: TokenKeyFile[] = []
  for (const file of files.filter(({ absent }) => absent === 'create')) {
    if (isReplacedSoon(keeper, file) || !(isAsked || (await isOld(file, keeper)))) continue
    const key = temporaryTokenKey(file.alg)
    // One after the other: each is a file that is whole before the next is touched.
    await writeAtomic(file.path, Buffer.from(tokenKeyText(file, [...keysOf(keeper, file), key])))
    log.info({ kid: key.kid, alg: key.alg }, 'a token key was made')
    due.push(file)
  }
  if (due.length > 0) {
    await keeper.ring.look()
    await publish(keeper)
  }
  if (isAsked) await rm(rotationRequest(folder), { force: true })
}

const keysOf = ({ ring }: Keeper, { alg }: TokenKeyFile) => ring.filed().filter((key) => key.alg === alg)

/** A key that does not sign yet is successor enough; so is one that nobody has heard of. */
function isReplacedSoon(keeper: Keeper, file: TokenKeyFile): boolean {
  const newest = keysOf(keeper, file).at(-1)
  const row = keeper.ring.listed().keys.find(({ kid }) => kid === newest?.kid)
  return row === undefined || row.signsFrom > keeper.now().getTime()
}

/** The file is written when its newest key is made, and once more when the one before is removed. */
async function isOld({ path }: TokenKeyFile, { rotateMs = Infinity, now }: Keeper): Promise<boolean> {
  return now().getTime() - (await stat(path)).mtimeMs >= rotateMs
}

async function publish(keeper: Keeper): Promise<void> {
  const { ring, published, now } = keeper
  if (after(ring.listed(), keeper) === undefined) return
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    const listed = await published.read()
    const keys = after(listed, keeper)
    if (keys === undefined) return ring.took(listed)
    if (keys.length > MOST_KEYS) throw new Error(`there are ${keys.length} token keys; ${MOST_KEYS} can be published`)
    // What cannot be recorded does not happen.
    await record(listed.keys, keys, keeper)
    if ((await published.replace({ counter: listed.counter, keys }, now())) === 'replaced') return ring.took(await published.read())
  }
  throw new Error('the list of public token keys changes too often to be changed')
}

/** The list as it is to be; undefined where it is so already. */
function after({ keys }: Listed, { ring, denied, times, now }: Keeper): readonly PublishedKey[] | undefined {
  const next = withHeld(keys, { held: ring.held(), denied, times, now: now().getTime() })
  return next === keys ? undefined : next
}

/** Says in the audit log what becomes of keys, once for each, however often the list is written. */
async function record(before: readonly PublishedKey[], next: readonly PublishedKey[], { audit, now, told }: Keeper): Promise<void> {
  const old = new Map(before.map((row) => [row.kid, row]))
  const kept = new Set(next.map(({ kid }) => kid))
  const news = [
    ...next.flatMap((row) => changeOf(old.get(row.kid), row)),
    ...before.filter(({ kid }) => !kept.has(kid)).map((row) => ['removed', row] as const),
  ].filter(([change, { kid, signsFrom }]) => !told.has(`${change} ${kid} ${signsFrom}`))
  const line = { time: now().toISOString(), request_id: randomUUID(), outcome: 'changed', caller: 'service' } as const
  await Promise.all(news.map(([change, row]) => audit.append({ ...line, action: `token-key-${change}`, token_key: lineOf(row) })))
  for (const [change, { kid, signsFrom }] of news) told.add(`${change} ${kid} ${signsFrom}`)
}

type Change = 'published' | 'retiring' | 'removed'

function changeOf(before: PublishedKey | undefined, row: PublishedKey): readonly (readonly [Change, PublishedKey])[] {
  if (before === undefined || before.signsFrom !== row.signsFrom) return [['published', row]]
  return row.superseded && !before.superseded ? [['retiring', row]] : []
}

const lineOf = ({ kid, alg, signsFrom }: PublishedKey): NonNullable<AuditLine['token_key']> => ({
  kid,
  alg,
  signs_from: new Date(signsFrom).toISOString(),
})

/** A private key that signs no more is of use to a thief alone. Every process has gone over to its successor long before. */
async function removeReplaced(keeper: Keeper): Promise<void> {
  const { ring, files, times, now } = keeper
  const rows = new Map(ring.listed().keys.map((row) => [row.kid, row]))
  for (const file of files.filter(({ absent }) => absent === 'create')) {
    const keys = keysOf(keeper, file)
    const signing = keys.findLastIndex(({ kid }) => (rows.get(kid)?.signsFrom ?? Infinity) + times.aheadMs <= now().getTime())
    if (signing > 0) await writeAtomic(file.path, Buffer.from(tokenKeyText(file, keys.slice(signing))))
  }
}
