import { statSync } from 'node:fs'
import { mkdir, open, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { AttestationError } from '../verifiers/problems.ts'

/** One decision. Never holds evidence bytes, tokens or keys. */
export type AuditLine = {
  /** RFC 3339. */
  readonly time: string
  readonly request_id: string
  readonly action: string
  readonly outcome: 'issued' | 'refused' | 'undecided' | 'changed'
  readonly caller: string
  readonly code?: string
  readonly appraisal_id?: string
  readonly audience?: string
  readonly policy?: { readonly name: string; readonly version: number; readonly sha256: string }
  readonly evidence_digest?: string
  readonly jti?: string
}

/** Where decisions are written. No audit line, no token. */
export type AuditLog = {
  /** Resolves once the line is with the operating system. Throws `audit-unavailable`. */
  readonly append: (line: AuditLine) => Promise<void>
  readonly close: () => Promise<void>
}

/** When writing may work again. */
const RETRY_SECONDS = 10

type Waiting = { readonly text: string; readonly done: () => void; readonly failed: (error: Error) => void }

type Target = { open: OpenFile | undefined }

/** `torn`: the last write to this file may have ended inside a line. */
type OpenFile = { readonly file: FileHandle; readonly ino: number; readonly dev: number; torn: boolean }

/**
 * A file of JSON lines, mode 0600. Lines that arrive while a write is under way are written together by the next one.
 * A file that was moved away (log rotation) is made anew before the next write. Throws if the file cannot be opened now.
 */
export async function createAuditLog(path: string): Promise<AuditLog> {
  const target: Target = { open: await openForAppend(path) }
  let waiting: Waiting[] = []
  let writing: Promise<void> | undefined
  let closed: Promise<void> | undefined

  const writeAll = async (): Promise<void> => {
    // Requests that arrived together are decided together: their lines make one write.
    await setImmediate()
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      // One write after the other is the point: what arrives meanwhile is the next batch.
      await settle(batch, () => writeBatch(path, target, batch))
    }
    writing = undefined
  }
  const append = (line: AuditLine): Promise<void> => {
    if (closed !== undefined) return Promise.reject(unavailable('the audit log is closed'))
    return new Promise((done, failed) => {
      waiting.push({ text: `${JSON.stringify(line)}\n`, done, failed })
      writing ??= writeAll()
    })
  }
  const finish = async (): Promise<void> => {
    await writing
    await target.open?.file.close()
  }
  return { append, close: () => (closed ??= finish()) }
}

async function settle(batch: readonly Waiting[], write: () => Promise<void>): Promise<void> {
  try {
    await write()
    for (const { done } of batch) done()
  } catch (error) {
    for (const { failed } of batch) failed(unavailable('the audit log cannot be written', error))
  }
}

async function writeBatch(path: string, writing: Target, batch: readonly Waiting[]): Promise<void> {
  const target = await currentFile(path, writing)
  // A line that a failed write broke off is ended first, so that it spoils no other.
  const text = (target.torn ? '\n' : '') + batch.map((line) => line.text).join('')
  target.torn = true
  await target.file.appendFile(text)
  target.torn = false
}

/** The file that has the name now: not the one that had it before a rotation. */
async function currentFile(path: string, target: Target): Promise<OpenFile> {
  const named = statSync(path, { throwIfNoEntry: false })
  if (target.open !== undefined && named?.ino === target.open.ino && named.dev === target.open.dev) return target.open
  const old = target.open
  target.open = undefined
  await old?.file.close()
  target.open = await openForAppend(path)
  return target.open
}

async function openForAppend(path: string): Promise<OpenFile> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = await open(path, 'a', 0o600)
  const { ino, dev } = await file.stat()
  return { file, ino, dev, torn: false }
}

const unavailable = (why: string, cause?: unknown): AttestationError =>
  new AttestationError('audit-unavailable', why, { retryAfter: RETRY_SECONDS, cause })
