import { fstatSync, statSync, type Stats } from 'node:fs'
import { mkdir, open, rename, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Telemetry } from '../telemetry/log.ts'
import { nextLine, START, type Link } from './audit-chain.ts'
import { endOf, endOfSiblings } from './audit-tail.ts'

/** Where lines go. */
export type AuditFile = {
  readonly path: string
  /** Bytes at which a file is moved to `<path>.<number of its last line>`; undefined: only when somebody else moves it. */
  readonly rotateBytes?: number | undefined
  readonly log: Telemetry
}

/** Writes entries (texts of JSON objects) as lines of one chain. One call at a time. */
export type ChainWriter = { readonly write: (entries: readonly string[]) => Promise<void>; readonly close: () => Promise<void> }

/**
 * An open file. `known`: what it was after our last write; undefined after a write that failed, when nobody knows how much of it is there.
 * `ours`: whether lines of the chain are in it.
 */
type OpenFile = { readonly file: FileHandle; known: Known | undefined; ours: boolean }
type Known = Pick<Stats, 'ino' | 'dev' | 'size' | 'mtimeMs'>

/** `torn`: behind the last line of the chain stands something that is none. */
type State = Omit<AuditFile, 'rotateBytes'> & { current: OpenFile | undefined; head: Link; torn: boolean; rotateAt: number }

/** The number of a line in the name of a file, so that names sort as lines do. */
const SEQ_DIGITS = 12

/** Opens the file, mode 0600, and goes on with the chain where it, or one that was moved away, ends. Throws if it cannot be opened now. */
export async function openChain({ path, log, rotateBytes = Number.POSITIVE_INFINITY }: AuditFile): Promise<ChainWriter> {
  const state: State = { path, log, current: undefined, head: START, torn: false, rotateAt: rotateBytes }
  const opened = await openNamed(state)
  const here = await endOf(opened.file)
  opened.ours = here.link !== undefined
  const before = opened.ours ? undefined : await endOfSiblings(path)
  state.head = here.link ?? before?.link ?? START
  state.torn = here.rest || before?.rest === true
  tellHead(state, 'the audit chain goes on')
  return {
    write: (entries) => write(state, rotateBytes, entries),
    close: async () => {
      await state.current?.file.close()
      state.current = undefined
      tellHead(state, 'the audit chain ends for now')
    },
  }
}

/** Whoever keeps these lines elsewhere can tell whether the end of the file was cut off: nothing in the file itself can. */
const tellHead = ({ path, head, log }: State, what: string): void => log.info({ path, ...head }, what)

async function write(state: State, rotateBytes: number, entries: readonly string[]): Promise<void> {
  const current = await fileToWrite(state, rotateBytes)
  const { text, head } = linesOf(entries, state)
  current.known = undefined
  await current.file.appendFile(text)
  current.known = fstatSync(current.file.fd)
  current.ours = true
  state.head = head
  state.torn = false
}

/** A line that a failed write broke off is ended first, so that it spoils no other, and the line behind it says so. */
function linesOf(entries: readonly string[], { head: before, torn }: State): { readonly text: string; readonly head: Link } {
  let head = before
  let text = torn ? '\n' : ''
  for (const [i, entry] of entries.entries()) {
    const line = nextLine(entry, head, torn && i === 0)
    text += `${line.text}\n`
    head = line.link
  }
  return { text, head }
}

/** The file that has the name now: not the one that had it before a rotation. */
async function fileToWrite(state: State, rotateBytes: number): Promise<OpenFile> {
  await takeStock(state)
  const named = statSync(state.path, { throwIfNoEntry: false })
  const { current } = state
  if (named === undefined || current === undefined || !isSameFile(named, current.known)) return reopen(state, rotateBytes)
  if (named.isFile() && hasChanged(named, current.known)) await alarm(state, current)
  return named.size >= state.rotateAt ? rotate(state, rotateBytes, current) : current
}

const isSameFile = (a: Known, b: Known | undefined): boolean => a.ino === b?.ino && a.dev === b.dev
const hasChanged = (a: Known, b: Known | undefined): boolean => a.size !== b?.size || a.mtimeMs !== b.mtimeMs

/** After a write that failed: some of its lines may be there, and part of one more. */
async function takeStock(state: State): Promise<void> {
  const { current } = state
  if (current === undefined || current.known !== undefined) return
  const { link, rest } = await endOf(current.file)
  current.known = fstatSync(current.file.fd)
  state.torn = rest
  if (link !== undefined && link.seq > state.head.seq) state.head = link
  else if (current.ours && link?.sha256 !== state.head.sha256) await alarm(state, current)
}

/** The chain goes on from what was written here, so that verifying the file finds the place. */
async function alarm(state: State, { file }: OpenFile): Promise<void> {
  state.log.error({ path: state.path, seq: state.head.seq }, 'the audit log was changed by somebody else; verify it')
  state.torn = (await endOf(file)).rest
}

/** The first write after a file was moved away. What has its name now ought to be nothing, or the same again. */
async function reopen(state: State, rotateBytes: number): Promise<OpenFile> {
  const next = await openNamed(state)
  state.rotateAt = rotateBytes
  const { link, rest } = await endOf(next.file)
  // What a failed write broke off may be at the end of the file before.
  state.torn ||= rest
  if ((link !== undefined || rest) && link?.sha256 !== state.head.sha256) await alarm(state, next)
  tellHead(state, 'the audit chain goes on in a new file')
  return next
}

async function openNamed(state: State): Promise<OpenFile> {
  const old = state.current
  state.current = undefined
  await old?.file.close()
  await mkdir(dirname(state.path), { recursive: true, mode: 0o700 })
  const file = await open(state.path, 'a+', 0o600)
  state.current = { file, known: fstatSync(file.fd), ours: false }
  return state.current
}

/** Moves a file that is full out of the way. Where that is not possible it grows on, and the next attempt comes when it is as full again. */
async function rotate(state: State, rotateBytes: number, current: OpenFile): Promise<OpenFile> {
  const target = `${state.path}.${String(state.head.seq).padStart(SEQ_DIGITS, '0')}`
  try {
    if (statSync(target, { throwIfNoEntry: false }) !== undefined) throw new Error(`${target} is there already`)
    await rename(state.path, target)
    return await reopen(state, rotateBytes)
  } catch (error) {
    state.log.error({ err: error, path: state.path }, 'the audit log could not be rotated')
    if (state.current !== current) throw error
    state.rotateAt += rotateBytes
    return current
  }
}
