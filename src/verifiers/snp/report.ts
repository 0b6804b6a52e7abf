import { judgeIdentity } from './structure-identity.ts'
import { readLayout } from './structure-layout.ts'
import { STRUCTURE_RULES, checkSize, checkVersion } from './structure-rules.ts'
import { runRules } from '../checks.ts'
import type { Check } from '../verifier.ts'

/**
 * ATTESTATION_REPORT (specification snp.md section 1), fields in its order. Byte fields are copies as received;
 * only the signature is turned into the order that `node:crypto` takes. Nothing in it is believed yet.
 */
export type Report = {
  readonly version: number
  readonly guestSvn: number
  /** Bits of section 1.1. */
  readonly policy: bigint
  readonly familyId: Uint8Array
  readonly imageId: Uint8Array
  /** 0 to 3. */
  readonly vmpl: number
  readonly signatureAlgo: number
  /** Eight raw bytes, whose layout depends on the product (section 2). */
  readonly currentTcb: Uint8Array
  /** Bits of section 1.2. */
  readonly platformInfo: bigint
  /** Bits of section 1.3, of which the next three are parts. */
  readonly keyInfo: number
  readonly authorKeyEn: boolean
  readonly maskChipKey: boolean
  readonly signingKey: 'vcek' | 'vlek'
  /** 64 bytes, chosen by the guest. */
  readonly reportData: Uint8Array
  /** 48 bytes. */
  readonly measurement: Uint8Array
  /** 32 bytes, chosen by the host at launch. */
  readonly hostData: Uint8Array
  readonly idKeyDigest: Uint8Array
  readonly authorKeyDigest: Uint8Array
  readonly reportId: Uint8Array
  /** 32 bytes, all FF without a migration agent. */
  readonly reportIdMa: Uint8Array
  readonly reportedTcb: Uint8Array
  /** Combined family and model; null in version 2, which does not carry them. */
  readonly cpuid: Cpuid | null
  /** 64 bytes: all zero when masked; on Turin the first eight only. */
  readonly chipId: Uint8Array
  readonly committedTcb: Uint8Array
  /** Firmware API version `major.minor.build`. */
  readonly currentVersion: string
  readonly committedVersion: string
  readonly launchTcb: Uint8Array
  /** null before version 4, where the bytes are reserved. */
  readonly launchMitVector: bigint | null
  readonly currentMitVector: bigint | null
  /** The bytes [0,2A0h) that the signature covers, as received. */
  readonly signed: Uint8Array
  /** 96 bytes: R and S, big-endian, as IEEE P1363 has them. */
  readonly signature: Uint8Array
}

/** What CPUID leaf 1 says of the processor that made the report. */
export type Cpuid = { readonly family: number; readonly model: number; readonly stepping: number }

/** A report that has a sound structure, with the checks that say so. */
export type ReadReport = { readonly report: Report; readonly checks: readonly Check[] }

/** Reads a report and makes the checks of its own structure, SNP-01 to SNP-10. Throws AttestationError with the checks up to the failed one. */
export function readReport(bytes: Uint8Array): ReadReport {
  const size = checkSize(bytes)
  const version = checkVersion(bytes, size)
  const layout = readLayout(bytes)
  const checks = runRules(STRUCTURE_RULES, layout, version)
  return { report: { ...layout.fields, signingKey: layout.signingKey === 1 ? 'vlek' : 'vcek' }, checks }
}

/** A report of sound structure (SNP-01 to SNP-10, SNP-17 to SNP-21). Throws AttestationError with the code of the first check that fails. */
export function parseReport(bytes: Uint8Array): Report {
  const { report, checks } = readReport(bytes)
  judgeIdentity(report, checks)
  return report
}
