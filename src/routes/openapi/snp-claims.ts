import { z } from 'zod'
import { hex } from './fields.ts'

const field64 = z.string().regex(/^0x[0-9a-f]{16}$/)
const version = z
  .string()
  .regex(/^\d{1,3}\.\d{1,3}\.\d{1,3}$/)
  .meta({ description: 'major.minor.build' })
const part = z.int().min(0).max(255)
const chipId = z.union([hex(64), hex(8)])

const tcb = z
  .strictObject({ bootloader: part, tee: part, snp: part, microcode: part, fmc: part.optional() })
  .meta({ id: 'SnpTcb', description: 'TCB_VERSION in parts; fmc on Turin only' })

const policy = z.strictObject({
  value: field64,
  abi_major: part,
  abi_minor: part,
  smt_allowed: z.boolean(),
  migrate_ma_allowed: z.boolean(),
  debug_allowed: z.boolean(),
  single_socket: z.boolean(),
  cxl_allowed: z.boolean(),
  mem_aes_256_xts: z.boolean(),
  rapl_dis: z.boolean(),
  ciphertext_hiding: z.boolean(),
  page_swap_disable: z.boolean(),
})

const platformInfo = z.strictObject({
  value: field64,
  smt_enabled: z.boolean(),
  tsme_enabled: z.boolean(),
  ecc_enabled: z.boolean(),
  rapl_disabled: z.boolean(),
  ciphertext_hiding_enabled: z.boolean(),
  alias_check_complete: z.boolean(),
  tio_enabled: z.boolean(),
  unknown_bits: z.string().regex(/^0x[0-9a-f]+$/),
})

const vek = z.strictObject({
  kind: z.enum(['vcek', 'vlek']),
  product_name: z.string(),
  spki_sha256: hex(32),
  hwid: chipId.nullable(),
  csp_id: z.string().nullable(),
  not_before: z.iso.datetime(),
  not_after: z.iso.datetime(),
})

/** Every field of a verified report, as answers show it. */
export const snpClaims = z
  .strictObject({
    product: z.enum(['Milan', 'Genoa', 'Turin']),
    version: z.int(),
    guest_svn: z.int(),
    policy,
    family_id: hex(16),
    image_id: hex(16),
    vmpl: z.int().min(0).max(3),
    signature_algo: z.int(),
    current_tcb: tcb,
    platform_info: platformInfo,
    author_key_en: z.boolean(),
    mask_chip_key: z.boolean(),
    signing_key: z.enum(['vcek', 'vlek']),
    report_data: hex(64),
    measurement: hex(48),
    host_data: hex(32),
    id_key_digest: hex(48),
    author_key_digest: hex(48),
    report_id: hex(32),
    report_id_ma: hex(32),
    reported_tcb: tcb,
    cpuid: z.strictObject({ family: z.int(), model: z.int(), stepping: z.int() }).nullable(),
    chip_id: chipId.nullable().meta({ description: 'null when the host masks it' }),
    committed_tcb: tcb,
    current_version: version,
    committed_version: version,
    launch_tcb: tcb,
    launch_mit_vector: field64.nullable(),
    current_mit_vector: field64.nullable(),
    vek,
    revocation: z.enum(['checked', 'not-checked']),
  })
  .meta({ id: 'SnpClaims', description: 'Every field of a verified SEV-SNP report, and what its signing certificate says' })
