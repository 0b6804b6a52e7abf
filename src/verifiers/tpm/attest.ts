import { AttestationError } from '../problems.ts'
import { Reader } from '../reader.ts'
import { isSized, MAX_DIGEST_BYTES, MAX_NAME_BYTES, sized } from './fields.ts'
import { readSelections, type PcrSelection } from './pcr-selection.ts'

/** TPMS_CLOCK_INFO (specification tpm.md section 2, 5). */
type ClockInfo = {
  /** Milliseconds. */
  readonly clock: bigint
  readonly resetCount: number
  readonly restartCount: number
  readonly safe: boolean
}

/** What the TPM attests to, by type. */
export type Attested =
  | { readonly type: 'quote'; readonly pcrSelect: readonly PcrSelection[]; readonly pcrDigest: Uint8Array }
  | { readonly type: 'certify'; readonly name: Uint8Array; readonly qualifiedName: Uint8Array }
  | { readonly type: 'creation'; readonly objectName: Uint8Array; readonly creationHash: Uint8Array }
  | { readonly type: 'time'; readonly time: bigint; readonly clockInfo: ClockInfo; readonly firmwareVersion: bigint }
  | { readonly type: 'nv'; readonly indexName: Uint8Array; readonly offset: number; readonly nvContents: Uint8Array }
  | { readonly type: 'nv-digest'; readonly indexName: Uint8Array; readonly nvDigest: Uint8Array }
  | {
      readonly type: 'command-audit'
      readonly auditCounter: bigint
      readonly digestAlg: number
      readonly auditDigest: Uint8Array
      readonly commandDigest: Uint8Array
    }
  | { readonly type: 'session-audit'; readonly exclusiveSession: boolean; readonly sessionDigest: Uint8Array }

/** TPMS_ATTEST. Byte fields are windows on the evidence. */
export type Attest<T extends Attested = Attested> = {
  /** The structure without the length that a TPM2B has in front: what is signed. */
  readonly bytes: Uint8Array
  readonly qualifiedSigner: Uint8Array
  readonly extraData: Uint8Array
  readonly clockInfo: ClockInfo
  readonly firmwareVersion: bigint
  readonly attested: T
}
/** An attestation that is a quote. */
export type QuoteAttest = Attest<Extract<Attested, { type: 'quote' }>>

const MAGIC = 0xff544347
/** No structure is longer: a quote has 16 selections at most, and NV contents are of one index (2048 bytes) or its part. */
const MAX_BYTES = 4096
const MAX_NV_BYTES = 2048

type Body = (r: Reader) => Attested

const readQuote = (r: Reader) =>
  ({ type: 'quote', pcrSelect: readSelections(r), pcrDigest: sized(r, 'pcrDigest', MAX_DIGEST_BYTES) }) as const

/** Bodies by type (section 2). */
const BODIES: ReadonlyMap<number, Body> = new Map<number, Body>([
  [
    0x8014,
    (r) => ({
      type: 'nv',
      indexName: sized(r, 'indexName', MAX_NAME_BYTES),
      offset: r.u16be('offset'),
      nvContents: sized(r, 'nvContents', MAX_NV_BYTES),
    }),
  ],
  [
    0x8015,
    (r) => ({
      type: 'command-audit',
      auditCounter: r.u64be('auditCounter'),
      digestAlg: r.u16be('digestAlg'),
      auditDigest: sized(r, 'auditDigest', MAX_DIGEST_BYTES),
      commandDigest: sized(r, 'commandDigest', MAX_DIGEST_BYTES),
    }),
  ],
  [
    0x8016,
    (r) => ({
      type: 'session-audit',
      exclusiveSession: yesNo(r, 'exclusiveSession'),
      sessionDigest: sized(r, 'sessionDigest', MAX_DIGEST_BYTES),
    }),
  ],
  [0x8017, (r) => ({ type: 'certify', name: sized(r, 'name', MAX_NAME_BYTES), qualifiedName: sized(r, 'qualifiedName', MAX_NAME_BYTES) })],
  [0x8018, readQuote],
  [
    0x8019,
    (r) => ({
      type: 'time',
      time: r.u64be('time'),
      clockInfo: readClockInfo(r),
      firmwareVersion: r.u64be('attested.firmwareVersion'),
    }),
  ],
  [
    0x801a,
    (r) => ({
      type: 'creation',
      objectName: sized(r, 'objectName', MAX_NAME_BYTES),
      creationHash: sized(r, 'creationHash', MAX_DIGEST_BYTES),
    }),
  ],
  [
    0x801c,
    (r) => ({ type: 'nv-digest', indexName: sized(r, 'indexName', MAX_NAME_BYTES), nvDigest: sized(r, 'nvDigest', MAX_DIGEST_BYTES) }),
  ],
])
const QUOTE = 0x8018

