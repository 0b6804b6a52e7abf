import { Reader } from '../reader.ts'
import type { Cpuid, Report } from './report.ts'

/** A span that must be zero in this version, by its offset in the report. */
type Reserved = { readonly at: number; readonly bytes: Uint8Array }

/** The bytes of a report by field, before any rule has looked at them (specification snp.md section 1). */
export type Layout = {
  readonly fields: Omit<Report, 'signingKey'>
  /** KEY_INFO bits 2 to 4: 0 VCEK, 1 VLEK, 7 NONE, others reserved. */
  readonly signingKey: number
  /** Reserved spans that the signature covers. */
  readonly reserved: readonly Reserved[]
  /** R and S as sent: 72 bytes each, little-endian. */
  readonly r: Uint8Array
  readonly s: Uint8Array
  /** [330h,4A0h): not covered by the signature. */
  readonly tail: Uint8Array
}

type Span = (r: Reader, length: number) => void
type Head = Pick<
  Report,
  'version' | 'guestSvn' | 'policy' | 'familyId' | 'imageId' | 'vmpl' | 'signatureAlgo' | 'currentTcb' | 'platformInfo' | 'keyInfo'
>
type Body = Pick<
  Report,
  'reportData' | 'measurement' | 'hostData' | 'idKeyDigest' | 'authorKeyDigest' | 'reportId' | 'reportIdMa' | 'reportedTcb'
>
type Platform = Pick<
  Report,
  'cpuid' | 'chipId' | 'committedTcb' | 'currentVersion' | 'committedVersion' | 'launchTcb' | 'launchMitVector' | 'currentMitVector'
>

/** [0,4Ch). */
const readHead = (r: Reader): Head => ({
  version: r.u32le('VERSION'),
  guestSvn: r.u32le('GUEST_SVN'),
  policy: r.u64le('POLICY'),
  familyId: r.window('FAMILY_ID', 16),
  imageId: r.window('IMAGE_ID', 16),
  vmpl: r.u32le('VMPL'),
  signatureAlgo: r.u32le('SIGNATURE_ALGO'),
  currentTcb: r.window('CURRENT_TCB', 8),
  platformInfo: r.u64le('PLATFORM_INFO'),
  keyInfo: r.u32le('KEY_INFO'),
})

/** [50h,188h). */
const readBody = (r: Reader): Body => ({
  reportData: r.window('REPORT_DATA', 64),
  measurement: r.window('MEASUREMENT', 48),
  hostData: r.window('HOST_DATA', 32),
  idKeyDigest: r.window('ID_KEY_DIGEST', 48),
  authorKeyDigest: r.window('AUTHOR_KEY_DIGEST', 48),
  reportId: r.window('REPORT_ID', 32),
  reportIdMa: r.window('REPORT_ID_MA', 32),
  reportedTcb: r.window('REPORTED_TCB', 8),
})

/** [188h,2A0h): version 3 brought CPUID, version 4 the mitigation vectors (section 1, mitigation-vector note). */
function readPlatform(r: Reader, version: number, reserved: Span): Platform {
  const cpuid = version === 2 ? null : readCpuid(r)
  reserved(r, 0x1a0 - r.offset)
  const chipId = r.window('CHIP_ID', 64)
  const committedTcb = r.window('COMMITTED_TCB', 8)
  const currentVersion = readVersion(r, 'CURRENT')
  reserved(r, 1)
  const committedVersion = readVersion(r, 'COMMITTED')
  reserved(r, 1)
  const launchTcb = r.window('LAUNCH_TCB', 8)
  const launchMitVector = version < 4 ? null : r.u64le('LAUNCH_MIT_VECTOR')
  const currentMitVector = version < 4 ? null : r.u64le('CURRENT_MIT_VECTOR')
  reserved(r, 0x2a0 - r.offset)
  return { cpuid, chipId, committedTcb, currentVersion, committedVersion, launchTcb, launchMitVector, currentMitVector }
}

const readCpuid = (r: Reader): Cpuid => ({ family: r.u8('CPUID_FAM_ID'), model: r.u8('CPUID_MOD_ID'), stepping: r.u8('CPUID_STEP') })

/** Version triples are stored build first. */
function readVersion(r: Reader, prefix: 'CURRENT' | 'COMMITTED'): string {
  const [build, minor, major] = [r.u8(`${prefix}_BUILD`), r.u8(`${prefix}_MINOR`), r.u8(`${prefix}_MAJOR`)]
  return `${major}.${minor}.${build}`
}

/** The 48 significant bytes of R and of S, each turned to big-endian (section 4). */
function p1363(r: Uint8Array, s: Uint8Array): Uint8Array {
  const out = new Uint8Array(96)
  out.set(r.subarray(0, 48))
  out.set(s.subarray(0, 48), 48)
  out.subarray(0, 48).reverse()
  out.subarray(48).reverse()
  return out
}

/** Reads 1184 bytes by the layout of their version, 2 to 5, judging nothing. Throws AttestationError snp-report-size for another length. */
export function readLayout(bytes: Uint8Array): Layout {
  // One copy, of which every field is a window: twenty copies of fields cost more than the rest of the reading.
  const own = bytes.slice()
  return Reader.all(own, { what: 'snp-report', code: 'snp-report-size' }, (reader) => {
    const spans: Reserved[] = []
    const reserved: Span = (r, length) => spans.push({ at: r.offset, bytes: r.window('RESERVED', length) })
    const head = readHead(reader)
    reserved(reader, 4)
    const body = readBody(reader)
    const platform = readPlatform(reader, head.version, reserved)
    const [r, s] = [reader.window('SIGNATURE_R', 72), reader.window('SIGNATURE_S', 72)]
    const tail = reader.window('SIGNATURE_RESERVED', 368)
    const flags = { authorKeyEn: (head.keyInfo & 1) === 1, maskChipKey: (head.keyInfo & 2) === 2 }
    const fields = { ...head, ...flags, ...body, ...platform, signed: own.subarray(0, 0x2a0), signature: p1363(r, s) }
    return { fields, signingKey: (head.keyInfo >>> 2) & 7, reserved: spans, r, s, tail }
  })
}
