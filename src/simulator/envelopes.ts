/** GUIDs of the certificate table of the extended guest request (specification snp.md section 5). */
export const CERT_GUID = {
  vcek: '63da758d-e664-4564-adc5-f4b93be8accd',
  vlek: 'a8074bc2-a25a-483e-aae6-39c045a0b8a1',
  ask: '4ab7b379-bbac-4fe4-a02f-05aef327c782',
  ark: 'c0b406a4-a803-4952-9743-3fb6014cd0ae',
  crl: '92f81bc3-5811-4d3d-97ff-d19f88dc67ea',
} as const

/** One entry of the table. */
export type CertTableEntry = { readonly guid: string; readonly bytes: Uint8Array }

/** A certificate table: 24-byte entries {GUID, offset, length}, an all-zero entry, then the blobs. */
export function certTable(entries: readonly CertTableEntry[]): Uint8Array {
  const header = Buffer.alloc((entries.length + 1) * 24)
  let offset = header.length
  for (const [i, { guid, bytes }] of entries.entries()) {
    header.write(guid.replaceAll('-', ''), i * 24, 'hex')
    header.writeUInt32LE(offset, i * 24 + 16)
    header.writeUInt32LE(bytes.length, i * 24 + 20)
    offset += bytes.length
  }
  return new Uint8Array(Buffer.concat([header, ...entries.map((e) => e.bytes)]))
}

/** MSG_REPORT_RSP as the guest driver passes it on: status 0, size 1184, 24 reserved bytes, report. */
export function reportResponse(report: Uint8Array): Uint8Array {
  const header = Buffer.alloc(32)
  header.writeUInt32LE(report.length, 4)
  return new Uint8Array(Buffer.concat([header, report]))
}

/** One PEM block. */
export const pem = (der: Uint8Array, label = 'CERTIFICATE'): string =>
  `-----BEGIN ${label}-----\n${(
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  ).join('\n')}\n-----END ${label}-----\n`
