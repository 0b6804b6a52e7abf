import { productOf } from './products.ts'
import { isZero, passed, refusal, runRules, type Rule } from '../checks.ts'
import type { Check } from '../verifier.ts'
import { hex, hex64 } from './claims-of.ts'
import type { Cpuid, Report } from './report.ts'
import type { Layout } from './structure-layout.ts'

/** Bytes of ATTESTATION_REPORT in every version (specification snp.md section 1). */
export const REPORT_BYTES = 1184

/** The order of the P-384 group (specification snp.md section 4), big-endian. */
const P384_ORDER = Buffer.from('ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973', 'hex')

/** Big-endian numbers of one length compare as their bytes do. */
const inRange = (bigEndian: Uint8Array): boolean => !isZero(bigEndian) && Buffer.compare(bigEndian, P384_ORDER) < 0
/** Whether bytes of a report or its signature are all zero, in words. */
const zeroOrSet = (bytes: Uint8Array): string => (isZero(bytes) ? 'zero' : 'set')
const isSet = ({ bytes }: { readonly bytes: Uint8Array }): boolean => !isZero(bytes)
const flag = (set: boolean): string => (set ? '1' : '0')

const SIZE: Rule<Uint8Array> = {
  id: 'SNP-01',
  title: 'The report is 1184 bytes long',
  code: 'snp-report-size',
  at: 'report',
  expected: '1184 bytes',
  actual: (bytes) => `${bytes.length} bytes`,
  holds: (bytes) => bytes.length === REPORT_BYTES,
}

const VERSION = {
  id: 'SNP-02',
  title: 'The report version is supported',
  code: 'snp-report-version-unsupported',
  at: 'VERSION',
  expected: '2 to 5',
} as const

/** SNP-01. Throws AttestationError snp-report-size. */
export const checkSize = (bytes: Uint8Array): readonly Check[] => runRules([SIZE], bytes, [])

/** SNP-02, on bytes of the right length: only the four bytes of VERSION are looked at. Throws AttestationError snp-report-version-unsupported. */
export function checkVersion(bytes: Uint8Array, before: readonly Check[]): readonly Check[] {
  const version = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true)
  if (version < 2 || version > 5) throw refusal(VERSION, `${version}`, before)
  return [...before, passed(VERSION, `${version}`)]
}

/** SNP-03 to SNP-10 (specification snp.md section 15). */
export const STRUCTURE_RULES: readonly Rule<Layout>[] = [
  {
    id: 'SNP-03',
    title: 'Reserved bytes of this version are zero',
    code: 'snp-reserved-nonzero',
    at: 'RESERVED',
    expected: 'zero',
    actual: ({ reserved }) => {
      const set = reserved.find(isSet)
      return set === undefined ? 'zero' : `set in the ${set.bytes.length} bytes at 0x${set.at.toString(16)}`
    },
    holds: ({ reserved }) => !reserved.some(isSet),
  },
  {
    id: 'SNP-04',
    title: 'Reserved bits of POLICY are as required',
    code: 'snp-policy-reserved-bits',
    at: 'POLICY',
    expected: 'bit 17 set, bits 26 to 63 clear',
    actual: ({ fields }) => hex64(fields.policy),
    holds: ({ fields }) => ((fields.policy >> 17n) & 1n) === 1n && fields.policy >> 26n === 0n,
  },
  {
    id: 'SNP-05',
    title: 'The signature algorithm is ECDSA P-384 with SHA-384',
    code: 'snp-signature-algo-unsupported',
    at: 'SIGNATURE_ALGO',
    expected: '1',
    actual: ({ fields }) => `${fields.signatureAlgo}`,
    holds: ({ fields }) => fields.signatureAlgo === 1,
  },
  {
    id: 'SNP-06',
    title: 'Reserved bits of KEY_INFO are clear',
    code: 'snp-key-info-reserved-bits',
    at: 'KEY_INFO',
    expected: 'bits 5 to 31 clear',
    actual: ({ fields }) => `0x${fields.keyInfo.toString(16)}`,
    holds: ({ fields }) => fields.keyInfo >>> 5 === 0,
  },
  {
    id: 'SNP-07',
    title: 'SIGNING_KEY is not reserved',
    code: 'snp-signing-key-reserved',
    at: 'KEY_INFO',
    expected: '0 (VCEK), 1 (VLEK) or 7 (NONE)',
    actual: ({ signingKey }) => `${signingKey}`,
    holds: ({ signingKey }) => [0, 1, 7].includes(signingKey),
  },
  {
    id: 'SNP-08',
    title: 'The report is signed',
    code: 'snp-report-unsigned',
    at: 'KEY_INFO',
    expected: 'SIGNING_KEY 0 or 1, MASK_CHIP_KEY 0',
    actual: ({ signingKey, fields }) => `SIGNING_KEY ${signingKey}, MASK_CHIP_KEY ${flag(fields.maskChipKey)}`,
    holds: ({ signingKey, fields }) => signingKey <= 1 && !fields.maskChipKey,
  },
  {
    id: 'SNP-09',
    title: 'A guest asked for the report',
    code: 'snp-vmpl-out-of-range',
    at: 'VMPL',
    expected: 'VMPL 0 to 3',
    actual: ({ fields }) => `VMPL ${fields.vmpl}`,
    holds: ({ fields }) => fields.vmpl <= 3,
  },
  {
    id: 'SNP-10',
    title: 'The padding of R and S is zero',
    code: 'snp-signature-out-of-range',
    at: 'SIGNATURE',
    expected: 'bytes 48 to 71 zero',
    actual: ({ r, s }) => `R ${zeroOrSet(r.subarray(48))}, S ${zeroOrSet(s.subarray(48))}`,
    holds: ({ r, s }) => isZero(r.subarray(48)) && isZero(s.subarray(48)),
  },
  {
    id: 'SNP-10',
    title: 'R and S are numbers of the group',
    code: 'snp-signature-out-of-range',
    at: 'SIGNATURE',
    expected: '0 < R < n, 0 < S < n',
    actual: ({ fields }) => `R 0x${hex(fields.signature.subarray(0, 48))}, S 0x${hex(fields.signature.subarray(48))}`,
    holds: ({ fields }) => inRange(fields.signature.subarray(0, 48)) && inRange(fields.signature.subarray(48)),
  },
  {
    id: 'SNP-10',
    title: 'The unsigned end of the report is zero',
    code: 'snp-reserved-nonzero',
    at: 'SIGNATURE',
    expected: 'zero from 0x330 to 0x49f',
    actual: ({ tail }) => zeroOrSet(tail),
    holds: ({ tail }) => isZero(tail),
  },
]

