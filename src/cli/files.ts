import { readFileSync, writeFileSync } from 'node:fs'
import { UsageError } from './exit.ts'
import type { Output } from './output.ts'

/** The largest file that a command reads: a bundle of every list that AMD publishes is far smaller. */
const FILE_BYTES = 64 * 1024 * 1024

/** The bytes of a file, or of standard input for `-`. */
export function readBytes(path: string): Uint8Array<ArrayBuffer> {
  const bytes = attempt(() => readFileSync(path === '-' ? 0 : path), `cannot read ${path}`)
  if (bytes.byteLength > FILE_BYTES) throw new UsageError(`${path} is larger than ${FILE_BYTES} bytes`)
  return new Uint8Array(bytes)
}

/** Text without the byte order mark that some editors put in front (RFC 8259 section 8.1 lets a reader ignore it). */
export const withoutMark = (bytes: Uint8Array): Uint8Array =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes

const textOf = (bytes: Uint8Array, name: string): string =>
  attempt(() => new TextDecoder('utf-8', { fatal: true }).decode(bytes), `${name} is not UTF-8 text`)

/** The text of a file; anything that is not UTF-8 is refused, not replaced. */
export const readText = (path: string): string => textOf(readBytes(path), path)

function attempt<T>(work: () => T, failure: string): T {
  try {
    return work()
  } catch (error) {
    throw new UsageError(`${failure}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Bytes written as hex digits on the command line. */
export function hexBytes(text: string, option: string): Uint8Array<ArrayBuffer> {
  if (!/^(?:[0-9a-fA-F]{2})+$/.test(text)) throw new UsageError(`${option} takes an even number of hex digits`)
  return new Uint8Array(Buffer.from(text, 'hex'))
}

/** Bytes written as base64 on the command line, as our answers give them. */
export function base64Bytes(text: string, option: string): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(text, 'base64')
  if (text === '' || bytes.toString('base64') !== text) throw new UsageError(`${option} takes standard base64 with padding`)
  return new Uint8Array(bytes)
}

/** A point in time written on the command line. */
export function timeOf(text: string, option: string): Date {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(text) ? new Date(text) : new Date(Number.NaN)
  if (Number.isNaN(time.getTime())) throw new UsageError(`${option} takes a time such as 2026-01-31T12:00:00Z`)
  return time
}

/** Writes a result to the file that was named, else to standard output. */
export function writeOut(text: string, file: string | undefined, { out }: Pick<Output, 'out'>): void {
  if (file === undefined) out(text)
  else writeFileSync(file, text.endsWith('\n') ? text : `${text}\n`)
}
