import { DerReader, TAG, type DerDocument } from '../der.ts'
import { latin1 } from '../der-values.ts'
import { AttestationError } from '../problems.ts'
import { carriesMarker } from '../x509-marker.ts'
import { repeatedExtension, type Extension } from '../x509.ts'

/** What the extensions of a VEK certificate say (specification snp.md section 6.2), before anything is compared. */
export type VekExtensions = {
  readonly structVersion: number
  readonly productName: string
  /** By the number under 1.3.6.1.4.1.3704.1.3: 1 boot loader, 2 TEE, 3 SNP, 4 to 7 reserved, 8 microcode, 9 FMC. */
  readonly spl: ReadonlyMap<number, number>
  /** hwID without its wrapper, of whatever length it has. */
  readonly hwid: Uint8Array | undefined
  readonly cspId: string | undefined
}

/** AMD's arc (section 6.2). */
const ARC = '1.3.6.1.4.1.3704.1.'
const DOCUMENT: DerDocument = { what: 'vek', code: 'snp-vek-extension-invalid' }

/** Every extension that is defined under the arc; one that is not here might carry a TCB part that nobody compares. */
const NAMES: Readonly<Record<string, string>> = {
  '1': 'structVersion',
  '2': 'productName',
  '3.1': 'blSPL',
  '3.2': 'teeSPL',
  '3.3': 'snpSPL',
  '3.4': 'spl4',
  '3.5': 'spl5',
  '3.6': 'spl6',
  '3.7': 'spl7',
  '3.8': 'ucodeSPL',
  '3.9': 'fmcSPL',
  '4': 'hwID',
  '5': 'cspID',
}

/** The name of an extension under AMD's arc: `blSPL`; undefined for another. */
export const vekExtensionName = (oid: string): string | undefined =>
  oid.startsWith(ARC) && Object.hasOwn(NAMES, oid.slice(ARC.length)) ? NAMES[oid.slice(ARC.length)] : undefined

/**
 * Reads the extensions of a VEK (SNP-40): none twice, none unknown under AMD's arc, none unknown and critical, every value DER and in range.
 * Throws AttestationError snp-vek-extension-invalid.
 */
export function readVekExtensions(extensions: readonly Extension[]): VekExtensions {
  const fault = extensions.find(isUnknown)?.oid ?? repeatedExtension(extensions)?.oid
  if (fault !== undefined) throw invalid(fault, 'is unknown or occurs twice')
  const value = (suffix: string): Uint8Array | undefined => extensions.find(({ oid }) => oid === `${ARC}${suffix}`)?.value
  const hwid = value('4')
  const cspId = value('5')
  return {
    structVersion: readByte('structVersion', required('structVersion', value('1'))),
    productName: readText('productName', required('productName', value('2'))),
    spl: readSpls(extensions),
    hwid: hwid === undefined ? undefined : unwrapHwid(hwid),
    cspId: cspId === undefined ? undefined : readText('cspID', cspId),
  }
}

const isUnknown = (extension: Extension): boolean => {
  if (vekExtensionName(extension.oid) !== undefined || carriesMarker(extension)) return false
  return extension.critical || extension.oid.startsWith(ARC) || `${extension.oid}.` === ARC
}

function readSpls(extensions: readonly Extension[]): ReadonlyMap<number, number> {
  const spls = extensions.filter(({ oid }) => oid.startsWith(`${ARC}3.`))
  return new Map(spls.map(({ oid, value }) => [Number(oid.slice(ARC.length + 2)), readByte(oid, value)]))
}

/** INTEGER from 0 to 255, nothing behind it. */
const readByte = (name: string, value: Uint8Array): number =>
  DerReader.all(value, DOCUMENT, (r) => {
    const number = r.integer(name)
    if (number < 0n || number > 255n) throw r.malformed(name, 'is not between 0 and 255')
    return Number(number)
  })

/** IA5String of printable characters, nothing behind it. */
const readText = (name: string, value: Uint8Array): string =>
  DerReader.all(value, DOCUMENT, (r) => {
    const text = latin1(r.expect(name, TAG.IA5_STRING).content)
    if (!/^[\x20-\x7e]{0,256}$/.test(text)) throw r.malformed(name, 'is not printable text')
    return text
  })

/**
 * hwID is raw inside the extension, in principle also an OCTET STRING in it. A raw chip id can look like the start of an
 * OCTET STRING, so the length decides (section 6.2).
 */
function unwrapHwid(value: Uint8Array): Uint8Array {
  const isWrapped = (value.length === 66 || value.length === 10) && value[0] === TAG.OCTET_STRING && value[1] === value.length - 2
  return value.slice(isWrapped ? 2 : 0)
}

function required(name: string, value: Uint8Array | undefined): Uint8Array {
  if (value === undefined) throw invalid(name, 'is missing')
  return value
}

const invalid = (name: string, why: string): AttestationError =>
  new AttestationError('snp-vek-extension-invalid', `extension ${name} ${why}`, { at: `vek.${name}` })
