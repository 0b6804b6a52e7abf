import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import type { FakeHost } from './hosts.ts'
import type { FakeIntelHost } from './intel-hosts.ts'

/**
 * A folder that answers a shell as /sys/kernel/config/tsm/report of a confidential VM does (Linux Documentation/ABI/testing/configfs-tsm-report):
 * each folder made in it gets its attributes, and `outblob` is made for whatever `inblob` holds when it is read.
 */
export type FakeTsm = {
  /** Stands for /sys/kernel/config/tsm/report. */
  readonly report: string
  /**
   * A folder to put first on PATH. In configfs, mkdir returns with the attributes in place and rmdir takes them away; an ordinary
   * file system does neither, so the `mkdir`, `mktemp` and `rmdir` in here do.
   */
  readonly bin: string
  /** How many reports were read. */
  readonly reads: () => number
  readonly close: () => void
}

/** What may differ from a healthy guest. */
export type FakeTsmOptions = {
  /** Default: that of the host's vendor. */
  readonly provider?: string
  /** Changes each report on its way out. */
  readonly outblob?: (report: Uint8Array) => Uint8Array
}

/** TSM_REPORT inblob holds at most 64 bytes (Linux include/linux/tsm.h, TSM_REPORT_INBLOB_MAX). */
const INBLOB_MAX = 64
/** How soon a new folder and a waiting reader are noticed. */
const POLL_MS = 5

/** After so many looks in a row that failed it is not a folder that went away. */
const MAX_FAULTS = 20

/** Serves `dir`/report for a host until closed. The readers must be other processes: this one has to stay free to answer. */
export function serveFakeTsm(dir: string, host: FakeHost | FakeIntelHost, options: FakeTsmOptions = {}): FakeTsm {
  const report = join(dir, 'report')
  const bin = join(dir, 'bin')
  mkdirSync(report, { recursive: true })
  writeTools(bin, dir)
  const entries = new Map<string, Entry>()
  let reads = 0
  const blobs: Record<Served, (entry: Entry) => Uint8Array> = {
    outblob: ({ inblob }) => {
      reads += 1
      return outblobFor(host, inblob, options)
    },
    // A TD has none.
    auxblob: () => ('certTable' in host ? host.certTable() : new Uint8Array()),
    generation: (entry) => Buffer.from(`${entry.generation}\n`),
  }
  const look = () => {
    for (const name of readdirSync(report)) {
      // A folder without attributes is new, also if another of its name was there a moment ago.
      const path = join(report, name)
      if (!existsSync(join(path, 'provider')))
        entries.set(name, populate(path, options.provider ?? ('qe' in host ? 'tdx_guest' : 'sev_guest')))
    }
    for (const [name, entry] of entries) {
      if (existsSync(entry.path)) answerReaders(entry, blobs)
      else entries.delete(name)
    }
  }
  const timer = setInterval(forgiving(look), POLL_MS)
  return { report, bin, reads: () => reads, close: () => clearInterval(timer) }
}

/** A folder's owner may take it away at any moment, also between two steps of a look at it: the next look then finds what is true. */
function forgiving(look: () => void): () => void {
  let faults = 0
  return () => {
    try {
      look()
      faults = 0
    } catch (error) {
      faults += 1
      if (faults === MAX_FAULTS) throw error
    }
  }
}

/** Attributes that are made when they are read: FIFOs, so that a reader waits for its answer. */
const SERVED = ['generation', 'outblob', 'auxblob'] as const
type Served = (typeof SERVED)[number]

/** `spare` is where the next FIFO is made before it takes its place: beside `report`, where no reader looks. */
type Entry = { readonly path: string; readonly spare: string; inblob: Uint8Array; generation: number }

