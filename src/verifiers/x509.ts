/** stub */
export type SignatureAlgorithm = { readonly oid: string }
/** stub */
export type DistinguishedName = { readonly der: Uint8Array; readonly attributes: readonly { readonly oid: string; readonly value: string }[] }
