import { createReadStream } from 'node:fs'
import { readLine, START, type ChainedLine, type Link } from './audit-chain.ts'

/** What is wrong with a chain at one place. */
type FaultKind =
  | 'edited' // the line before is not the one that was written
  | 'gap' // lines are missing before this one
  | 'repeated' // this line, or one with its number, stands further up
  | 'restarted' // a new chain begins
  | 'foreign' // JSON that has no place in a chain
  | 'unreadable' // no JSON, and the service does not know of it
  | 'broken-off' // the file ends inside a line
  | 'head' // a line that was known from elsewhere is missing, or another

/** One fault: the file and the number of the line (from 1) where it shows. */
type Fault = { readonly file: string; readonly line: number; readonly kind: FaultKind; readonly detail: string }

/** What verifying found. `first` and `head` are the ends of what was read; undefined when no line is chained. */
export type Verified = {
  readonly lines: number
  /** Lines in front of the first chained one: written before chains were, and protected by nothing. */
  readonly unchained: number
  readonly first: number | undefined
  readonly head: Link | undefined
  /** In the order in which they stand; at most {@link MOST_FAULTS}. */
  readonly faults: readonly Fault[]
  readonly moreFaults: number
}

/** Faults that are told one by one. */
const MOST_FAULTS = 1000

type Walk = {
  lines: number
  unchained: number
  first: number | undefined
  head: Link | undefined
  /** Where something stands that is no line, until it is known whether the service knows of it. */
  broken: (Place & { readonly found: Found }) | undefined
  moreFaults: number
  readonly faults: Fault[]
  /** SHA-256 of lines that are known from elsewhere, by number. */
  readonly expected: ReadonlyMap<number, string>
}

type Place = { readonly file: string; readonly line: number }

/**
 * Reads audit files as one chain, in whatever order they are given, and finds what was changed, removed, added or moved. `heads` are ends of
 * the chain that are known from elsewhere: without one, nothing tells that the last lines were cut off, or that all were written anew.
 * Memory does not grow with the files. Rejects for a file that cannot be read.
 */
export async function verifyAudit(files: readonly string[], heads: readonly Link[] = []): Promise<Verified> {
  const walk: Walk = {
    lines: 0,
    unchained: 0,
    first: undefined,
    head: undefined,
    broken: undefined,
    moreFaults: 0,
    faults: [],
    expected: new Map(heads.map(({ seq, sha256 }) => [seq, sha256])),
  }
  const ordered = await inOrder(files)
  // One chain: the end of a file is needed for the beginning of the next.
  for (const file of ordered) await walkFile(walk, file)
  endBroken(walk)
  missingHeads(walk, ordered)
  const { lines, unchained, first, head, faults, moreFaults } = walk
  return { lines, unchained, first, head, faults, moreFaults }
}

/** By the first number in each: names and dates of files prove nothing. A file without any comes where it was given. */
async function inOrder(files: readonly string[]): Promise<readonly string[]> {
  const numbered = await Promise.all(files.map(async (file) => ({ file, seq: await firstNumber(file) })))
  return numbered.toSorted((a, b) => a.seq - b.seq).map(({ file }) => file)
}

async function firstNumber(file: string): Promise<number> {
  for await (const { bytes } of linesOf(file)) {
    const line = readLine(bytes)
    if (typeof line === 'object') return line.link.seq
  }
  return 0
}

async function walkFile(walk: Walk, file: string): Promise<void> {
  let number = 0
  for await (const { bytes, ended } of linesOf(file)) {
    number += 1
    walk.lines += 1
    const place = { file, line: number }
    if (ended) walkLine(walk, place, bytes)
    else walk.broken ??= { ...place, found: ['broken-off', 'the file ends inside a line, and no line behind it knows of it'] }
  }
}

const UNREADABLE: Found = ['unreadable', 'this is no audit line, and the next one does not know of it']

function walkLine(walk: Walk, place: Place, bytes: Uint8Array): void {
  const line = readLine(bytes)
  if (line === 'broken') walk.broken ??= { ...place, found: UNREADABLE }
  else if (line !== 'foreign') chainedLine(walk, place, line)
  else if (walk.head === undefined && walk.broken === undefined) walk.unchained += 1
  else report(walk, place, ['foreign', 'this line has no place in the chain'])
}

