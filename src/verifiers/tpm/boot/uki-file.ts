import { hash as hashOnce } from 'node:crypto'
import { Reader } from '../../reader.ts'
import type { PcrBank } from '../claims.ts'
import { UKI_SECTIONS, type UkiSection, type UkiSectionName } from './uki.ts'

/** Images of a kernel with its initrd are some 100 MB; more than this is none. */
const MAX_IMAGE_BYTES = 1024 * 1024 * 1024
/** Linkers round sizes up to pages; a section that is mostly not in the file is none of a unified kernel image. */
const MAX_ZEROS = 1024 * 1024
const MAX_SECTIONS = 96

const MALFORMED = { what: 'uki', code: 'evidence-malformed' } as const

/** A row of the section table (PE format, section headers). */
type Section = { readonly name: string; readonly virtualSize: number; readonly rawSize: number; readonly rawAt: number }

/**
 * Measures a unified kernel image as systemd-stub does (specification tpm.md section 11): for each section that it knows, the digest of its
 * VirtualSize bytes, in the stub's order. Throws AttestationError evidence-malformed where the bytes are no PE image, or one with several profiles,
 * of which the stub measures only one.
 */
export function measureUki(image: Uint8Array, bank: PcrBank): readonly UkiSection[] {
  const table = sectionTable(image)
  return UKI_SECTIONS.flatMap((name) => {
    const [section, ...others] = table.filter((row) => row.name === name)
    if (section === undefined) return []
    if (others.length > 0) throw malformed(image, name, 'is there twice')
    return [measure(image, { ...section, name }, bank)]
  })
}

const malformed = (image: Uint8Array, field: string, why: string) =>
  Reader.all(image.subarray(0, 0), MALFORMED, (r) => r.malformed(field, why))

function measure(image: Uint8Array, section: Section & { readonly name: UkiSectionName }, bank: PcrBank): UkiSection {
  const { name, virtualSize, rawSize, rawAt } = section
  const inFile = Math.min(virtualSize, rawSize)
  if (rawAt + inFile > image.length) throw malformed(image, name, 'ends behind the image')
  if (virtualSize - inFile > MAX_ZEROS) throw malformed(image, name, 'is mostly not in the image')
  const content = image.subarray(rawAt, rawAt + inFile)
  const whole = virtualSize === inFile ? content : Buffer.concat([content, new Uint8Array(virtualSize - inFile)])
  return { name, digest: hashOnce(bank, whole, 'buffer') }
}

/** Where the DOS header says that the PE header is, and where the latter ends. */
const PE_OFFSET_AT = 0x3c
const PE_HEAD = 24
const SECTION_BYTES = 40

function sectionTable(image: Uint8Array): readonly Section[] {
  if (image.length > MAX_IMAGE_BYTES) throw malformed(image, 'size', `${image.length} bytes`)
  const at = Reader.all(image.subarray(0, PE_OFFSET_AT + 4), MALFORMED, (r) => {
    if (Buffer.from(r.bytes('e_magic', 2)).toString('latin1') !== 'MZ') throw r.malformed('e_magic', 'is not MZ')
    r.bytes('header', PE_OFFSET_AT - 2)
    return r.u32le('e_lfanew')
  })
  const { sections, optional } = Reader.all(image.subarray(at, at + PE_HEAD), MALFORMED, readPeHead)
  const from = at + PE_HEAD + optional
  return Reader.all(image.subarray(from, from + sections * SECTION_BYTES), MALFORMED, (r) =>
    Array.from({ length: sections }, () => readSection(r)),
  )
}

function readPeHead(r: Reader): { sections: number; optional: number } {
  if (Buffer.from(r.bytes('Signature', 4)).toString('latin1') !== 'PE\0\0') throw r.malformed('Signature', 'is not PE')
  r.bytes('Machine', 2)
  const sections = r.u16le('NumberOfSections')
  if (sections > MAX_SECTIONS) throw r.malformed('NumberOfSections', `${sections} are more than ${MAX_SECTIONS}`)
  r.bytes('TimeDateStamp to NumberOfSymbols', 12)
  const optional = r.u16le('SizeOfOptionalHeader')
  r.bytes('Characteristics', 2)
  return { sections, optional }
}

function readSection(r: Reader): Section {
  const name = Buffer.from(r.bytes('Name', 8)).toString('latin1').replace(/\0+$/, '')
  const virtualSize = r.u32le('VirtualSize')
  r.bytes('VirtualAddress', 4)
  const [rawSize, rawAt] = [r.u32le('SizeOfRawData'), r.u32le('PointerToRawData')]
  r.bytes('PointerToRelocations to Characteristics', 16)
  return { name, virtualSize, rawSize, rawAt }
}
