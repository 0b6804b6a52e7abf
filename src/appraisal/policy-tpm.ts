import { z } from 'zod'
import { digest, hasMembers, hex, line, list, noPlaceholder, references, whole, words } from './policy-values.ts'
import { PHASES } from '../verifiers/tpm/boot/phases.ts'
import { UKI_SECTIONS } from '../verifiers/tpm/boot/uki.ts'
import { pattern } from './tpm/patterns.ts'
import { ima } from './tpm/policy-ima.ts'

/** How a key may have come to be trusted (specification tpm.md section 6). A key that is merely listed proves continuity and nothing else. */
const AK_TRUST = ['ak-cert', 'ek-activation', 'enrolled-ak'] as const
const BANKS = { sha256: 32, sha384: 48, sha512: 64 } as const

const KEY = { error: 'expected the name of a key (lower-case hex, with its hash in front), or `spki:` and a SHA-256 in lower-case hex' }

/** An attestation key: nameAlg ‖ digest as the TPM names it, or the digest of its SubjectPublicKeyInfo. */
const key = () => z.string(KEY).regex(/^(?:spki:[0-9a-f]{64}|000b[0-9a-f]{64}|000c[0-9a-f]{96}|000d[0-9a-f]{128})$/, KEY)

const INDEX = { error: 'expected the number of a PCR, 0 to 23, as a member' }
const index = () => z.string().regex(/^(?:0|1[0-9]?|2[0-3]?|[3-9])$/, INDEX)

/** Registers by number. Zero is a value: nothing was measured into the register. */
const registers = (bytes: number) =>
  z
    .record(index(), references(hex(bytes)), INDEX)
    .refine((found) => Object.keys(found).length > 0, { error: 'expected at least one PCR' })
    .optional()

const pcrs = z.strictObject({ sha256: registers(BANKS.sha256), sha384: registers(BANKS.sha384), sha512: registers(BANKS.sha512) })

/** A digest of whichever bank is relied on. */
const measured = () => noPlaceholder(digest(BANKS.sha256, BANKS.sha384, BANKS.sha512))

const needed = () => words(['any', 'require']).default('any')
const denied = () => words(['refuse', 'allow']).default('refuse')

/** Whose TPMs, and how they came to be known (section 8). */
const ek = z.strictObject({
  bases: list(words(['listed', 'enroller', 'DANGEROUSLY_ANY_GENUINE_TPM'])).default(['listed', 'enroller']),
  allowed: list(digest(32)).optional(),
  denied: list(digest(32)).optional(),
})

const DECIMAL = { error: 'expected decimal digits, in quotes' }
const decimal = () => z.string(DECIMAL).regex(/^[0-9]{1,20}$/, DECIMAL)

/** Instances of Google’s cloud, by what their certificate says (section 6.1). */
const gce = z.strictObject({
  project_ids: list(line(100)).optional(),
  project_numbers: list(decimal()).optional(),
  zones: list(line(100)).optional(),
  instance_ids: list(decimal()).optional(),
  technologies: list(words(['none', 'sev', 'sev-es', 'tdx', 'sev-snp'])).optional(),
})

/** How the firmware’s log is read and what must be in it (sections 9 and 10). */
const eventLog = z.strictObject({
  required: needed(),
  /** PCRs of firmware that the log must lead to. */
  replayed_pcrs: list(whole(0, 7)).default([0, 1, 2, 3, 4, 5, 6, 7]),
  bootloader: words(['any', 'grub', 'uki']).default('any'),
  exit_boot_services_workaround: words(['allow', 'refuse']).default('allow'),
  empty_secure_boot_variable: denied(),
  efi_app_before_calling_event: denied(),
})

const SBAT = { error: 'expected the date of a SbatLevel such as "2024010900", in quotes' }

/** Secure Boot as PCR 7 proves it. */
const secureBoot = z.strictObject({
  enabled: needed(),
  pre_separator_authority: denied(),
  pk: list(digest(32)).optional(),
  kek: list(digest(32)).optional(),
  db: list(digest(32)).optional(),
  /** Each must be in dbx. */
  dbx: list(digest(32)).optional(),
  authorities: list(digest(32)).optional(),
  min_sbat_level: z
    .string(SBAT)
    .regex(/^20[0-9]{8}$/, SBAT)
    .optional(),
  debug_mode: words(['deny', 'DANGEROUSLY_ALLOW']).default('deny'),
  dma_protection_disabled: words(['deny', 'allow']).default('allow'),
})

const TEXT = { error: 'expected 1 to 4096 characters' }
const commandLine = () => z.string(TEXT).min(1, TEXT).max(4096, TEXT)

/** The command line that the kernel got. */
const kernelCmdline = z.strictObject({
  exact: list(commandLine()).optional(),
  /** Whole lines, by regular expressions that take linear time (RE2). */
  patterns: list(pattern()).optional(),
  required_tokens: list(line(500)).optional(),
  forbidden_tokens: list(line(500)).optional(),
})

const PATH = { error: `expected phases behind colons, such as \`enter-initrd:leave-initrd:sysinit:ready\`; there are ${PHASES.join(', ')}` }
const isPath = (text: string): boolean => text.split(':').every((phase) => PHASES.some((known) => known === phase))