function chainedLine(walk: Walk, place: Place, line: ChainedLine): void {
  endBroken(walk, line.mends ? place : undefined)
  const faults = [walk.head === undefined ? beginning(line, walk) : faultOf(line, walk.head), ...contradictions(walk, line)]
  for (const fault of faults) if (fault !== undefined) report(walk, place, fault)
  walk.first ??= line.link.seq
  walk.head = line.link
}

/** A fragment and the line that knows of it belong together. */
function endBroken(walk: Walk, mending?: Place): void {
  const { broken } = walk
  walk.broken = undefined
  if (broken !== undefined && mending === undefined) report(walk, broken, broken.found)
  if (broken === undefined && mending !== undefined) report(walk, mending, ['edited', 'what was broken off before this line was removed'])
}

/** Where a line, or the one before all that is read, is not what was known from elsewhere. */
function contradictions({ expected, head }: Walk, { link, prev }: ChainedLine): readonly (Found | undefined)[] {
  const [here, before] = [expected.get(link.seq), head === undefined ? expected.get(link.seq - 1) : undefined]
  return [differs(here, link.sha256, link.seq), differs(before, prev, link.seq - 1)]
}

const differs = (known: string | undefined, found: string, seq: number): Found | undefined =>
  known === undefined || known === found ? undefined : ['head', `line ${seq} of the chain is another than the one that was known`]

type Found = readonly [kind: FaultKind, detail: string]

/** What is read may begin anywhere in a chain, but behind lines that are in none it begins at its first. */
function beginning({ link: { seq }, prev }: ChainedLine, { unchained }: Walk): Found | undefined {
  if (seq === 1 && prev !== START.sha256) return ['edited', 'the first line of a chain names one before it']
  return seq > 1 && unchained > 0 ? ['gap', `lines 1 to ${seq - 1} of the chain are missing, or are no longer in it`] : undefined
}

/** What is wrong between two lines that follow each other. After a fault the chain is followed from where it goes on. */
function faultOf({ link, prev }: ChainedLine, before: Link): Found | undefined {
  const { seq } = link
  if (seq === 1) return ['restarted', `a new chain begins behind line ${before.seq} of another`]
  if (seq <= before.seq) return ['repeated', `line ${seq} of the chain stands behind its line ${before.seq}`]
  if (seq > before.seq + 1) return ['gap', `${seq - before.seq - 1} of the chain's lines are missing, from ${before.seq + 1} on`]
  if (prev !== before.sha256) return ['edited', `line ${before.seq} of the chain, before this one, is not as it was written`]
  return undefined
}

/** Known lines that lie behind or before everything that was read; the one right before is told by the first line. */
function missingHeads(walk: Walk, files: readonly string[]): void {
  const { first = 0, head = START } = walk
  const known = [...walk.expected.keys()]
  for (const seq of known.filter((n) => n > head.seq))
    report(walk, at(files.at(-1), walk.lines), ['head', `the chain was known to reach line ${seq}`])
  for (const seq of known.filter((n) => n < first - 1))
    report(walk, at(files[0]), ['head', `line ${seq} of the chain was known, and is not here`])
}

const at = (file = '', line = 1): Place => ({ file, line })

function report(walk: Walk, { file, line }: Place, [kind, detail]: Found): void {
  if (walk.faults.length < MOST_FAULTS) walk.faults.push({ file, line, kind, detail })
  else walk.moreFaults += 1
}

/** Longer than any line that a service writes; what is longer counts as broken off, and is not kept. */
const MOST_LINE_BYTES = 1024 * 1024

/** What stands for the beginning of such a line: with a part of it left out, the rest must not be read as one. */
const CUT = Uint8Array.of(0)

const NEWLINE = 0x0a

/** The lines of a file without their line breaks; the last may have none. */
async function* linesOf(path: string): AsyncGenerator<{ readonly bytes: Uint8Array; readonly ended: boolean }> {
  let pending: Uint8Array = new Uint8Array()
  for await (const chunk of createReadStream(path)) {
    let bytes: Uint8Array = Buffer.concat([pending, chunkOf(chunk)])
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE)) {
      yield { bytes: bytes.subarray(0, end), ended: true }
      bytes = bytes.subarray(end + 1)
    }
    pending = bytes.length > MOST_LINE_BYTES ? CUT : bytes
  }
  if (pending.length > 0) yield { bytes: pending, ended: false }
}

/** What a stream without an encoding yields. */
function chunkOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  throw new TypeError('a stream of bytes yielded something else')
}