function populate(path: string, provider: string): Entry {
  for (const fifo of SERVED.map((name) => join(path, name)).filter((each) => !existsSync(each)))
    execFileSync('mkfifo', [fifo], { stdio: 'pipe' })
  writeFileSync(join(path, 'inblob'), '')
  writeFileSync(join(path, 'privlevel'), '')
  writeFileSync(join(path, 'privlevel_floor'), '0\n')
  // Last, because the tools wait for it.
  writeFileSync(join(path, 'provider'), `${provider}\n`)
  return { path, spare: join(path, '..', '..', `${basename(path)}.fifo`), inblob: new Uint8Array(), generation: 0 }
}

/**
 * A FIFO can be opened for writing without waiting only while somebody waits to read it. Each serves one reader: the next finds a new
 * one, else a reader that is slow to notice the end would be given the answer twice.
 */
function answerReaders(entry: Entry, blobs: Record<Served, (entry: Entry) => Uint8Array>): void {
  for (const name of SERVED) {
    const fd = openWaiting(join(entry.path, name))
    if (fd !== undefined) answerReader(fd, { entry, name, blob: blobs[name] })
  }
}

type Asked = { readonly entry: Entry; readonly name: Served; readonly blob: (entry: Entry) => Uint8Array }

function answerReader(fd: number, { entry, name, blob }: Asked): void {
  try {
    if (!existsSync(entry.spare)) execFileSync('mkfifo', [entry.spare])
    renameSync(entry.spare, join(entry.path, name))
    noticeInblob(entry)
    answer(fd, blob(entry))
  } finally {
    closeSync(fd)
  }
}

function answer(fd: number, bytes: Uint8Array): void {
  try {
    writeSync(fd, bytes)
  } catch {
    // The reader has gone away; so it does with a file of the kernel's.
  }
}

function openWaiting(path: string): number | undefined {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch {
    return undefined
  }
}

/** The kernel counts writes of attributes; here a write shows as another content. */
function noticeInblob(entry: Entry): void {
  const inblob = readFileSync(join(entry.path, 'inblob'))
  if (Buffer.compare(inblob, entry.inblob) === 0) return
  entry.inblob = inblob
  entry.generation += 1
}

/** The kernel answers EINVAL where there is no inblob or too much of it; a FIFO can only answer nothing. */
function outblobFor(host: FakeHost | FakeIntelHost, inblob: Uint8Array, { outblob = (report) => report }: FakeTsmOptions): Uint8Array {
  if (inblob.length === 0 || inblob.length > INBLOB_MAX) return new Uint8Array()
  const reportData = new Uint8Array(INBLOB_MAX)
  reportData.set(inblob)
  return outblob('qe' in host ? host.quote(reportData) : host.report(reportData))
}

/** The tools do as their namesakes further on PATH, and wait for the attributes or take them away, at once and together. */
function writeTools(bin: string, dir: string): void {
  const report = quoted(join(dir, 'report'))
  const waiting = (tool: string, made: string) => `#!/bin/sh
PATH=\${PATH#*:}
${made}
case $made in ${report}/*) while [ ! -e "$made/provider" ]; do sleep 0.01; done ;; esac
${tool === 'mktemp' ? `printf '%s\\n' "$made"` : ''}
`
  const tools = {
    mkdir: waiting('mkdir', 'mkdir "$@" || exit\nfor made; do :; done'),
    mktemp: waiting('mktemp', 'made=$(mktemp "$@") || exit'),
    rmdir: `#!/bin/sh
PATH=\${PATH#*:}
for dir; do case $dir in ${report}/*) mv -- "$dir" ${quoted(join(dir, 'gone'))}.$$ && rm -r ${quoted(join(dir, 'gone'))}.$$ || exit ;; *) rmdir "$dir" || exit ;; esac; done
`,
  }
  mkdirSync(bin, { recursive: true })
  for (const [name, text] of Object.entries(tools)) {
    writeFileSync(join(bin, name), text)
    chmodSync(join(bin, name), 0o755)
  }
}

const quoted = (path: string): string => `'${path.replaceAll("'", String.raw`'\''`)}'`
