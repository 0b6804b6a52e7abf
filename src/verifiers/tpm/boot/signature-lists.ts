import { hash as hashOnce } from 'node:crypto'
import { readable } from '../../der-attempt.ts'
import { Reader } from '../../reader.ts'
import type { SignatureDatabase } from './claims.ts'

/** Types of signature lists by their GUID as it lies in memory (UEFI section 32.4.1; specification tpm.md section 10.2). */
const X509 = 'a159c0a5e494a74a87b5ab155c2bf072'
const SHA256 = '2616c4c14c509240aca941f936934328'
/** Bytes of a list's head: type, and three sizes. */
const HEAD = 28
/** Bytes of an entry's owner. */
const OWNER = 16
/** Bytes of an entry that is a SHA-256 digest. */
const SHA256_ENTRY = OWNER + 32

type Entry = { readonly type: string; readonly data: Uint8Array }

/** Reads the lists of PK, KEK, db or dbx to their end; undefined where they are none. No byte at all: an empty database. */
export function readSignatureLists(bytes: Uint8Array): SignatureDatabase | undefined {
  const entries = readable(() => Reader.all(bytes, { what: 'EFI_SIGNATURE_LIST' }, readLists))
  if (entries === undefined) return undefined
  const of = (type: string): readonly Uint8Array[] => entries.filter((entry) => entry.type === type).map(({ data }) => data)
  const [certificates, digests] = [of(X509), of(SHA256)]
  return {
    certificates: certificates.map((der) => hashOnce('sha256', der)),
    sha256: digests.map((digest) => Buffer.from(digest).toString('hex')),
    unhandled: entries.length - certificates.length - digests.length,
  }
}

function readLists(r: Reader): readonly Entry[] {
  const entries: Entry[] = []
  while (r.left > 0) entries.push(...readList(r))
  return entries
}

function readList(r: Reader): readonly Entry[] {
  const type = Buffer.from(r.bytes('SignatureType', 16)).toString('hex')
  const [listSize, headerSize, size] = [r.u32le('SignatureListSize'), r.u32le('SignatureHeaderSize'), r.u32le('SignatureSize')]
  const entryBytes = listSize - HEAD - headerSize
  if (size <= OWNER || entryBytes < 0 || entryBytes % size !== 0) throw r.malformed('SignatureSize', `${size} does not divide the list`)
  if (type === SHA256 && size !== SHA256_ENTRY) throw r.malformed('SignatureSize', `${size} is not that of a SHA-256 digest`)
  r.window('SignatureHeader', headerSize)
  const all = r.window('Signatures', entryBytes)
  return Array.from({ length: entryBytes / size }, (_, place) => ({ type, data: all.subarray(place * size + OWNER, (place + 1) * size) }))
}

const SEQUENCE = 0x30

/** Whether the bytes are one DER SEQUENCE from first to last, as a certificate is: by its length of two bytes, which every certificate has. */
export const isSequence = (bytes: Uint8Array): boolean =>
  bytes.length > 4 && bytes[0] === SEQUENCE && bytes[1] === 0x82 && Buffer.from(bytes.subarray(2, 4)).readUInt16BE() === bytes.length - 4
