import { hash as hashOnce } from 'node:crypto'
import { readable } from '../../der-attempt.ts'
import { readUefiVariable, type UefiVariable } from '../../event-log/uefi-variable.ts'
import { Reader } from '../../reader.ts'
import type { BootAuthority } from './claims.ts'
import { isSequence } from './signature-lists.ts'

/** EFI_IMAGE_SECURITY_DATABASE and shim's own GUID, as they lie in memory. */
const IMAGE_SECURITY = 'cbb219d73a3d9645a3bcdad00e67656f'
const SHIM = '50ab5d6046e00043abb63dd810dd8b23'

/**
 * What EV_EFI_VARIABLE_AUTHORITY told. `firmware`: an entry of db, by which the firmware or shim let something boot; `shim`: a key of shim;
 * `sbat`: shim's level of revocations; `insecure`: shim lets everything pass; `state`: another state of shim.
 */
export type Authority = {
  readonly kind: 'firmware' | 'shim' | 'sbat' | 'insecure' | 'state'
  readonly told: BootAuthority
  readonly text: string
}

/** Where the event is, and whether old shims may have logged bytes behind the variable (specification tpm.md section 9.3). */
type How = { readonly place: 'before' | 'behind'; readonly padded: 'by-shim' | 'no' }

/** What shim measures so that is no key: names, and what they say. */
const STATES: ReadonlyMap<string, Authority['kind']> = new Map([
  ['SbatLevel', 'sbat'],
  ['MokSBState', 'insecure'],
  ['MokDBState', 'state'],
  ['MokListTrusted', 'state'],
])

/** Reads what was measured as an authority; the answer is why it is none, where it is none. */
export function readAuthority(measured: Uint8Array, { place, padded }: How): Authority | string {
  const variable = padded === 'by-shim' ? readPadded(measured) : readUefiVariable(measured)
  if (variable === undefined) return 'is no variable'
  if (variable.guid === SHIM) return ofShim(variable, place)
  if (variable.guid !== IMAGE_SECURITY || variable.name !== 'db') return 'is called an authority, and is none'
  const content = contentOf(variable.data)
  return content === undefined ? 'is called an entry of db, and is none' : { kind: 'firmware', ...tell(variable, content, place) }
}

function ofShim(variable: UefiVariable, place: How['place']): Authority {
  const kind = STATES.get(variable.name) ?? 'shim'
  // Zero alone says that shim does look at signatures.
  const off = kind === 'insecure' && variable.data.every((byte) => byte === 0)
  return { kind: off ? 'state' : kind, ...tell(variable, contentOf(variable.data) ?? variable.data, place) }
}

const tell = ({ name, data }: UefiVariable, content: Uint8Array, place: How['place']): Omit<Authority, 'kind'> => ({
  told: { sha256: hashOnce('sha256', content), variable: name, pre_separator: place === 'before' },
  text: Buffer.from(data).toString('latin1').replace(/\0$/, ''),
})

/** Bytes of the owner before an entry of a database. */
const OWNER = 16
/** Bytes of digests that may stand in a database in place of a certificate: SHA-256, SHA-384, SHA-512. */
const DIGEST_BYTES = [32, 48, 64]

/** The certificate or digest of an EFI_SIGNATURE_DATA; shim measures certificates without an owner too. Lists of them are neither. */
function contentOf(data: Uint8Array): Uint8Array | undefined {
  if (isSequence(data)) return data
  const entry = data.subarray(OWNER)
  return isSequence(entry) || DIGEST_BYTES.includes(entry.length) ? entry : undefined
}

/** Old shims hash up to five zeros behind the variable: the room that their structure has for the first characters. */
const MAX_PADDING = 5

function readPadded(bytes: Uint8Array): UefiVariable | undefined {
  const whole = readUefiVariable(bytes)
  return whole ?? readable(() => Reader.all(bytes, { what: 'UEFI_VARIABLE_DATA' }, variableAndZeros))
}

function variableAndZeros(r: Reader): UefiVariable {
  const guid = Buffer.from(r.bytes('VariableName', 16)).toString('hex')
  const [nameUnits, dataBytes] = [Number(r.u64le('UnicodeNameLength')), Number(r.u64le('VariableDataLength'))]
  const name = Buffer.from(r.bytes('UnicodeName', 2 * nameUnits)).toString('utf16le')
  const data = r.bytes('VariableData', dataBytes)
  if (r.left > MAX_PADDING) throw r.malformed('padding', `${r.left} bytes`)
  r.zeros('padding', r.left)
  return { guid, name, data }
}