/** TPMI_YES_NO: any value but 0 and 1 is malformed (TPM-06). */
function yesNo(r: Reader, field: string): boolean {
  const value = r.u8(field)
  if (value > 1) throw r.malformed(field, `${value} is neither 0 nor 1`)
  return value === 1
}

const readClockInfo = (r: Reader): ClockInfo => ({
  clock: r.u64be('clock'),
  resetCount: r.u32be('resetCount'),
  restartCount: r.u32be('restartCount'),
  safe: yesNo(r, 'safe'),
})

/** A quote (TPM-02 to 06). Throws AttestationError; magic and type come first, so that foreign data and other types are told as what they are. */
export const parseQuote = (bytes: Uint8Array, what: string): QuoteAttest =>
  parse(bytes, what, (type) => {
    if (type !== QUOTE) throw new AttestationError('tpm-attest-type-not-quote', `${what}: type 0x${type.toString(16)}`, { at: what })
    return readQuote
  })

/** An attestation of any type. Throws AttestationError. */
export const parseAttest = (bytes: Uint8Array, what: string): Attest =>
  parse<Attested>(bytes, what, (type) => {
    const body = BODIES.get(type)
    if (body !== undefined) return body
    throw new AttestationError('tpm-attest-type-unexpected', `${what}: type 0x${type.toString(16)}`, { at: what })
  })

function parse<T extends Attested>(given: Uint8Array, what: string, bodyOf: (type: number) => (r: Reader) => T): Attest<T> {
  const bytes = isSized(given) && hasMagic(given.subarray(2)) ? given.subarray(2) : given
  if (bytes.length > MAX_BYTES) throw new AttestationError('tpm-attest-malformed', `${what}: ${bytes.length} bytes`, { at: what })
  const scope = { what, code: 'tpm-attest-malformed' } as const
  const { left, attest } = Reader.all(bytes, scope, (r) => {
    const read = readAttest(r, bytes, bodyOf)
    const rest = r.left
    // Taken here, so that what follows the structure has a code of its own.
    r.window('end', rest)
    return { left: rest, attest: read }
  })
  if (left > 0) throw new AttestationError('tpm-attest-trailing-bytes', `${what}: ${left} bytes follow`, { at: what })
  return attest
}

/** Whether these bytes say that they are an attestation, bare or behind a length. */
export const looksLikeAttest = (bytes: Uint8Array): boolean => hasMagic(bytes) || hasMagic(bytes.subarray(2))

const hasMagic = (bytes: Uint8Array): boolean => bytes[0] === 0xff && bytes[1] === 0x54 && bytes[2] === 0x43 && bytes[3] === 0x47

/** The bytes of magic and type. */
const HEAD_BYTES = 6

function readAttest<T extends Attested>(r: Reader, bytes: Uint8Array, bodyOf: (type: number) => (r: Reader) => T): Attest<T> {
  if (r.left < HEAD_BYTES) throw r.malformed('magic', `${r.left} bytes`)
  const magic = r.u32be('magic')
  if (magic !== MAGIC) throw r.malformed('magic', `0x${magic.toString(16)}`, 'tpm-attest-magic-invalid')
  const readBody = bodyOf(r.u16be('type'))
  return {
    bytes,
    qualifiedSigner: sized(r, 'qualifiedSigner', MAX_NAME_BYTES),
    extraData: sized(r, 'extraData', MAX_NAME_BYTES),
    clockInfo: readClockInfo(r),
    firmwareVersion: r.u64be('firmwareVersion'),
    attested: readBody(r),
  }
}
