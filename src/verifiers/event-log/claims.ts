/** One event of a measured boot. `trusted`: the register replayed and the digest is that of these data; only then do the data mean anything. */
export type MeasuredEvent = {
  /** Register, counted as the technology counts: RTMR 0 to 3. */
  readonly register: number
  /** Place in the log, from 0. */
  readonly index: number
  /** Name of the type, such as EV_EFI_VARIABLE_AUTHORITY, or its number in hex. The type itself is not measured. */
  readonly type: string
  readonly digest: string
  readonly trusted: boolean
}

/** Facts that trusted events prove; null where no trusted event tells. */
export type BootFacts = {
  readonly secure_boot: boolean | null
  /** SHA-256 or SHA-384 digests (hex) of what was measured as boot applications, in order; the digests are covered by the registers. */
  readonly boot_applications: readonly string[]
  readonly kernel_cmdline: string | null
  /** From runtime events (AAEL of confidential containers): digests or references of images, in order. */
  readonly container_images: readonly string[]
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
  readonly source: 'ccel' | 'dstack' | 'ccel+dstack'
  readonly events: number
  /** Registers whose replay equals the quote. */
  readonly replayed: readonly number[]
  readonly facts: BootFacts
  readonly dstack: DstackFacts | null
}
