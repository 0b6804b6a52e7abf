/** Reads a body up to a limit and no further; the rest is never taken from the network. */
export async function readCapped(body: AsyncIterable<Uint8Array> | null, most: number): Promise<Uint8Array | 'too-large'> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body ?? []) {
    size += part.length
    if (size > most) return 'too-large'
    parts.push(part)
  }
  return new Uint8Array(Buffer.concat(parts, size))
}
