import type { Appraisal, ItemAppraisal } from '../src/appraisal/appraisal.ts'
import type { PolicyReference } from '../src/appraisal/appraisal.ts'
import type { SnpClaims, SnpTcb } from '../src/verifiers/snp/claims.ts'

/** A byte string of this many bytes in hex. */
export const hexOf = (byte: number, length: number): string => byte.toString(16).padStart(2, '0').repeat(length)

const tcb: SnpTcb = { bootloader: 10, tee: 100, snp: 123, microcode: 219, fmc: 255 }

/** Claims of which each is as long as it can be, so that a token with them is the longest. */
const largestSnpClaims: SnpClaims = {
  product: 'Genoa',
  version: 5,
  guest_svn: 0xffffffff,
  policy: {
    value: '0x00000000003b0000',
    abi_major: 255,
    abi_minor: 255,
    smt_allowed: false,
    migrate_ma_allowed: false,
    debug_allowed: false,
    single_socket: false,
    cxl_allowed: false,
    mem_aes_256_xts: false,
    rapl_dis: false,
    ciphertext_hiding: false,
    page_swap_disable: false,
  },
  family_id: hexOf(0xf1, 16),
  image_id: hexOf(0x1d, 16),
  vmpl: 3,
  signature_algo: 1,
  current_tcb: tcb,
  platform_info: {
    value: '0x0000000000000021',
    smt_enabled: false,
    tsme_enabled: false,
    ecc_enabled: false,
    rapl_disabled: false,
    ciphertext_hiding_enabled: false,
    alias_check_complete: false,
    tio_enabled: false,
    unknown_bits: '0xffffffffffffff40',
  },
  author_key_en: false,
  mask_chip_key: false,
  signing_key: 'vcek',
  report_data: hexOf(0xdd, 64),
  measurement: hexOf(0x3e, 48),
  host_data: hexOf(0x4d, 32),
  id_key_digest: hexOf(0x1d, 48),
  author_key_digest: hexOf(0xa0, 48),
  report_id: hexOf(0x9e, 32),
  report_id_ma: hexOf(0xff, 32),
  reported_tcb: tcb,
  cpuid: { family: 25, model: 17, stepping: 1 },
  chip_id: hexOf(0xc1, 64),
  committed_tcb: tcb,
  current_version: '1.55.255',
  committed_version: '1.55.255',
  launch_tcb: tcb,
  launch_mit_vector: '0xffffffffffffffff',
  current_mit_vector: '0xffffffffffffffff',
  vek: {
    kind: 'vcek',
    product_name: 'Genoa-B1',
    spki_sha256: hexOf(0x5b, 32),
    hwid: hexOf(0xc1, 64),
    csp_id: 'a'.repeat(32),
    not_before: '2026-01-01T00:00:00.000Z',
    not_after: '2033-01-01T00:00:00.000Z',
  },
  revocation: 'not-checked',
}

/** One accepted piece of evidence with these claims. */
export const itemWith = (claims: Partial<SnpClaims> = {}): ItemAppraisal => ({
  label: 'cpu0',
  type: 'snp',
  status: 'affirming',
  trustworthiness: {
    'instance-identity': 2,
    configuration: 2,
    executables: 2,
    'file-system': 0,
    hardware: 2,
    'runtime-opaque': 2,
    'storage-opaque': 0,
    'sourced-data': 0,
  },
  fresh: true,
  checks: [{ id: 'SNP-50', title: 'The signature verifies', outcome: 'pass' }],
  claims: { snp: { ...largestSnpClaims, ...claims } },
  advisories: [{ id: 'amd-milan-vcek-seed-extraction', mode: 'report', applies: true, url: 'https://www.amd.com/' }],
})

/** An accepted appraisal under this policy; `overrides` for what a test is about. */
export const appraisalUnder = (policy: PolicyReference, overrides: Partial<Appraisal> = {}): Appraisal => ({
  id: '00000000000000000000000000000000',
  mode: 'production',
  status: 'affirming',
  policy,
  freshness: 'challenge',
  evidence: [itemWith()],
  valid_until: '2026-12-01T00:00:00.000Z',
  evidence_digest: hexOf(0xed, 32),
  collateral: {
    digest: hexOf(0xcd, 32),
    oldest_fetch: '2026-11-24T00:00:00.000Z',
    earliest_expiry: '2026-12-01T00:00:00.000Z',
  },
  ...overrides,
})
