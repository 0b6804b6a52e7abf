import { pem } from './envelopes.ts'
import type { FakePck } from './pck.ts'

/** Certification data of a quote: how it names the PCK (specification tdx.md section 1.8). */
export type Certification = { readonly type: number; readonly data: Uint8Array }

/** Types 1 to 3 name the PCK, 4 is its certificate, 5 its chain; `5-open` is a chain without the NUL at its end, as some hosts write it. */
export type CertificationKind = 1 | 2 | 3 | 4 | 5 | '5-open'

/** The certification data of a kind for a PCK. */
export const certificationData = (kind: CertificationKind, pck: FakePck): Certification => KINDS[kind](pck)

/** Certificates as PEM, one after the other. */
export const pemChain = (chain: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.from(chain.map((der) => pem(der)).join('')))

const KINDS: Record<CertificationKind, (pck: FakePck) => Certification> = {
  1: (pck) => ({ type: 1, data: withTcb(pck.fields.ppid, pck) }),
  2: (pck) => ({ type: 2, data: withTcb(encryptedPpid(pck, 256), pck) }),
  3: (pck) => ({ type: 3, data: withTcb(encryptedPpid(pck, 384), pck) }),
  4: (pck) => ({ type: 4, data: pck.der }),
  5: (pck) => ({ type: 5, data: new Uint8Array([...pemChain(pck.chain), 0]) }),
  '5-open': (pck) => ({ type: 5, data: pemChain(pck.chain) }),
}

/** Nobody can read a real one but Intel; here the fake Intel can, by its first 16 bytes. */
export function encryptedPpid({ fields }: FakePck, bytes: 256 | 384): Uint8Array {
  const padded = new Uint8Array(bytes).fill(0xe5)
  padded.set(fields.ppid)
  return padded
}

function withTcb(ppid: Uint8Array, { fields }: FakePck): Uint8Array {
  const pcesvn = Buffer.alloc(2)
  pcesvn.writeUInt16LE(fields.pcesvn)
  // PCEID is a number in the certificate (big-endian) and in a quote (little-endian).
  return new Uint8Array(Buffer.concat([ppid, fields.cpusvn, pcesvn, fields.pceid.toReversed()]))
}
