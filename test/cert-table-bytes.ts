/** One entry of a certificate table. `offset` overrides where the header says that the blob lies. */
export type TableEntry = { readonly guid: string; readonly blob: Uint8Array; readonly offset?: number; readonly length?: number }

/** GUIDs of specification snp.md section 5. */
export const GUID = {
  vcek: '63da758d-e664-4564-adc5-f4b93be8accd',
  vlek: 'a8074bc2-a25a-483e-aae6-39c045a0b8a1',
  ask: '4ab7b379-bbac-4fe4-a02f-05aef327c782',
  ark: 'c0b406a4-a803-4952-9743-3fb6014cd0ae',
  crl: '92f81bc3-5811-4d3d-97ff-d19f88dc67ea',
} as const

/** A certificate table as the hypervisor lays it out: headers, terminator, blobs one after the other. */
export function certTableBytes(entries: readonly TableEntry[]): Uint8Array {
  const end = (entries.length + 1) * 24
  const blobs = Buffer.concat(entries.map(({ blob }) => blob))
  const table = Buffer.concat([Buffer.alloc(end), blobs])
  let at = end
  for (const [row, { guid, blob, offset, length }] of entries.entries()) {
    table.set(Buffer.from(guid.replaceAll('-', ''), 'hex'), row * 24)
    table.writeUInt32LE(offset ?? at, row * 24 + 16)
    table.writeUInt32LE(length ?? blob.length, row * 24 + 20)
    at += blob.length
  }
  return new Uint8Array(table)
}

/** DER with the outline of a certificate and nothing in it: for whatever is decided before a certificate is parsed. */
export const outlineDer = (serial: number): Uint8Array =>
  new Uint8Array([0x30, 0x0a, 0x30, 0x03, 0x02, 0x01, serial, 0x30, 0x00, 0x03, 0x01, 0x00])
