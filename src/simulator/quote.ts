import type { IntelTee } from '../verifiers/tdx/address.ts'
import type { Certification } from './certification.ts'
import { rawSignature, type FakeQe } from './qe.ts'

/** The fields of a quote around its body (specification tdx.md sections 1.1 to 1.7). Lengths are what they must be unless given. */
export type QuoteFields = {
  readonly version: number
  readonly attestationKeyType: number
  readonly teeType: number
  /** Bytes 8 to 12 of the header: QE SVN and PCE SVN in version 3, reserved later. */
  readonly reserved: Uint8Array
  readonly vendorId: Uint8Array
  readonly userData: Uint8Array
  /** Of version 5 only. */
  readonly bodyType: number
  readonly bodySize: number
  readonly authDataLength: number
  readonly quoteSignature: Uint8Array
  readonly attestationKey: Uint8Array
  readonly outerType: number
  readonly outerSize: number
  readonly qeReport: Uint8Array
  readonly qeReportSignature: Uint8Array
  readonly qeAuthLength: number
  readonly innerType: number
  readonly innerSize: number
  /** Bytes between the certification data and the end of what is declared. */
  readonly spare: Uint8Array
  /** Bytes behind what is declared. */
  readonly trailing: Uint8Array
  /** Bytes written over header, descriptor and body before the quote is signed. */
  readonly patch: readonly Patch[]
  /** Bytes written over the finished quote. */
  readonly tamper: readonly Patch[]
}

/** Bytes and where they go. */
type Patch = readonly [offset: number, bytes: Uint8Array]

/** What a quote is made of. */
export type QuoteParts = {
  readonly version: 3 | 4 | 5
  readonly tee: IntelTee
  /** Type of the body in version 5. */
  readonly bodyType: number
  readonly body: Uint8Array
  readonly qe: FakeQe
  readonly certification: Certification
}

/** Intel's quoting enclave. */
const VENDOR_ID = new Uint8Array(Buffer.from('939a7233f79c4ca9940a0db3957f0607', 'hex'))
const TEE_TYPE: Record<IntelTee, number> = { sgx: 0, tdx: 0x81 }
const QE_CERTIFICATION = 6

/** A quote, signed by the attestation key of its quoting enclave. */
export function signedQuote(parts: QuoteParts, fields: Partial<QuoteFields> = {}): Uint8Array {
  const signed = signedRegion(parts, fields)
  write(signed, fields.patch)
  const signature = fields.quoteSignature ?? rawSignature(parts.qe.keys.privateKey, signed)
  const authData = Buffer.concat([signature, fields.attestationKey ?? parts.qe.point, certified(parts, fields)])
  const quote = Buffer.concat([signed, u32(fields.authDataLength ?? authData.length), authData, fields.trailing ?? NOTHING])
  write(quote, fields.tamper)
  return new Uint8Array(quote)
}

const NOTHING = new Uint8Array()

function signedRegion({ version, tee, bodyType, body }: QuoteParts, fields: Partial<QuoteFields>): Buffer {
  const f = { ...HEADER, teeType: TEE_TYPE[tee], bodyType, bodySize: body.length, ...fields }
  const header = [u16(fields.version ?? version), u16(f.attestationKeyType), u32(f.teeType), f.reserved, f.vendorId, f.userData]
  const descriptor = version === 5 ? [u16(f.bodyType), u32(f.bodySize)] : []
  return Buffer.concat([...header, ...descriptor, body])
}

const HEADER = {
  attestationKeyType: 2,
  reserved: new Uint8Array(4),
  vendorId: VENDOR_ID,
  // QE ID and four zeros.
  userData: Uint8Array.from({ length: 20 }, (_, index) => (index < 16 ? 0xa0 + index : 0)),
}

/** What follows the attestation key; version 3 has it bare, later ones inside certification data of type 6. */
function certified({ version, qe, certification }: QuoteParts, fields: Partial<QuoteFields>): Uint8Array {
  const f = { qeReport: qe.report, qeReportSignature: qe.reportSignature, outerType: QE_CERTIFICATION, spare: NOTHING, ...fields }
  const qeData = [f.qeReport, f.qeReportSignature, u16(f.qeAuthLength ?? qe.authData.length), qe.authData]
  const pckData = [u16(f.innerType ?? certification.type), u32(f.innerSize ?? certification.data.length), certification.data]
  const nested = Buffer.concat([...qeData, ...pckData, f.spare])
  return version === 3 ? nested : Buffer.concat([u16(f.outerType), u32(f.outerSize ?? nested.length), nested])
}

function u16(value: number): Uint8Array {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function write(bytes: Buffer, patches: readonly Patch[] = []): void {
  for (const [offset, replacement] of patches) bytes.set(replacement, offset)
}
