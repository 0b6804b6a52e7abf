import { styleText } from 'node:util'

/** Where a command writes: results to standard output, remarks to standard error. */
export type Output = { readonly out: (text: string) => void; readonly note: (text: string) => void }

/** What a command has of the world: where it writes, the environment it reads, and how it says its exit code. */
export type Session = Output & {
  /** Writes bytes as they are. */
  readonly raw: (bytes: Uint8Array) => void
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly exit: (code: number) => void
}

/** The session of this process; `exit` is the caller's. */
export const processSession: Omit<Session, 'exit'> = {
  out: (text) => void process.stdout.write(text.endsWith('\n') ? text : `${text}\n`),
  note: (text) => void process.stderr.write(`${text}\n`),
  raw: (bytes) => void process.stdout.write(bytes),
  environment: process.env,
}

/** Untrusted text as it may be shown: control characters could move the cursor and forge a verdict. */
export const printable = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)

type Style = Parameters<typeof styleText>[0]

/** Coloured where standard output is a terminal that shows colours. */
export const styled = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout })

/** A JSON answer: one object, indented for people. */
export const jsonText = (value: unknown): string => JSON.stringify(value, undefined, 2)

/** The same for eyes alone: what fits in a line of 80 columns is one line. */
export function denseJson(value: unknown, margin = '', label = ''): string {
  const line = `${margin}${label}${JSON.stringify(value, undefined, 1).replaceAll(/\n */g, ' ')}`
  if (line.length < 80 || typeof value !== 'object' || value === null) return line
  const inner = `${margin} `
  const [open, close, parts] = Array.isArray(value)
    ? ['[', ']', value.map((item) => denseJson(item, inner))]
    : ['{', '}', Object.entries(value).map(([name, member]) => denseJson(member, inner, `${JSON.stringify(name)}: `))]
  return `${margin}${label}${open}\n${parts.join(',\n')}\n${margin}${close}`
}

const WIDTH = 100

/** Lines of at most `width` characters, cut at blanks; a value without blanks (a digest) stays whole, so that it can be copied. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** Rows of a name and a value as aligned columns; values that are too long go on in the next line. Everything is made printable. */
export function columns(rows: readonly (readonly [name: string, value: string])[], indent = 0): string {
  const safe = rows.map(([name, value]) => [printable(name), printable(value)] as const)
  const width = Math.max(0, ...safe.map(([name]) => name.length)) + 2
  const margin = ' '.repeat(indent)
  const line = ([name, value]: readonly [string, string]) => {
    const [first = '', ...more] = wrap(value, Math.max(40, WIDTH - width - indent))
    return [`${margin}${name.padEnd(width)}${first}`, ...more.map((part) => `${margin}${' '.repeat(width)}${part}`)].join('\n')
  }
  return safe.map(line).join('\n')
}
