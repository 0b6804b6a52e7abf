import { hash } from 'node:crypto'

/** Where a chain stands: the number of its last line, and the SHA-256 (hex) of that line's bytes without the line break. */
export type Link = { readonly seq: number; readonly sha256: string }

/** Where a chain stands that has no line yet. */
export const START: Link = { seq: 0, sha256: '0'.repeat(64) }

/** A line as it stands in a chain. `mends`: what stands right before it was broken off, and is no line. */
export type ChainedLine = { readonly link: Link; readonly prev: string; readonly mends: boolean }

/** The member that says that the service knows of a fragment before this line. */
const MENDS = '"after_broken":true,'

const SHA256_HEX = /^[0-9a-f]{64}$/

/** The next line of a chain, without its line break: `seq` and `prev` (the SHA-256 of the line before) stand in front of the entry. */
export function nextLine(entry: string, after: Link, mends: boolean): { readonly text: string; readonly link: Link } {
  const seq = after.seq + 1
  const text = `{"seq":${seq},"prev":"${after.sha256}",${mends ? MENDS : ''}${entry.slice(1)}`
  return { text, link: { seq, sha256: hash('sha256', text, 'hex') } }
}

/** What a line turns out to be: `foreign` is JSON without a place in a chain, `broken` is no JSON at all. */
export function readLine(bytes: Uint8Array): ChainedLine | 'foreign' | 'broken' {
  const value = parsed(bytes)
  if (value === undefined) return 'broken'
  const { seq, prev, after_broken: mends } = value
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1) return 'foreign'
  if (typeof prev !== 'string' || !SHA256_HEX.test(prev)) return 'foreign'
  return { link: { seq, sha256: hash('sha256', bytes, 'hex') }, prev, mends: mends === true }
}

/** The end of an object is its last byte, so no part of a line that was broken off can be read as one. */
function parsed(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** Where a chain stands at the end of a text; `rest`: something stands behind it that is none of its lines. */
export type ChainEnd = { readonly link: Link | undefined; readonly rest: boolean }

/** Where the chain stands at the end of a piece of text, whose first line may be cut off; and whether anything stands behind its last line. */
export function lastLink(tail: Uint8Array): ChainEnd {
  const newline = 0x0a
  let end = tail.length
  let rest = false
  while (end > 0) {
    const unended = end === tail.length && tail[end - 1] !== newline
    const stop = unended ? end : end - 1
    const start = tail.subarray(0, stop).lastIndexOf(newline) + 1
    const line = unended ? 'broken' : readLine(tail.subarray(start, stop))
    if (typeof line === 'object') return { link: line.link, rest }
    rest = true
    end = start
  }
  return { link: undefined, rest }
}
