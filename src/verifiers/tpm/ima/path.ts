/** A path as text, and whether it is the text that the bytes are: only then may it satisfy a rule. */
export type PathText = { readonly text: string; readonly exactly: boolean }

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** PATH_MAX of Linux without the final NUL. Patterns are asked of every character, and the kernel writes no more. */
const MOST_BYTES = 4095

/** A path's bytes as text. Bytes that are not UTF-8 are told as `\xff`, which is not what any rule can mean; of longer ones the beginning is told. */
export function pathText(path: Buffer): PathText {
  if (path.byteLength > MOST_BYTES) return { text: pathText(path.subarray(0, MOST_BYTES)).text, exactly: false }
  try {
    return { text: utf8.decode(path), exactly: true }
  } catch {
    const text = path.toString('latin1').replaceAll(/[^\x20-\x7e]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
    return { text, exactly: false }
  }
}
