import type { ImaAccepted, ImaFaultKind, ImaFaults } from './claims.ts'
import type { ImaDigest } from './entry.ts'
import type { ImaOutcomes } from './outcomes.ts'

/** Faults that are told one by one; the others are counted. */
const TOLD = 8
const PATH_CHARACTERS = 256
const DIGEST_CHARACTERS = 160

/** An entry as a fault tells it. */
export type Told = { readonly number: number; readonly path: string; readonly digest: ImaDigest }

const NOTHING: ImaAccepted = { digest: 0, signature: 0, excluded: 0, keyring: 0, buffer: 0 }

/** Counts of what was found, bounded whatever the list holds. */
export class Tally {
  #accepted: ImaAccepted
  #faults: ImaFaults

  /** Goes on from what an earlier appraisal found. */
  constructor(before: Pick<ImaOutcomes, 'accepted' | 'faults'> | undefined) {
    this.#accepted = before?.accepted ?? NOTHING
    this.#faults = before?.faults ?? {}
  }

  get accepted(): ImaAccepted {
    return this.#accepted
  }
  get faults(): ImaFaults {
    return this.#faults
  }

  accept(by: keyof ImaAccepted): void {
    this.#accepted = { ...this.#accepted, [by]: this.#accepted[by] + 1 }
  }

  fault(kind: ImaFaultKind, { number, path, digest }: Told): void {
    const { count, first } = this.#faults[kind] ?? { count: 0, first: [] }
    const told = { entry: number, path: path.slice(0, PATH_CHARACTERS), digest: digestText(digest).slice(0, DIGEST_CHARACTERS) }
    this.#faults = { ...this.#faults, [kind]: { count: count + 1, first: first.length < TOLD ? [...first, told] : first } }
  }
}

/** A digest as policies write it: `sha256:<hex>`, and `verity:sha256:<hex>` for that of a Merkle tree. */
export const digestText = ({ algorithm, bytes, of }: ImaDigest): string =>
  `${of === 'verity' ? 'verity:' : ''}${algorithm}:${bytes.toString('hex')}`
