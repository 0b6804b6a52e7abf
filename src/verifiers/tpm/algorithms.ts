import { hash } from 'node:crypto'
import type { PcrBank } from './claims.ts'

/** Ids of algorithms (specification tpm.md section 1). */
export const ALG = {
  rsa: 0x0001,
  none: 0x0010,
  rsassa: 0x0014,
  rsaes: 0x0015,
  rsapss: 0x0016,
  ecdsa: 0x0018,
  ecdaa: 0x001a,
  ecc: 0x0023,
} as const

/** Hashes that are known, with the length of their digests; a bank of PCRs is named by its hash. */
const HASHES: readonly { readonly id: number; readonly name: PcrBank; readonly bytes: number }[] = [
  { id: 0x0004, name: 'sha1', bytes: 20 },
  { id: 0x000b, name: 'sha256', bytes: 32 },
  { id: 0x000c, name: 'sha384', bytes: 48 },
  { id: 0x000d, name: 'sha512', bytes: 64 },
]

/** Hashes that a signature may be made over (section 3.4): all but SHA-1. */
export type SigningHash = Exclude<PcrBank, 'sha1'>

/** The hash of an id; undefined for one that is not known here (SM3, SHA-3). */
export const hashOf = (id: number): PcrBank | undefined => HASHES.find((row) => row.id === id)?.name

/** The id of a hash. */
export const idOfHash = (name: PcrBank): number => rowOf(name).id

/** Bytes of a digest. */
export const digestBytes = (name: PcrBank): number => rowOf(name).bytes

const rowOf = (name: PcrBank) => HASHES.find((row) => row.name === name) ?? { id: ALG.none, bytes: 0 }

/** The digest of bytes, with another library's name for the same hash. */
export const digest = (name: PcrBank, bytes: Uint8Array): Uint8Array => hash(name, bytes, 'buffer')

/** `0x000b`: an id as the specification writes it. */
export const hex16 = (id: number): string => `0x${id.toString(16).padStart(4, '0')}`

/** Curves that are accepted (section 1), with the bytes of a coordinate and the name that a JWK gives them. */
export const CURVES: readonly Curve[] = [
  { id: 3, bytes: 32, jwk: 'P-256', label: 'ecc-p256' },
  { id: 4, bytes: 48, jwk: 'P-384', label: 'ecc-p384' },
  { id: 5, bytes: 66, jwk: 'P-521', label: 'ecc-p521' },
]
/** One row of {@link CURVES}. */
export type Curve = { readonly id: number; readonly bytes: number; readonly jwk: string; readonly label: string }
