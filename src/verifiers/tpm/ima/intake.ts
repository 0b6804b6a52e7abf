const NEWLINE = 0x0a

/** A list in portions of this size where it is at hand as a whole, so that others may work in between. */
const PORTION_BYTES = 64 * 1024

/** Lists at hand and lists that still arrive, alike. */
export async function* portionsOf(list: Uint8Array | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (!(list instanceof Uint8Array)) {
    yield* list
    return
  }
  for (let at = 0; at < list.byteLength; at += PORTION_BYTES) yield list.subarray(at, at + PORTION_BYTES)
}

/**
 * What has arrived of a list and was not consumed yet. It never holds more than one unfinished entry and one portion: bytes are copied once
 * when they arrive, and moved at most once more whenever the buffer must grow. Views that it hands out are good until the next fill.
 */
export class Intake {
  readonly #portions: AsyncIterator<Uint8Array>
  #buffer: Buffer = Buffer.allocUnsafe(2 * PORTION_BYTES)
  #start = 0
  #end = 0
  /** No newline is in the bytes before this one. */
  #searched = 0
  #total = 0

  constructor(portions: AsyncIterable<Uint8Array>) {
    this.#portions = portions[Symbol.asyncIterator]()
  }

  /** Bytes that have arrived in all. */
  get total(): number {
    return this.#total
  }
  /** Bytes that wait to be consumed. */
  get waiting(): number {
    return this.#end - this.#start
  }

  /** Takes in the next portion. False at the end of the list; rejects with what reading the list throws. */
  async fill(): Promise<boolean> {
    const { done, value } = await this.#portions.next()
    if (done === true) return false
    this.#makeRoom(value.byteLength)
    this.#buffer.set(value, this.#end)
    this.#end += value.byteLength
    this.#total += value.byteLength
    return true
  }

  /** Tells the source that no more is wanted. */
  async close(): Promise<void> {
    await this.#portions.return?.()
  }

  /** The next whole line without its newline; undefined where none has arrived whole. */
  line(): Buffer | undefined {
    const at = this.#buffer.subarray(0, this.#end).indexOf(NEWLINE, Math.max(this.#start, this.#searched))
    this.#searched = this.#end
    if (at < 0) return undefined
    const line = this.#buffer.subarray(this.#start, at)
    this.#start = at + 1
    this.#searched = this.#start
    return line
  }

  /** The next `length` bytes without consuming them; undefined where fewer have arrived. */
  peek(length: number): Buffer | undefined {
    return length > this.waiting ? undefined : this.#buffer.subarray(this.#start, this.#start + length)
  }

  /** Consumes bytes that were peeked at. */
  skip(length: number): void {
    this.#start += length
  }

  #makeRoom(bytes: number): void {
    if (this.#end + bytes <= this.#buffer.byteLength) return
    const wanted = this.waiting + bytes
    const roomier = wanted * 2 > this.#buffer.byteLength ? Buffer.allocUnsafe(wanted * 2) : this.#buffer
    this.#buffer.copy(roomier, 0, this.#start, this.#end)
    this.#searched = Math.max(0, this.#searched - this.#start)
    this.#end = this.waiting
    this.#start = 0
    this.#buffer = roomier
  }
}
