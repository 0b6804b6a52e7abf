import { AttestationError } from '../problems.ts'
import { Reader } from '../reader.ts'

/**
 * A document of Intel's as it is handed around and kept under its `intel/…` address. `body`: the exact bytes of the answer (JSON as served, or a
 * list in DER); `issuerChain`: the PEM that came beside it, empty where there was none. Both untrusted.
 */
export type VendorDocument = { readonly issuerChain: Uint8Array; readonly body: Uint8Array }

/** One byte string: length of the chain (u32, little-endian), chain, body. */
export function writeVendorDocument({ issuerChain, body }: VendorDocument): Uint8Array {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(issuerChain.length)
  return new Uint8Array(Buffer.concat([length, issuerChain, body]))
}

/** The inverse of {@link writeVendorDocument}. Throws AttestationError collateral-unavailable for bytes that it never wrote. */
export function readVendorDocument(bytes: Uint8Array): VendorDocument {
  return Reader.all(bytes, { what: 'vendor-document', code: 'collateral-unavailable' }, (r) => {
    const length = r.u32le('issuer_chain.length')
    if (length > r.left) throw new AttestationError('collateral-unavailable', 'the chain is longer than the document')
    return { issuerChain: r.bytes('issuer_chain', length), body: r.bytes('body', r.left) }
  })
}
