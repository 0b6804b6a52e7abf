/** A certificate or digest list of Secure Boot (specification tpm.md section 10.2). Digests are lower-case hex. */
export type SignatureDatabase = {
  /** SHA-256 of each X.509 certificate's DER. */
  readonly certificates: readonly string[]
  /** Entries that are SHA-256 digests of images. */
  readonly sha256: readonly string[]
  /** Entries of other types; kept out, counted. */
  readonly unhandled: number
}

/**
 * Something that let an image boot: a certificate, or the digest of the image itself. `sha256`: of the certificate's DER; of other content,
 * over that content, so that a list of certificates refuses it.
 */
export type BootAuthority = {
  readonly sha256: string
  /** Name of the variable that it is from: `db` of the firmware; `Shim`, `vendor_db`, `MokList` and others of shim. */
  readonly variable: string
  /** Whether it was measured before the separator, as for option ROMs. */
  readonly pre_separator: boolean
}

/** Secure Boot as PCR 7 proves it. */
export type SecureBootClaims = {
  /**
   * In effect: SecureBoot measured as 1 before the separator, an authority of db used behind it, PK, KEK and db not empty, no SetupMode or
   * AuditMode, and shim not told to let everything pass.
   */
  readonly enabled: boolean
  /** The variable SecureBoot: null where it was empty or not measured. */
  readonly variable: boolean | null
  readonly setup_mode: boolean | null
  readonly pk: SignatureDatabase
  readonly kek: SignatureDatabase
  readonly db: SignatureDatabase
  readonly dbx: SignatureDatabase
  /** In order; one that was used twice is there twice. */
  readonly authorities: readonly BootAuthority[]
  /** Text of shim's SbatLevel, where it was measured once. */
  readonly sbat_level: string | null
  /** shim measured MokSBState: it lets everything boot, whatever Secure Boot says. */
  readonly shim_validation_disabled: boolean
  readonly debug_mode: boolean
  readonly dma_protection_disabled: boolean
}

/**
 * What the event log proves of the boot. Registers prove digests and their order within one PCR; types and texts of a log are what its carrier
 * likes. So a fact here is proven by digests, or is told so that it cannot hide: what the log does not prove to be harmless counts. null: the PCR
 * does not replay, is not quoted, or holds something that leaves the fact open.
 */
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
  /** Digests (hex, of the bank) in order of all in PCR 4 that the log does not prove to be something else: Authenticode digests of what was booted. */
  readonly boot_applications: readonly string[] | null
  /** EV_S_CRTM_VERSION before the separator of PCR 0, where there is one: its text, or hex where it is none. */
  readonly scrtm_version: string | null
  /** Digests (hex, of the bank) of all in PCR 0 before its separator that data of the log do not prove. */
  readonly firmware_blobs: readonly string[] | null
  /** GCE's confidential technology: 0 none, 1 SEV, 2 SEV-ES, 3 TDX, 4 SEV-SNP; null for other firmware. */
  readonly gce_technology: number | null
  /** Texts that GRUB measured (PCR 8), in order, without the command line of the kernel; longer ones are cut at 4096 bytes. */
  readonly grub_commands: readonly string[] | null
  /** Digests (hex) of all in PCR 9 before the load options of the kernel: files that GRUB read. */
  readonly grub_files: readonly string[] | null
  /**
   * The command line of the kernel. null unless all of its PCR is explained and only one text can be it: GRUB's labels are not measured, so the
   * text must also be that of GRUB's only `linux` command, or of the load options that the kernel measured.
   */
  readonly kernel_cmdline: string | null
  /** Who measured it: GRUB alone (PCR 8); GRUB and the kernel's own stub (PCR 8 and 9); systemd-stub and the kernel's (PCR 12 and 9). */
  readonly kernel_cmdline_source: 'grub' | 'linux-stub' | 'systemd-stub' | null
  /** Digests (hex) of all in PCR 9 behind the load options of the kernel: initrds. null where it is not proven which these are. */
  readonly initrds: readonly string[] | null
  /**
   * Sections of unified kernel images as the stub measured them into PCR 11: name, and digest of the content (hex). null too where PCR 11 holds
   * anything else.
   */
  readonly uki_sections: readonly { readonly name: string; readonly digest: string }[] | null
  /** Phases of systemd's boot that PCR 11 shows, in order; the log need not tell them. null where `uki_sections` are. */
  readonly boot_phases: readonly string[] | null
  /** Digests (hex) of shim's variables in PCR 14, by name, in shim's order; names are the log's. null too where it holds anything else. */
  readonly mok: Readonly<Record<string, string>> | null
  /** Text that the log holds and nothing proves; never to be relied on. */
  readonly untrusted: { readonly platform_ids: readonly string[] }
}
