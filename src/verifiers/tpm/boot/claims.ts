/** A certificate or digest list of Secure Boot (specification tpm.md section 10.2). Digests are lower-case hex. */
export type SignatureDatabase = {
  /** SHA-256 of each X.509 certificate's DER. */
  readonly certificates: readonly string[]
  /** Entries that are SHA-256 digests of images. */
  readonly sha256: readonly string[]
  /** Entries of other types; kept out, counted. */
  readonly unhandled: number
}

/** Secure Boot as PCR 7 proves it. */
export type SecureBootClaims = {
  /** In effect: SecureBoot measured as 1 before the separator, an authority used, PK, KEK and db not empty, no SetupMode. */
  readonly enabled: boolean
  /** The variable SecureBoot: null where it was empty or not measured. */
  readonly variable: boolean | null
  readonly setup_mode: boolean | null
  readonly pk: SignatureDatabase
  readonly kek: SignatureDatabase
  readonly db: SignatureDatabase
  readonly dbx: SignatureDatabase
  /** SHA-256 of the DER of every certificate that let something boot, in order; `pre_separator`: before the separator (option ROMs). */
  readonly authorities: readonly { readonly sha256: string; readonly variable: string; readonly pre_separator: boolean }[]
  /** Text of shim's SbatLevel, where it was measured. */
  readonly sbat_level: string | null
  readonly debug_mode: boolean
  readonly dma_protection_disabled: boolean
}

/** What the event log proves of the boot. Only events whose data the replay and their digest prove are told as facts. */
export type BootClaims = {
  /** The bank that was replayed. */
  readonly bank: string
  readonly events: number
  /** PCRs whose replay equals the quote. */
  readonly replayed: readonly number[]
  readonly startup_locality: number
  /** Whether events of ExitBootServices were added that the log lacks (section 9.4). */
  readonly exit_boot_services_added: boolean
  /** Whether "Exit Boot Services Invocation" is proven in PCR 5. */
  readonly exit_boot_services: boolean
  readonly secure_boot: SecureBootClaims | null
  /** Authenticode digests (hex, of the bank) of PCR 4, in order; null where PCR 4 was not replayed. */
  readonly boot_applications: readonly string[] | null
  /** Text of EV_S_CRTM_VERSION, before the separator of PCR 0. */
  readonly scrtm_version: string | null
  /** Digests of firmware blobs of PCR 0 (hex, of the bank) before its separator. */
  readonly firmware_blobs: readonly string[]
  /** GCE's confidential technology: 0 none, 1 SEV, 2 SEV-ES, 3 TDX, 4 SEV-SNP; null for other firmware. */
  readonly gce_technology: number | null
  /** GRUB's commands in order (PCR 8), and the digests of the files that it read (PCR 9, hex). */
  readonly grub_commands: readonly string[]
  readonly grub_files: readonly string[]
  readonly kernel_cmdline: string | null
  /** Who measured it: GRUB's text (PCR 8), the stub's load options (PCR 9 or 12). */
  readonly kernel_cmdline_source: 'grub' | 'linux-stub' | 'systemd-stub' | null
  /** Digests (hex) of initrds that the Linux stub measured (PCR 9). */
  readonly initrds: readonly string[]
  /** Sections of a unified kernel image as the stub measured them into PCR 11: name, and digest of the content (hex). */
  readonly uki_sections: readonly { readonly name: string; readonly digest: string }[]
  /** Digests (hex) of shim's MokList, MokListX and MokListTrusted (PCR 14), by name. */
  readonly mok: Readonly<Record<string, string>>
  /** Text that the log holds and nothing proves; never to be relied on. */
  readonly untrusted: { readonly platform_ids: readonly string[] }
}
