import { z } from 'zod'
import type { BootClaims } from '../../verifiers/tpm/boot/claims.ts'
import { hex } from './fields.ts'

const digest = z.string().regex(/^[0-9a-f]+$/)
const pcr = z.int().min(0).max(23)

const database = z
  .strictObject({
    certificates: z.array(hex(32)).meta({ description: 'SHA-256 of each certificate' }),
    sha256: z.array(hex(32)),
    unhandled: z.int(),
  })
  .meta({ id: 'SignatureDatabase' })

const secureBoot = z
  .strictObject({
    enabled: z.boolean(),
    variable: z.boolean().nullable(),
    setup_mode: z.boolean().nullable(),
    pk: database,
    kek: database,
    db: database,
    dbx: database,
    authorities: z.array(z.strictObject({ sha256: hex(32), variable: z.string(), pre_separator: z.boolean() })),
    sbat_level: z.string().nullable(),
    shim_validation_disabled: z.boolean(),
    debug_mode: z.boolean(),
    dma_protection_disabled: z.boolean(),
  })
  .meta({ id: 'SecureBoot', description: 'Secure Boot as PCR 7 proves it' })

/** What the event log of a TPM host proves. */
export const bootClaims = z
  .strictObject({
    bank: z.string(),
    events: z.int(),
    replayed: z.array(pcr).meta({ description: 'PCRs whose replay equals the quote' }),
    startup_locality: z.int(),
    exit_boot_services_added: z.boolean(),
    exit_boot_services: z.boolean(),
    secure_boot: secureBoot.nullable(),
    boot_applications: z.array(digest).nullable(),
    scrtm_version: z.string().nullable(),
    firmware_blobs: z.array(digest).nullable(),
    gce_technology: z.int().nullable(),
    grub_commands: z.array(z.string()).nullable(),
    grub_files: z.array(digest).nullable(),
    kernel_cmdline: z.string().nullable(),
    kernel_cmdline_source: z.enum(['grub', 'linux-stub', 'systemd-stub']).nullable(),
    initrds: z.array(digest).nullable(),
    uki_sections: z.array(z.strictObject({ name: z.string(), digest })).nullable(),
    boot_phases: z.array(z.string()).nullable(),
    mok: z.record(z.string(), digest).nullable(),
    untrusted: z.strictObject({ platform_ids: z.array(z.string()) }).meta({ description: 'Text that nothing proves' }),
  })
  .meta({
    id: 'BootClaims',
    description: 'What the event log proves, each only of PCRs that replayed; null where it leaves it open',
  }) satisfies z.ZodType<BootClaims>
