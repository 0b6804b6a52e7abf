import type { ImaEntry } from './entry.ts'

/** Hashes of the kernel's numbering whose signatures count. SHA-1 and older do not: two files with one digest can be made. */
const HASHES: ReadonlyMap<number, string> = new Map([
  [4, 'sha256'],
  [5, 'sha384'],
  [6, 'sha512'],
])
const HEADER_BYTES = 9

/** A signature over a file as its extended attribute holds it (specification tpm.md section 12.6). */
export type FileSignature = {
  /** 3: over a file's digest; 6: over that of its Merkle tree (fs-verity). */
  readonly type: number
  /** 2: over the digest itself; 3: over type, hash and digest. */
  readonly version: number
  readonly hash: string
  /** Lower-case hex. */
  readonly keyId: string
  readonly signature: Buffer
}

/** What a field of a signature is: `other` are signatures that no rule about files can use (portable EVM, weak hashes). */
export type ReadSignature = FileSignature | 'absent' | 'malformed' | 'other'

/** Types and versions that exist: a digest of files in both, metadata (portable EVM), and Merkle trees, which came with the second. */
const FORMS: ReadonlySet<string> = new Set(['3.2', '3.3', '5.2', '5.3', '6.3'])
/** Over metadata of the file that no list tells. */
const EVM_PORTABLE = 5

/** Types of attributes that the kernel takes into a list: signatures over files, over metadata, and over Merkle trees. */
const TYPES: ReadonlySet<number | undefined> = new Set([3, EVM_PORTABLE, 6])

/** Whether the field can be one that the kernel wrote for a file; if not, the entry is a buffer (a key that was loaded) under another name. */
export const mayHoldSignature = ({ signature: field }: ImaEntry): boolean =>
  field === undefined || field.byteLength === 0 || TYPES.has(field[0])

/** Reads the field. Its declared length must be that of the rest. */
export function readSignature({ signature: field }: ImaEntry): ReadSignature {
  if (field === undefined || field.byteLength === 0) return 'absent'
  if (field.byteLength <= HEADER_BYTES || field.readUInt16BE(7) !== field.byteLength - HEADER_BYTES) return 'malformed'
  const [type, version] = [field.readUInt8(0), field.readUInt8(1)]
  if (!FORMS.has(`${type}.${version}`)) return 'malformed'
  const hash = HASHES.get(field.readUInt8(2))
  if (type === EVM_PORTABLE || hash === undefined) return 'other'
  return { type, version, hash, keyId: field.toString('hex', 3, 7), signature: field.subarray(HEADER_BYTES) }
}