/** A unified kernel image by the digests of all of its measured sections, in one bank (section 11). */
const ukiImage = z.strictObject({
  label: line(200).optional(),
  sections: z
    .partialRecord(z.enum(UKI_SECTIONS), measured())
    .refine((found) => found['.linux'] !== undefined, { error: 'expected at least the digest of .linux' })
    .refine((found) => new Set(Object.values(found).map(({ length }) => length)).size === 1, { error: 'expected digests of one bank' }),
})

/** Images, and the phases of the boot in which a host may attest. */
const uki = z.strictObject({
  images: z.array(ukiImage).min(1).max(64),
  phases: list(z.string(PATH).refine(isPath, PATH)).default(['enter-initrd:leave-initrd:sysinit:ready']),
})

const crl = z.strictObject({
  mode: words(['require', 'prefer', 'DANGEROUSLY_OFF']).default('prefer'),
  grace_seconds: whole(0, 2_592_000).default(0),
  skew_seconds: whole(0, 300).default(60),
})

const ALGORITHMS = ['rsa-2048', 'rsa-3072', 'rsa-4096', 'ecc-p256', 'ecc-p384', 'ecc-p521'] as const

type Banks = Readonly<Partial<Record<keyof typeof BANKS, Readonly<Record<string, unknown>> | undefined>>>

const sameIndexes = (banks: Banks): boolean =>
  new Set(Object.values(banks).flatMap((found) => (found === undefined ? [] : [Object.keys(found).toSorted().join()]))).size <= 1

/** Section 15. What is left out has its strict value; a list that is left out asks nothing, but something must say what may boot. */
export const tpm = z
  .strictObject({
    ak_trust: list(words(AK_TRUST)).default(['ak-cert', 'ek-activation']),
    /** For `enrolled-ak`. */
    enrolled_aks: list(key()).optional(),
    denied_aks: list(key()).optional(),
    ak_without_public_area: denied(),
    /** Whose certificate vouches for the key: `google`, `azure`, or a name of the configuration. */
    authorities: list(line(64)).optional(),
    algorithms: list(words(ALGORITHMS)).optional(),
    schemes: list(words(['rsassa', 'rsapss', 'ecdsa'])).optional(),
    ek: ek.prefault({}),
    gce: gce.prefault({}),
    firmware_versions: list(hex(8)).optional(),
    min_firmware_version: hex(8).optional(),
    /** Banks that count, whichever of them is the strongest; absent: those that `pcrs` lists, else all but SHA-1. */
    banks: list(words(['sha256', 'sha384', 'sha512', 'DANGEROUSLY_SHA1'])).optional(),
    required_pcrs: list(whole(0, 23)).optional(),
    pcrs: pcrs.optional(),
    /** Whether a host may attest although nothing here says what may boot. */
    unnamed_boot: words(['refuse', 'DANGEROUSLY_ALLOW']).default('refuse'),
    /** PCRs into which nothing may have been measured. */
    zero_pcrs: list(whole(0, 23)).optional(),
    /** PCRs that were extended once from zero, with one of these digests. */
    extended_once: z.record(index(), list(measured()), INDEX).optional(),
    event_log: eventLog.prefault({}),
    secure_boot: secureBoot.prefault({}),
    /** Digests of PE images (Authenticode) that PCR 4 may hold; `exact`: all of them, in this order. */
    boot_applications: z.strictObject({ match: words(['each', 'exact', 'first']).default('each'), allowed: list(measured()) }).optional(),
    kernel_cmdline: kernelCmdline.prefault({}),
    grub_files: list(measured()).optional(),
    initrds: list(measured()).optional(),
    mok: z.partialRecord(z.enum(['MokList', 'MokListX', 'MokListTrusted']), list(measured())).optional(),
    scrtm_versions: list(line(200)).optional(),
    firmware_blobs: list(measured()).optional(),
    uki: uki.optional(),
    clock: z
      .strictObject({
        safe: needed(),
        reboot: words(['allow', 'refuse']).default('allow'),
        compare_to_previous: words(['no', 'yes']).default('no'),
      })
      .prefault({}),
    crl: crl.prefault({}),
    ima: ima.prefault({}),
  })
  .refine(({ pcrs: found }) => found === undefined || sameIndexes(found), {
    path: ['pcrs'],
    error: 'lists other PCRs in one bank than in another: only the strongest bank that was quoted is asked, so all must list the same',
    when: ({ value }) => hasMembers(value),
  })
  .refine(({ clock }) => clock.reboot === 'allow' || clock.compare_to_previous === 'yes', {
    path: ['clock', 'reboot'],
    error: 'needs `compare_to_previous: yes`: one quote alone tells of no reboot',
    when: ({ value }) => hasMembers(value),
  })
  .refine(({ ak_trust: trust, enrolled_aks: keys }) => trust.includes('enrolled-ak') === (keys !== undefined), {
    path: ['enrolled_aks'],
    error: 'goes with `enrolled-ak` among ak_trust, and neither without the other',
    when: ({ value }) => hasMembers(value) && 'ak_trust' in value && Array.isArray(value.ak_trust),
  })
