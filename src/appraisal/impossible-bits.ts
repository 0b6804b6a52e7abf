import type { Contradiction } from './impossible.ts'
import type { SnpPolicy, TdxPolicy } from './policy.ts'

/** Bits of a field of 64, by the option that decides them. */
type Bits<Option extends string> = readonly (readonly [option: Option, mask: bigint])[]

/** POLICY of SEV-SNP (specification snp.md section 1.1): bits that `deny` wants clear, and bits that `require` wants set. */
const DENIED: Bits<'smt' | 'migrate_ma' | 'debug' | 'cxl'> = [
  ['smt', 1n << 16n],
  ['migrate_ma', 1n << 18n],
  ['debug', 1n << 19n],
  ['cxl', 1n << 21n],
]
const REQUIRED: Bits<'single_socket' | 'mem_aes_256_xts' | 'rapl_dis' | 'ciphertext_hiding' | 'page_swap_disable'> = [
  ['single_socket', 1n << 20n],
  ['mem_aes_256_xts', 1n << 22n],
  ['rapl_dis', 1n << 23n],
  ['ciphertext_hiding', 1n << 24n],
  ['page_swap_disable', 1n << 25n],
]

/** Listed values of POLICY that the options of `guest_policy` refuse. */
export const impossibleGuestPolicies = ({ policy_values: values = [], guest_policy: options }: SnpPolicy): readonly Contradiction[] =>
  values.flatMap((text, at) => {
    const value = BigInt(text)
    const against = [
      ...DENIED.filter(([option, mask]) => options[option] === 'deny' && (value & mask) !== 0n),
      ...REQUIRED.filter(([option, mask]) => options[option] === 'require' && (value & mask) === 0n),
    ]
    return against.map(([option]) => ({
      path: ['snp', 'policy_values', at],
      message: `guest_policy.${option} refuses every guest with this value`,
    }))
  })

/** TDATTRIBUTES (specification tdx.md section 6.1), the bits whose word may be `deny`. */
const ATTRIBUTES: Bits<'debug' | 'other_tud_bits' | 'icssd' | 'servtd_ext' | 'lass' | 'migratable' | 'pks' | 'kl' | 'tpa' | 'perfmon'> = [
  ['debug', 0x1n],
  ['other_tud_bits', 0xfen],
  ['icssd', 1n << 16n],
  ['servtd_ext', 1n << 17n],
  ['lass', 1n << 27n],
  ['migratable', 1n << 29n],
  ['pks', 1n << 30n],
  ['kl', 1n << 31n],
  ['tpa', 1n << 62n],
  ['perfmon', 1n << 63n],
]
const SEPT_VE_DISABLE = 1n << 28n

/** Listed values of TDATTRIBUTES that the options beside them refuse. */
export const impossibleAttributes = ({ td_attributes: options }: TdxPolicy): readonly Contradiction[] =>
  (options.values ?? []).flatMap((text, at) => {
    const value = BigInt(text)
    const against: readonly string[] = [
      ...ATTRIBUTES.filter(([option, mask]) => options[option] === 'deny' && (value & mask) !== 0n).map(([option]) => option),
      ...(options.sept_ve_disable === 'require' && (value & SEPT_VE_DISABLE) === 0n ? ['sept_ve_disable'] : []),
    ]
    return against.map((option) => ({
      path: ['tdx', 'td_attributes', 'values', at],
      message: `td_attributes.${option} refuses every TD with this value`,
    }))
  })

/** Features that are required or listed, and not allowed. */
export function impossibleFeatures({ xfam }: TdxPolicy): readonly Contradiction[] {
  const [allowed, required, ignored] = [BigInt(xfam.allowed), BigInt(xfam.required ?? '0x0'), BigInt(xfam.ignored ?? '0x0')]
  const needed =
    (required & ~allowed) === 0n ? [] : [{ path: ['tdx', 'xfam', 'required'], message: 'requires a bit that `allowed` does not allow' }]
  const listed = (xfam.values ?? []).flatMap((text, at) => {
    const value = BigInt(text)
    const possible = (value & ~ignored & ~allowed) === 0n && ((value | ignored) & required) === required
    return possible ? [] : [{ path: ['tdx', 'xfam', 'values', at], message: 'allowed and required refuse every TD with this value' }]
  })
  return [...needed, ...listed]
}
