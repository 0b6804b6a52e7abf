import type { ItemAppraisal } from '../src/appraisal/appraisal.ts'
import type { BootClaims, SecureBootClaims, SignatureDatabase } from '../src/verifiers/tpm/boot/claims.ts'
import type { TpmClaims } from '../src/verifiers/tpm/claims.ts'
import type { ImaClaims } from '../src/verifiers/tpm/ima/claims.ts'
import { hexOf, itemWith } from './appraisals.ts'

const database = (fill: number): SignatureDatabase => ({ certificates: [hexOf(fill, 32)], sha256: [], unhandled: 0 })

/** Secure Boot in effect, with one key of each kind. */
export const secureBoot: SecureBootClaims = {
  enabled: true,
  variable: true,
  setup_mode: false,
  pk: database(0x91),
  kek: database(0x92),
  db: database(0x93),
  dbx: { certificates: [], sha256: [hexOf(0x94, 32)], unhandled: 0 },
  authorities: [{ sha256: hexOf(0x93, 32), variable: 'db', pre_separator: false }],
  sbat_level: 'sbat,1,2024010900\nshim,4\n',
  shim_validation_disabled: false,
  debug_mode: false,
  dma_protection_disabled: false,
}

/** A boot of shim, GRUB and Linux whose log tells everything. */
export const boot: BootClaims = {
  bank: 'sha256',
  events: 80,
  replayed: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14],
  startup_locality: 0,
  exit_boot_services_added: false,
  exit_boot_services: true,
  secure_boot: secureBoot,
  boot_applications: [hexOf(0xa1, 32), hexOf(0xa2, 32), hexOf(0xa3, 32)],
  scrtm_version: 'GCE Virtual Firmware v2',
  firmware_blobs: [hexOf(0xf1, 32)],
  gce_technology: 0,
  grub_commands: ['set root=hd0', 'linux /vmlinuz ro'],
  grub_files: [hexOf(0x61, 32)],
  kernel_cmdline: '/vmlinuz root=/dev/sda1 ro',
  kernel_cmdline_source: 'grub',
  initrds: [hexOf(0x62, 32)],
  uki_sections: [],
  boot_phases: [],
  mok: { MokList: hexOf(0x63, 32) },
  untrusted: { platform_ids: [] },
}

/** A list whose every entry the policy lists. */
export const ima: ImaClaims = {
  attested_entries: 400,
  unattested_entries: 0,
  value: hexOf(0x10, 32),
  boot_aggregate: '0-9',
  boot_aggregate_verified: true,
  violations: 0,
  accepted: { digest: 400, signature: 0, excluded: 0, keyring: 0, buffer: 0 },
  faults: {},
  legacy_padding: false,
  continued: false,
  whole_list_at: '2026-11-24T08:00:00Z',
}

/** A quote under a key that was enrolled by credential activation, over all 24 PCRs. */
export const tpmClaims: TpmClaims = {
  ak: {
    name: `000b${hexOf(0x4a, 32)}`,
    spki_sha256: hexOf(0x4b, 32),
    algorithm: 'ecc-p256',
    scheme: 'ecdsa',
    hash: 'sha256',
    attributes_verified: true,
    st_clear: false,
    qualified_signer: `000b${hexOf(0x4c, 32)}`,
    qualified_signer_verified: true,
  },
  ak_trust: 'ek-activation',
  ak_certificate: {
    sha256: hexOf(0xce, 32),
    issuer: 'CN=Assay AK CA',
    serial: '0a',
    not_after: '2026-11-25T08:00:00Z',
    anchor_sha256: hexOf(0xca, 32),
    authority: 'assay',
  },
  ek: { public_key_sha256: hexOf(0xe0, 32), basis: 'listed', listed_by: null },
  gce: null,
  revocation: 'not-configured',
  clock: { clock: '150341', reset_count: 3, restart_count: 0, safe: true, rebooted: null },
  firmware_version: '2016051100162800',
  firmware_version_reliable: true,
  bank: 'sha256',
  pcrs: Object.fromEntries(Array.from({ length: 24 }, (_, index) => [String(index), hexOf(index + 1, 32)])),
  quoted_banks: ['sha256'],
  boot,
  ima,
}

/** An appraised host with a TPM. */
export const tpmItem = (overrides: Partial<TpmClaims> = {}): ItemAppraisal => ({
  ...itemWith(),
  label: 'tpm0',
  type: 'tpm',
  claims: { tpm: { ...tpmClaims, ...overrides } },
})
