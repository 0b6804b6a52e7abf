import { randomBytes } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isCode } from './atomic.ts'

/** Who holds a data folder: the process, and when it was started, because process ids are used again. */
type Holder = { readonly pid: number; readonly started: string }

/**
 * Takes the data folder for this process; resolves to what gives it back. Rejects with the holder's process id when it is alive.
 * A lock whose holder has died (kill -9, power loss) is taken over.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'lock')
  const holder = await holderOf(process.pid)
  const own = `${holder.pid} ${holder.started}\n`
  for (let attempt = 0; attempt < 3; attempt += 1) {
    if (await created(path, own)) return async () => release(path, own)
    await removeIfStale(path)
  }
  throw new Error(`the data folder ${folder} is being opened by another process`)
}

async function created(path: string, text: string): Promise<boolean> {
  // Written aside and linked into place, so that nobody ever reads a lock that is half written.
  const aside = `${path}.partial-${randomBytes(8).toString('hex')}`
  await writeFile(aside, text, { flag: 'wx', mode: 0o600 })
  try {
    await link(aside, path)
    return true
  } catch (error) {
    // ENOENT: the holder has just swept the folder; it will be seen as the holder.
    if (isCode(error, 'EEXIST') || isCode(error, 'ENOENT')) return false
    throw error
  } finally {
    await rm(aside, { force: true })
  }
}

/** Moves a dead holder's lock away. Of several processes that do so at once, the one that moved another's fresh lock puts it back. */
async function removeIfStale(path: string): Promise<void> {
  const seen = await textOf(path)
  if (seen === undefined) return
  const holder = readHolder(seen)
  if (holder !== undefined && (await isAlive(holder)))
    throw new Error(`the data folder is in use by process ${holder.pid} (${path}); stop it, or use another folder`)
  const aside = `${path}.partial-${randomBytes(8).toString('hex')}`
  await rename(path, aside).catch(() => undefined)
  if ((await textOf(aside)) !== seen) await link(aside, path).catch(() => undefined)
  await rm(aside, { force: true })
}

async function release(path: string, own: string): Promise<void> {
  if ((await textOf(path)) === own) await rm(path, { force: true })
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}

function readHolder(text: string): Holder | undefined {
  const [, pid, started] = /^(\d{1,10}) (.{1,80})\n$/.exec(text) ?? []
  return pid === undefined || started === undefined || Number(pid) === 0 ? undefined : { pid: Number(pid), started }
}

/** A process that has the id but another start is another process (in a container every service has the id 1). */
async function isAlive(holder: Holder): Promise<boolean> {
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    if (isCode(error, 'ESRCH')) return false
  }
  const now = await holderOf(holder.pid)
  return now.started === holder.started || [now.started, holder.started].includes('unknown')
}

/** On Linux: the boot and the clock tick of the start (proc(5), /proc/pid/stat field 22); elsewhere `unknown`. */
async function holderOf(pid: number): Promise<Holder> {
  try {
    const [boot, stat] = await Promise.all([readFile('/proc/sys/kernel/random/boot_id', 'utf8'), readFile(`/proc/${pid}/stat`, 'utf8')])
    // Field 2 is the command in parentheses and may itself hold spaces, so counting starts behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie still has its id, but it holds nothing any more.
    return { pid, started: fields[0] === 'Z' ? 'ended' : `${boot.trim()} ${fields[19]}` }
  } catch {
    return { pid, started: 'unknown' }
  }
}
