import type { SnpClaims, SnpProduct, SnpTcb } from '../src/verifiers/snp/claims.ts'
import type { Finding } from '../src/verifiers/verifier.ts'

/** A TCB that closes every advisory on every product. */
export const goodTcb: SnpTcb = { bootloader: 4, tee: 0, snp: 24, microcode: 219 }

const zeros = (bytes: number): string => '00'.repeat(bytes)

/** Claims of a sound Milan guest (the values of the vector `ok-milan-v5`, a chip and a key of our own choosing). */
export const soundClaims: SnpClaims = {
  product: 'Milan',
  version: 5,
  guest_svn: 3,
  policy: {
    value: '0x0000000000030000',
    abi_major: 0,
    abi_minor: 0,
    smt_allowed: true,
    migrate_ma_allowed: false,
    debug_allowed: false,
    single_socket: false,
    cxl_allowed: false,
    mem_aes_256_xts: false,
    rapl_dis: false,
    ciphertext_hiding: false,
    page_swap_disable: false,
  },
  family_id: zeros(16),
  image_id: zeros(16),
  vmpl: 0,
  signature_algo: 1,
  current_tcb: goodTcb,
  platform_info: {
    value: '0x0000000000000025',
    smt_enabled: true,
    tsme_enabled: false,
    ecc_enabled: true,
    rapl_disabled: false,
    ciphertext_hiding_enabled: false,
    alias_check_complete: true,
    tio_enabled: false,
    unknown_bits: '0x0',
  },
  author_key_en: false,
  mask_chip_key: false,
  signing_key: 'vcek',
  report_data: zeros(64),
  measurement: 'b6'.repeat(48),
  host_data: zeros(32),
  id_key_digest: zeros(48),
  author_key_digest: zeros(48),
  report_id: 'cc'.repeat(32),
  report_id_ma: 'ff'.repeat(32),
  reported_tcb: goodTcb,
  cpuid: { family: 0x19, model: 0x01, stepping: 1 },
  chip_id: '06'.repeat(64),
  committed_tcb: goodTcb,
  current_version: '1.55.29',
  committed_version: '1.55.29',
  launch_tcb: goodTcb,
  launch_mit_vector: '0x0000000000000003',
  current_mit_vector: '0x000000000000000b',
  vek: {
    kind: 'vcek',
    product_name: 'Milan-B0',
    spki_sha256: '5e'.repeat(32),
    hwid: '06'.repeat(64),
    csp_id: null,
    not_before: '2026-01-01T00:00:00.000Z',
    not_after: '2033-01-01T00:00:00.000Z',
  },
  revocation: 'checked',
}

/** A VLEK as AWS ships it: a provider, and no chip anywhere. */
export const vlekClaims: SnpClaims = {
  ...soundClaims,
  signing_key: 'vlek',
  chip_id: null,
  vek: { ...soundClaims.vek, kind: 'vlek', product_name: 'Milan', hwid: null, csp_id: 'CN=cc-us-east-2.amazonaws.com' },
}

/** A finding of genuine evidence with these claims. */
export const genuine = (claims: SnpClaims): Finding => ({
  checks: [{ id: 'SNP-50', title: 'The report is signed by the endorsement key', outcome: 'pass', origin: 'specification' }],
  claims: { snp: claims },
  validUntil: new Date('2026-12-01T00:00:00Z'),
})

/** What the manifests of the vectors say of a report, as far as the rules look at it. */
export type Decoded = {
  readonly version: number
  readonly guest_svn: number
  readonly policy: string
  readonly vmpl: number
  readonly platform_info: string
  readonly signing_key: 'VCEK' | 'VLEK'
  readonly author_key_en: boolean
  readonly report_id_ma: string
  readonly measurement: string
  readonly host_data: string
  readonly id_key_digest: string
  readonly author_key_digest: string
  readonly cpuid_fms: string | null
  readonly product: SnpProduct | null
  readonly chip_id: string
  readonly current_tcb: string
  readonly reported_tcb: string
  readonly committed_tcb: string
  readonly launch_tcb: string
  readonly current_version: string
  readonly committed_version: string
  readonly launch_mit_vector: string | null
  readonly current_mit_vector: string | null
}

const bit = (field: bigint, at: bigint): boolean => ((field >> at) & 1n) === 1n

/** TCB_VERSION by product, written apart from the verifier's own reading (specification snp.md section 2). */
function tcbOf(product: SnpProduct, hex: string): SnpTcb {
  const [b0 = 0, b1 = 0, b2 = 0, b3 = 0, , , b6 = 0, b7 = 0] = Buffer.from(hex, 'hex')
  return product === 'Turin'
    ? { fmc: b0, bootloader: b1, tee: b2, snp: b3, microcode: b7 }
    : { bootloader: b0, tee: b1, snp: b6, microcode: b7 }
}

/** Claims from a manifest: what a verifier of such a report would say. */
export function claimsFromDecoded(d: Decoded): SnpClaims {
  const product = d.product ?? 'Milan'
  const [guest, platform] = [BigInt(d.policy), BigInt(d.platform_info)]
  const vlek = d.signing_key === 'VLEK'
  const chip = /^0*$/.test(d.chip_id) ? null : d.chip_id
  return {
    ...soundClaims,
    ...d,
    product,
    signing_key: vlek ? 'vlek' : 'vcek',
    policy: guestPolicy(guest),
    platform_info: {
      value: d.platform_info,
      smt_enabled: bit(platform, 0n),
      tsme_enabled: bit(platform, 1n),
      ecc_enabled: bit(platform, 2n),
      rapl_disabled: bit(platform, 3n),
      ciphertext_hiding_enabled: bit(platform, 4n),
      alias_check_complete: bit(platform, 5n),
      tio_enabled: bit(platform, 7n),
      unknown_bits: `0x${(platform & ~0xbfn).toString(16)}`,
    },
    current_tcb: tcbOf(product, d.current_tcb),
    reported_tcb: tcbOf(product, d.reported_tcb),
    committed_tcb: tcbOf(product, d.committed_tcb),
    launch_tcb: tcbOf(product, d.launch_tcb),
    chip_id: chip,
    vek: vlek ? vlekClaims.vek : { ...soundClaims.vek, hwid: chip },
  }
}

const guestPolicy = (guest: bigint): SnpClaims['policy'] => ({
  value: `0x${guest.toString(16)}`,
  abi_major: Number((guest >> 8n) & 0xffn),
  abi_minor: Number(guest & 0xffn),
  smt_allowed: bit(guest, 16n),
  migrate_ma_allowed: bit(guest, 18n),
  debug_allowed: bit(guest, 19n),
  single_socket: bit(guest, 20n),
  cxl_allowed: bit(guest, 21n),
  mem_aes_256_xts: bit(guest, 22n),
  rapl_dis: bit(guest, 23n),
  ciphertext_hiding: bit(guest, 24n),
  page_swap_disable: bit(guest, 25n),
})
