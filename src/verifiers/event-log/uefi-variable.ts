import { readable } from '../der-attempt.ts'
import { Reader } from '../reader.ts'

/** UEFI_VARIABLE_DATA (TCG PC Client Platform Firmware Profile): a variable as firmware measures it. */
export type UefiVariable = {
  /** Bytes as logged (mixed-endian), hex. */
  readonly guid: string
  readonly name: string
  readonly data: Uint8Array
}

/** Reads a variable strictly: lengths exact, nothing behind the data. undefined where the bytes are none. */
export const readUefiVariable = (bytes: Uint8Array): UefiVariable | undefined =>
  readable(() => Reader.all(bytes, { what: 'UEFI_VARIABLE_DATA' }, variable))

function variable(r: Reader): UefiVariable {
  const guid = Buffer.from(r.bytes('VariableName', 16)).toString('hex')
  const [nameUnits, dataBytes] = [r.u64le('UnicodeNameLength'), r.u64le('VariableDataLength')]
  // Lengths beyond 2^53 lose their last digits here, and are past the end all the same.
  const name = Buffer.from(r.bytes('UnicodeName', 2 * Number(nameUnits))).toString('utf16le')
  return { guid, name, data: r.bytes('VariableData', Number(dataBytes)) }
}

/** The bytes of a variable, as firmware hashes them. */
export function writeUefiVariable({ guid, name, data }: UefiVariable): Uint8Array {
  const lengths = Buffer.alloc(16)
  lengths.writeBigUInt64LE(BigInt(name.length), 0)
  lengths.writeBigUInt64LE(BigInt(data.length), 8)
  return new Uint8Array(Buffer.concat([Buffer.from(guid, 'hex'), lengths, Buffer.from(name, 'utf16le'), data]))
}
