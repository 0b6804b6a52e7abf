/** TCB_VERSION in parts (specification snp.md section 2); `fmc` exists on Turin only. */
export type SnpTcb = {
  readonly bootloader: number
  readonly tee: number
  readonly snp: number
  readonly microcode: number
  readonly fmc?: number
}

/** AMD's product lines with published roots. */
export type SnpProduct = 'Milan' | 'Genoa' | 'Turin'

/** Every field of a verified report (specification snp.md section 1), byte fields as lower-case hex, and what its signing certificate says. */
export type SnpClaims = {
  readonly product: SnpProduct
  readonly version: number
  readonly guest_svn: number
  readonly policy: {
    /** The whole field, `0x` and 16 hex digits. */
    readonly value: string
    readonly abi_major: number
    readonly abi_minor: number
    readonly smt_allowed: boolean
    readonly migrate_ma_allowed: boolean
    readonly debug_allowed: boolean
    readonly single_socket: boolean
    readonly cxl_allowed: boolean
    readonly mem_aes_256_xts: boolean
    readonly rapl_dis: boolean
    readonly ciphertext_hiding: boolean
    readonly page_swap_disable: boolean
  }
  readonly family_id: string
  readonly image_id: string
  readonly vmpl: number
  readonly signature_algo: number
  readonly current_tcb: SnpTcb
  readonly platform_info: {
    /** The whole field, `0x` and 16 hex digits. */
    readonly value: string
    readonly smt_enabled: boolean
    readonly tsme_enabled: boolean
    readonly ecc_enabled: boolean
    readonly rapl_disabled: boolean
    readonly ciphertext_hiding_enabled: boolean
    readonly alias_check_complete: boolean
    readonly tio_enabled: boolean
    /** Bits that no source names, `0x` and hex digits: `0x0` when none is set (bit 6 is one of them). */
    readonly unknown_bits: string
  }
  readonly author_key_en: boolean
  readonly mask_chip_key: boolean
  readonly signing_key: 'vcek' | 'vlek'
  readonly report_data: string
  readonly measurement: string
  readonly host_data: string
  readonly id_key_digest: string
  readonly author_key_digest: string
  readonly report_id: string
  readonly report_id_ma: string
  readonly reported_tcb: SnpTcb
  /** null in version 2, which does not carry them. */
  readonly cpuid: { readonly family: number; readonly model: number; readonly stepping: number } | null
  /** 64 bytes as reported, 8 on Turin; null when masked (all zero). */
  readonly chip_id: string | null
  readonly committed_tcb: SnpTcb
  /** Firmware API version `major.minor.build`. */
  readonly current_version: string
  readonly committed_version: string
  readonly launch_tcb: SnpTcb
  /** `0x` and 16 hex digits; null before version 4. */
  readonly launch_mit_vector: string | null
  readonly current_mit_vector: string | null
  readonly vek: {
    readonly kind: 'vcek' | 'vlek'
    readonly product_name: string
    readonly spki_sha256: string
    /** Authenticated chip id of a VCEK: lower-case hex, 64 bytes, 8 on Turin; null for a VLEK. */
    readonly hwid: string | null
    readonly csp_id: string | null
    /** RFC 3339. */
    readonly not_before: string
    readonly not_after: string
  }
  /** Whether revocation lists of both endpoints were checked. */
  readonly revocation: 'checked' | 'not-checked'
}
