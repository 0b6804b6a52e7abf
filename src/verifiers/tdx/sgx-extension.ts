import { DerReader, TAG, type DerDocument, type Element } from '../der.ts'
import { AttestationError } from '../problems.ts'
import type { ParsedCertificate } from '../x509.ts'
import type { PckCa } from './address.ts'
import { SGX_EXTENSION } from './certificate-rules.ts'

/** What Intel says of a platform in its PCK certificate (specification tdx.md section 3.3), byte fields as received. */
export type SgxExtension = {
  readonly ppid: Uint8Array
  /** SVNs of the 16 SGX TCB components. */
  readonly components: readonly number[]
  readonly pcesvn: number
  readonly cpusvn: Uint8Array
  readonly pceid: Uint8Array
  readonly fmspc: Uint8Array
  /** 0 Standard, 1 Scalable, 2 Scalable with integrity. */
  readonly sgxType: 0 | 1 | 2
  /** Only under the Platform CA. */
  readonly platformInstanceId: Uint8Array | undefined
  readonly configuration: Configuration
}

/** undefined: the certificate does not say, which is never "no". */
type Configuration = {
  readonly dynamicPlatform: boolean | undefined
  readonly cachedKeys: boolean | undefined
  readonly smtEnabled: boolean | undefined
}

const DOCUMENT: DerDocument = { what: 'sgx_extension', code: 'sgx-extension-malformed' }
/** ENUMERATED (X.690 section 8.4). */
const ENUMERATED = 0x0a

type Fields = ReadonlyMap<string, Element>
type Part = { readonly fields: Fields; readonly name: string }

/** The entries of the extension, by the number behind {@link SGX_EXTENSION}: a Processor CA writes the first five, a Platform CA all seven. */
const ENTRIES: Readonly<Record<PckCa, readonly string[]>> = {
  processor: ['1', '2', '3', '4', '5'],
  platform: ['1', '2', '3', '4', '5', '6', '7'],
}
const COMPONENTS: readonly string[] = Array.from({ length: 16 }, (_, index) => `2.${index + 1}`)
const TCB_ENTRIES: readonly string[] = [...COMPONENTS, '2.17', '2.18']
const CONFIGURATION_ENTRIES: readonly string[] = ['7.1', '7.2', '7.3']

/**
 * Reads the SGX extension of a PCK certificate, strictly: every entry that this authority writes once, nothing unknown, values in range
 * (TDX-26). Throws AttestationError sgx-extension-missing or sgx-extension-malformed.
 */
export function readSgxExtension({ extensions }: Pick<ParsedCertificate, 'extensions'>, issuedBy: PckCa): SgxExtension {
  const extension = extensions.find(({ oid }) => oid === SGX_EXTENSION)
  if (extension === undefined) throw missing('the extension')
  const fields = complete(readPairs(extension.value, ENTRIES[issuedBy]), ENTRIES[issuedBy])
  const tcb = complete(readPairs(whole(fields, '2'), TCB_ENTRIES), TCB_ENTRIES)
  return {
    ppid: octets({ fields, name: '1' }, 16),
    components: COMPONENTS.map((name) => integer({ fields: tcb, name }, 0xff)),
    pcesvn: integer({ fields: tcb, name: '2.17' }, 0xffff),
    cpusvn: octets({ fields: tcb, name: '2.18' }, 16),
    pceid: octets({ fields, name: '3' }, 2),
    fmspc: octets({ fields, name: '4' }, 6),
    sgxType: readSgxType(fields),
    platformInstanceId: issuedBy === 'platform' ? octets({ fields, name: '6' }, 16) : undefined,
    configuration: issuedBy === 'platform' ? readConfiguration(whole(fields, '7')) : NOTHING_SAID,
  }
}

/** SEQUENCE OF SEQUENCE { OID, value }, each identifier known and there once. The values stay encoded. */
function readPairs(bytes: Uint8Array, known: readonly string[]): Fields {
  const fields = new Map<string, Element>()
  DerReader.all(bytes, DOCUMENT, (top) =>
    top.sequence('entries', (list) =>
      list.list((item) =>
        item.sequence('entry', (r) => {
          const oid = r.oid('id')
          const name = oid.startsWith(`${SGX_EXTENSION}.`) ? oid.slice(SGX_EXTENSION.length + 1) : oid
          if (!known.includes(name) || fields.has(name)) throw r.malformed(oid, 'is unknown or occurs twice')
          fields.set(name, r.any('value'))
        }),
      ),
    ),
  )
  return fields
}

function complete(fields: Fields, wanted: readonly string[]): Fields {
  const absent = wanted.find((name) => !fields.has(name))
  if (absent !== undefined) throw missing(`entry .${absent}`)
  return fields
}

function whole(fields: Fields, name: string): Uint8Array {
  const element = fields.get(name)
  if (element === undefined) throw missing(`entry .${name}`)
  return element.whole
}

const decoded = <T>({ fields, name }: Part, decode: (r: DerReader) => T): T => DerReader.all(whole(fields, name), DOCUMENT, decode)

const octets = (part: Part, length: number): Uint8Array =>
  decoded(part, (r) => {
    const bytes = r.octets(part.name)
    if (bytes.length !== length) throw r.malformed(part.name, `has ${bytes.length} bytes, not ${length}`)
    return bytes.slice()
  })

const integer = (part: Part, most: number): number =>
  decoded(part, (r) => {
    const value = r.integer(part.name)
    if (value < 0n || value > BigInt(most)) throw r.malformed(part.name, `is not between 0 and ${most}`)
    return Number(value)
  })

const readSgxType = (fields: Fields): 0 | 1 | 2 =>
  decoded({ fields, name: '5' }, (r) => {
    const { content } = r.expect('SGX type', ENUMERATED)
    const type = ([0, 1, 2] as const).find((value) => content[0] === value)
    if (content.length !== 1 || type === undefined) throw r.malformed('SGX type', 'is not 0, 1 or 2')
    return type
  })

const NOTHING_SAID: Configuration = { dynamicPlatform: undefined, cachedKeys: undefined, smtEnabled: undefined }

function readConfiguration(bytes: Uint8Array): Configuration {
  const fields = readPairs(bytes, CONFIGURATION_ENTRIES)
  const flag = (name: string): boolean | undefined => (fields.has(name) ? boolean({ fields, name }) : undefined)
  return { dynamicPlatform: flag('7.1'), cachedKeys: flag('7.2'), smtEnabled: flag('7.3') }
}

/** BOOLEAN: here FALSE is written, too. */
const boolean = (part: Part): boolean =>
  decoded(part, (r) => {
    const { content } = r.expect(part.name, TAG.BOOLEAN)
    if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) throw r.malformed(part.name, 'is not a BOOLEAN of DER')
    return content[0] === 0xff
  })

const missing = (what: string): AttestationError =>
  new AttestationError('sgx-extension-missing', `${what} is missing`, { at: 'sgx_extension' })
