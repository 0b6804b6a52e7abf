/**
 * Facts that trusted events prove; null where no trusted event tells. Registers prove digests and their order. Whoever carries a log may put
 * any label on an event, so nothing here depends on a label alone, and what the log does not prove to be harmless counts.
 */
export type BootFacts = {
  /** The variable SecureBoot as firmware measured it before its first separator; false also where it is empty (firmware without Secure Boot). */
  readonly secure_boot: boolean | null
  /**
   * Digests (hex, of the bank that was replayed), in order, of everything in the register of boot applications that the log does not prove to
   * be something else: boot loaders and kernels, and drivers or later extensions where there are any. null where that register does not replay.
   */
  readonly boot_applications: readonly string[] | null
  /** The one text that GRUB measured and the log labels as the command line of the kernel; its label is not measured, other texts of GRUB are in the same register. */
  readonly kernel_cmdline: string | null
  /**
   * Manifest digests of the images that the attestation agent of confidential containers measured (AAEL), in order; a reference it gave in
   * another form is told as it is. null where RTMR3 does not replay, or holds an event that the log does not explain, which may be an image.
   */
  readonly container_images: readonly string[] | null
}

/** dstack's runtime events whose digests were recomputed (specification tdx.md section 8.3). */
export type DstackFacts = {
  readonly app_id: string | null
  readonly compose_hash: string | null
  readonly instance_id: string | null
  readonly key_provider: string | null
  readonly os_image_hash: string | null
  /** Events of the application, after system-ready: name and payload (hex). */
  readonly app_events: readonly { readonly name: string; readonly payload: string }[]
}

/** What the logs that came with a quote prove. */
export type EventLogClaims = {
  /** The logs that tell of registers that replay. */
  readonly source: 'ccel' | 'dstack' | 'ccel+dstack'
  readonly events: number
  /** Registers whose replay equals the quote. */
  readonly replayed: readonly number[]
  readonly facts: BootFacts
  readonly dstack: DstackFacts | null
}
