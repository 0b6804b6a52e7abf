import { readable } from '../../der-attempt.ts'
import { Reader } from '../../reader.ts'
import { concat, leftPadded, tpm2b, u16be, u32be } from './bytes.ts'
import { keyOfUnique, type EkKey } from './ek-key.ts'
import { CURVES, EK_PARAMETERS, EK_TEMPLATES, NAME_HASHES, RSA_BITS, type EkKind, type EkTemplate } from './templates.ts'

/** An EK by its public area: the key and the template that all the rest of the area follows. */
export type EkPublic = { readonly template: EkTemplate; readonly ek: EkKey }

/** Ids of algorithms in a public area (specification tpm.md section 1). */
const ID = { rsa: 0x0001, ecc: 0x0023, aes: 0x0006, cfb: 0x0043, none: 0x0010 } as const

/** The longest public area of an EK is that of RSA-4096, under 700 bytes. */
const MAX_BYTES = 1024

/** All of a public area but its unique field: TPMT_PUBLIC of a template (section 3.1, 7). */
function headOf({ kind, attributes, authPolicy }: EkTemplate): Uint8Array {
  const { nameHash, symmetricBits } = EK_PARAMETERS[kind]
  const isRsa = kind in RSA_BITS
  return concat(
    u16be(isRsa ? ID.rsa : ID.ecc),
    u16be(NAME_HASHES[nameHash].id),
    u32be(attributes),
    tpm2b(new Uint8Array(Buffer.from(authPolicy, 'hex'))),
    u16be(ID.aes),
    u16be(symmetricBits),
    u16be(ID.cfb),
    u16be(ID.none),
    parametersOf(kind),
  )
}

/** What differs by kind: key length and exponent (0: the default), or curve and key derivation (none). */
function parametersOf(kind: EkKind): Uint8Array {
  if (kind === 'ecc-p256' || kind === 'ecc-p384' || kind === 'ecc-p521') return concat(u16be(CURVES[kind].id), u16be(ID.none))
  return concat(u16be(RSA_BITS[kind]), u32be(0))
}

const HEADS: readonly { readonly template: EkTemplate; readonly head: Uint8Array }[] = EK_TEMPLATES.map((template) => ({
  template,
  head: headOf(template),
}))

/** TPMT_PUBLIC of the EK that this template makes of the key. */
export const ekPublicOf = (template: EkTemplate, { unique }: EkKey): Uint8Array => concat(headOf(template), ...unique.map(tpm2b))

/**
 * The EK that a public area (TPMT_PUBLIC, bare or as TPM2B_PUBLIC) is of, if it follows a known template in every byte but its key
 * (TPM-27). undefined for everything else. Coordinates may be short by their leading zeros.
 */
export function readEkPublic(bytes: Uint8Array): EkPublic | undefined {
  if (bytes.length > MAX_BYTES) return undefined
  const area = bare(bytes)
  const known = HEADS.find(({ head }) => Buffer.compare(area.subarray(0, head.length), head) === 0)
  if (known === undefined) return undefined
  const { kind } = known.template
  const unique = readable(() => readUnique(kind, area.subarray(known.head.length)))
  const ek = unique === undefined ? undefined : keyOfUnique(kind, unique)
  return ek === undefined ? undefined : { template: known.template, ek }
}

/** Without the length in front that TPM2B_PUBLIC has; no area begins with its own length, since it begins with the id of its type. */
function bare(bytes: Uint8Array): Uint8Array {
  const [high = 0, low = 0] = bytes
  return (high << 8) + low === bytes.length - 2 ? bytes.subarray(2) : bytes
}

function readUnique(kind: EkKind, bytes: Uint8Array): readonly Uint8Array[] {
  return Reader.all(bytes, { what: 'ek-public', code: 'tpm-ek-public-mismatch' }, (r) => {
    if (kind === 'rsa-2048' || kind === 'rsa-3072' || kind === 'rsa-4096') return [readSized(r, 'modulus')]
    const { bytes: length } = CURVES[kind]
    return [readSized(r, 'x'), readSized(r, 'y')].map((coordinate) => leftPadded(coordinate, length))
  })
}

const readSized = (r: Reader, field: string): Uint8Array => r.bytes(field, (r.u8(field) << 8) + r.u8(field))