/** AUTHOR_KEY_EN and AUTHOR_KEY_DIGEST go together, and there is no author key without an ID key. */
const idBlockConsistent = (report: Report): boolean =>
  report.authorKeyEn === !isZero(report.authorKeyDigest) && !(report.authorKeyEn && isZero(report.idKeyDigest))

/** SNP-17, after the certificate table in the order of section 15. */
export const ID_BLOCK_RULES: readonly Rule<Report>[] = [
  {
    id: 'SNP-17',
    title: 'ID block fields agree with each other',
    code: 'snp-id-block-inconsistent',
    at: 'AUTHOR_KEY_DIGEST',
    expected: 'AUTHOR_KEY_EN set exactly with AUTHOR_KEY_DIGEST, and only with ID_KEY_DIGEST',
    actual: (r) =>
      `AUTHOR_KEY_EN ${flag(r.authorKeyEn)}, AUTHOR_KEY_DIGEST ${zeroOrSet(r.authorKeyDigest)}, ID_KEY_DIGEST ${zeroOrSet(r.idKeyDigest)}`,
    holds: idBlockConsistent,
  },
]

/** Turin reports carry eight bytes of chip id and 56 zeros; all zero is masked or a VLEK's (section 2). */
const turinLike = (chipId: Uint8Array): boolean => isZero(chipId.subarray(8)) && !isZero(chipId.subarray(0, 8))

/** SNP-18, for versions that carry CPUID. */
export const CPUID_RULES: readonly Rule<Cpuid>[] = [
  {
    id: 'SNP-18',
    title: 'The processor is known',
    code: 'snp-product-unknown',
    at: 'CPUID',
    expected: 'a family and model of Milan, Genoa, Turin or Venice',
    actual: ({ family, model }) => `family 0x${family.toString(16)}, model 0x${model.toString(16)}`,
    holds: ({ family, model }) => productOf(family, model) !== undefined,
  },
]

/** SNP-20, for version 2, which Turin never makes. */
export const V2_RULES: readonly Rule<Report>[] = [
  {
    id: 'SNP-20',
    title: 'A version 2 report is not of a Turin processor',
    code: 'snp-product-mismatch',
    at: 'CHIP_ID',
    expected: 'CHIP_ID of 64 bytes, or all zero',
    actual: ({ chipId }) => (turinLike(chipId) ? 'CHIP_ID of 8 bytes' : 'CHIP_ID of 64 bytes, or all zero'),
    holds: ({ chipId }) => !turinLike(chipId),
  },
]

/** SNP-21, for Turin. */
export const TURIN_RULES: readonly Rule<Report>[] = [
  {
    id: 'SNP-21',
    title: 'CHIP_ID of a Turin processor has eight bytes',
    code: 'snp-chip-id-malformed',
    at: 'CHIP_ID',
    expected: 'zero from byte 8',
    actual: ({ chipId }) => `${zeroOrSet(chipId.subarray(8))} from byte 8`,
    holds: ({ chipId }) => isZero(chipId.subarray(8)),
  },
]
