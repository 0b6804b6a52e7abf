import { digest, idOfHash } from './algorithms.ts'
import type { PcrBank } from './claims.ts'
import type { PublicArea } from './public.ts'

/** Handles of the hierarchies that a primary object may be of (specification tpm.md section 3.3). */
const ENDORSEMENT = 0x4000000b

/** nameAlg ‖ digest. */
function named(nameAlg: PcrBank, bytes: Uint8Array): Uint8Array {
  const of = digest(nameAlg, bytes)
  const name = new Uint8Array(2 + of.length)
  new DataView(name.buffer).setUint16(0, idOfHash(nameAlg))
  name.set(of, 2)
  return name
}

/** The name of an object: over the bytes as they came, since another encoding of the same key has another name (section 3.2). */
export const nameOf = ({ nameAlg, bytes }: Pick<PublicArea, 'nameAlg' | 'bytes'>): Uint8Array => named(nameAlg, bytes)

/** The qualified name of a primary object of the endorsement hierarchy. */
export function endorsementPrimary(nameAlg: PcrBank, name: Uint8Array): Uint8Array {
  const parent = new Uint8Array(4)
  new DataView(parent.buffer).setUint32(0, ENDORSEMENT)
  return childOf(parent, { nameAlg, name })
}

/** The qualified name of an object under a parent with this qualified name; that of a hierarchy is its handle. */
const childOf = (parent: Uint8Array, { nameAlg, name }: { readonly nameAlg: PcrBank; readonly name: Uint8Array }): Uint8Array =>
  named(nameAlg, Buffer.concat([parent, name]))
