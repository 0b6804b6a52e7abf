import { createHash, randomBytes, sign, type KeyObject } from 'node:crypto'
import type { SnpProduct, SnpTcb } from '../verifiers/snp/claims.ts'
import { SIM_PRODUCTS } from './products.ts'
import type { FakeVek } from './veks.ts'

/** The fields of ATTESTATION_REPORT that a test may set (specification snp.md section 1); all have defaults that the built-in policy accepts. */
export type ReportFields = {
  readonly version: number
  readonly guestSvn: number
  readonly policy: bigint
  readonly familyId: Uint8Array
  readonly imageId: Uint8Array
  readonly vmpl: number
  readonly signatureAlgo: number
  readonly currentTcb: SnpTcb
  readonly platformInfo: bigint
  readonly keyInfo: number
  readonly reportData: Uint8Array
  readonly measurement: Uint8Array
  readonly hostData: Uint8Array
  readonly idKeyDigest: Uint8Array
  readonly authorKeyDigest: Uint8Array
  readonly reportId: Uint8Array
  readonly reportIdMa: Uint8Array
  readonly reportedTcb: SnpTcb
  /** Not written into version 2. */
  readonly cpuid: { readonly family: number; readonly model: number; readonly stepping: number }
  /** 64 bytes, or the 8 of Turin; padded with zeros. */
  readonly chipId: Uint8Array
  readonly committedTcb: SnpTcb
  /** `major.minor.build` */
  readonly currentVersion: string
  readonly committedVersion: string
  readonly launchTcb: SnpTcb
  /** Not written before version 4. */
  readonly launchMitVector: bigint
  readonly currentMitVector: bigint
  /** Bytes written over the finished fields before the signature is made. */
  readonly patch: readonly Patch[]
  /** Bytes written over the signed report. */
  readonly tamper: readonly Patch[]
}

/** Bytes and where they go. */
type Patch = readonly [offset: number, bytes: Uint8Array]

/** The launch measurement of the simulator's guests. */
export const SIM_MEASUREMENT: Uint8Array = new Uint8Array(createHash('sha384').update('assay simulated guest').digest())

/** ATTESTATION_REPORT is 1184 bytes, of which the first 2A0h are signed (specification snp.md sections 1 and 4). */
const REPORT_BYTES = 0x4a0
const SIGNED_BYTES = 0x2a0

/** KEY_INFO bits 2 to 4 (specification snp.md section 1.3). */
const SIGNING_KEY = { vcek: 0, vlek: 1 } as const

/** A report as the chip that owns `vek` would have made it, signed by that key. */
export function signedReport(vek: FakeVek, fields: Partial<ReportFields> = {}): Uint8Array {
  const all = { ...defaultsFor(vek), ...fields }
  const report = Buffer.alloc(REPORT_BYTES)
  writeFields(report, all, vek.product)
  apply(report, all.patch)
  report.set(reportSignature(vek.privateKey, report.subarray(0, SIGNED_BYTES)), SIGNED_BYTES)
  apply(report, all.tamper)
  return new Uint8Array(report)
}

/** R and S as the firmware stores them: 72 bytes each, little-endian. */
function reportSignature(key: KeyObject, signed: Uint8Array): Uint8Array {
  const rs = sign('sha384', signed, { key, dsaEncoding: 'ieee-p1363' })
  const signature = new Uint8Array(144)
  signature.set(rs.subarray(0, rs.length / 2).toReversed(), 0)
  signature.set(rs.subarray(rs.length / 2).toReversed(), 72)
  return signature
}

/** TCB_VERSION, whose layout depends on the product (specification snp.md section 2). */
export function tcbBytes(product: SnpProduct, tcb: SnpTcb): Uint8Array {
  const { bootloader, tee, snp, microcode, fmc = 0 } = tcb
  return Uint8Array.from(
    product === 'Turin' ? [fmc, bootloader, tee, snp, 0, 0, 0, microcode] : [bootloader, tee, 0, 0, 0, 0, snp, microcode],
  )
}

function defaultsFor({ kind, product, hwid, tcb }: FakeVek): ReportFields {
  return {
    version: 5,
    guestSvn: 0,
    // Bit 17 must be one; bit 16 allows SMT.
    policy: 0x30000n,
    familyId: new Uint8Array(16),
    imageId: new Uint8Array(16),
    vmpl: 0,
    signatureAlgo: 1,
    currentTcb: tcb,
    // SMT, ECC, alias check complete: measured on current Milan and Genoa.
    platformInfo: 0x25n,
    keyInfo: SIGNING_KEY[kind] << 2,
    reportData: new Uint8Array(64),
    measurement: SIM_MEASUREMENT,
    hostData: new Uint8Array(32),
    idKeyDigest: new Uint8Array(48),
    authorKeyDigest: new Uint8Array(48),
    reportId: new Uint8Array(randomBytes(32)),
    // All ones: no migration agent.
    reportIdMa: new Uint8Array(32).fill(0xff),
    reportedTcb: tcb,
    cpuid: SIM_PRODUCTS[product].cpuid,
    chipId: hwid,
    committedTcb: tcb,
    currentVersion: '1.55.40',
    committedVersion: '1.55.40',
    launchTcb: tcb,
    launchMitVector: 0x1n,
    currentMitVector: 0x1n,
    patch: [],
    tamper: [],
  }
}

/** Every field at its offset, in the order of specification snp.md section 1. */
function writeFields(report: Buffer, f: ReportFields, product: SnpProduct): void {
  const tcb = (value: SnpTcb): Uint8Array => tcbBytes(product, value)
  report.writeUInt32LE(f.version, 0x000)
  report.writeUInt32LE(f.guestSvn, 0x004)
  report.writeBigUInt64LE(f.policy, 0x008)
  report.writeUInt32LE(f.vmpl, 0x030)
  report.writeUInt32LE(f.signatureAlgo, 0x034)
  report.writeBigUInt64LE(f.platformInfo, 0x040)
  report.writeUInt32LE(f.keyInfo, 0x048)
  apply(report, [
    [0x010, f.familyId],
    [0x020, f.imageId],
    [0x038, tcb(f.currentTcb)],
    [0x050, f.reportData],
    [0x090, f.measurement],
    [0x0c0, f.hostData],
    [0x0e0, f.idKeyDigest],
    [0x110, f.authorKeyDigest],
    [0x140, f.reportId],
    [0x160, f.reportIdMa],
    [0x180, tcb(f.reportedTcb)],
    [0x1a0, f.chipId],
    [0x1e0, tcb(f.committedTcb)],
    [0x1e8, versionBytes(f.currentVersion)],
    [0x1ec, versionBytes(f.committedVersion)],
    [0x1f0, tcb(f.launchTcb)],
  ])
  if (f.version >= 3) apply(report, [[0x188, Uint8Array.of(f.cpuid.family, f.cpuid.model, f.cpuid.stepping)]])
  if (f.version < 4) return
  report.writeBigUInt64LE(f.launchMitVector, 0x1f8)
  report.writeBigUInt64LE(f.currentMitVector, 0x200)
}

/** Stored build first. */
const versionBytes = (version: string): Uint8Array => Uint8Array.from(version.split('.').map(Number).toReversed())

function apply(report: Buffer, patches: readonly Patch[]): void {
  for (const [offset, bytes] of patches) report.set(bytes, offset)
}
