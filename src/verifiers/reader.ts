import { AttestationError, type ProblemCode } from './problems.ts'

/** Reads untrusted bytes once, forwards only. Every read is named, bounded, and copied out. */
export class Reader {
  readonly #view: DataView
  readonly #what: string
  readonly #code: ProblemCode
  #offset = 0

  private constructor(bytes: Uint8Array, what: string, code: ProblemCode) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#what = what
    this.#code = code
  }

  /** Decodes the whole of `bytes`; any byte the decoder leaves behind is an error. Throws AttestationError with `code`. */
  static all<T>(
    bytes: Uint8Array,
    { what, code = 'evidence-malformed' }: { what: string; code?: ProblemCode },
    decode: (r: Reader) => T,
  ): T {
    const r = new Reader(bytes, what, code)
    const value = decode(r)
    if (r.left > 0) throw r.malformed('end', `${r.left} bytes follow the last field`)
    return value
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#view.byteLength - this.#offset
  }
  /** Bytes read so far. */
  get offset(): number {
    return this.#offset
  }
  /** One byte. */
  u8(field: string): number {
    return this.#view.getUint8(this.#advance(field, 1))
  }
  /** 16 bits, little-endian. */
  u16le(field: string): number {
    return this.#view.getUint16(this.#advance(field, 2), true)
  }
  /** 32 bits, little-endian. */
  u32le(field: string): number {
    return this.#view.getUint32(this.#advance(field, 4), true)
  }
  /** 64 bits, little-endian. */
  u64le(field: string): bigint {
    return this.#view.getBigUint64(this.#advance(field, 8), true)
  }
  /** 16 bits, big-endian. */
  u16be(field: string): number {
    return this.#view.getUint16(this.#advance(field, 2))
  }
  /** 32 bits, big-endian. */
  u32be(field: string): number {
    return this.#view.getUint32(this.#advance(field, 4))
  }
  /** 64 bits, big-endian. */
  u64be(field: string): bigint {
    return this.#view.getBigUint64(this.#advance(field, 8))
  }
  /** A copy of `length` bytes. */
  bytes(field: string, length: number): Uint8Array<ArrayBuffer> {
    const at = this.#advance(field, length)
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + at, length).slice()
  }
  /** A window on `length` bytes, for decoders whose bytes nobody else will change. */
  window(field: string, length: number): Uint8Array {
    const at = this.#advance(field, length)
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + at, length)
  }
  /** Proves that a reserved span is zero; `code` tells which rule it breaks. */
  zeros(field: string, length: number, code?: ProblemCode): void {
    if (this.bytes(field, length).some((b) => b !== 0)) throw this.malformed(field, 'reserved bytes are set', code)
  }
  /** The error for a field that breaks a rule, located. */
  malformed(field: string, why: string, code: ProblemCode = this.#code): AttestationError {
    const at = `${this.#what}.${field}`
    return new AttestationError(code, `${at} @${this.#offset}: ${why}`, { at })
  }

  #advance(field: string, length: number): number {
    if (length > this.left) throw this.malformed(field, `needs ${length} bytes, ${this.left} left`)
    const at = this.#offset
    this.#offset += length
    return at
  }
}
