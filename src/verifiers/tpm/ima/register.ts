import { hash } from 'node:crypto'
import type { PcrBank } from '../claims.ts'
import { isViolation, type ImaEntry } from './entry.ts'

/** Bytes of a register of each bank. */
const BYTES: Readonly<Record<PcrBank, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 }

/** How an entry extends a bank: by that bank's hash of the data, or as kernels before 5.8 did, by SHA-1 padded with zeros. */
export type Padding = 'own-hash' | 'legacy'

/** PCR 10 of one bank as the list leads to it (specification tpm.md sections 12.2 to 12.4). */
export class Register {
  readonly #bank: PcrBank
  readonly #padding: Padding
  #value: Buffer

  /** Begins at `value`; absent: at zero. */
  constructor(bank: PcrBank, padding: Padding, value: Uint8Array = new Uint8Array(BYTES[bank])) {
    this.#bank = bank
    this.#padding = padding
    this.#value = Buffer.from(value)
  }

  get value(): Buffer {
    return this.#value
  }
  get padding(): Padding {
    return this.#padding
  }

  /** Extends by one entry. */
  extend(entry: ImaEntry): void {
    this.#value = hash(this.#bank, Buffer.concat([this.#value, this.#digestOf(entry)]), 'buffer')
  }

  equals(value: Uint8Array): boolean {
    return this.#value.equals(value)
  }

  #digestOf(entry: ImaEntry): Buffer {
    const name = this.#padding === 'legacy' ? 'sha1' : this.#bank
    const digest = isViolation(entry) ? Buffer.alloc(BYTES[name], 0xff) : hash(name, entry.data, 'buffer')
    if (digest.byteLength === BYTES[this.#bank]) return digest
    return Buffer.concat([digest], BYTES[this.#bank])
  }
}
