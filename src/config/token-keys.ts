import type { TokenAlgorithm } from '../access/audiences.ts'
import type { Members } from './members.ts'

/** The keys that sign tokens. */
export type TokenKeySettings = {
  /** Files that the operator put keys into, by algorithm; of the others, Assay makes the keys. */
  readonly files: Readonly<Partial<Record<TokenAlgorithm, string | undefined>>>
  /** Undefined: a key that Assay made gets a successor only when somebody asks. */
  readonly rotationDays: number | undefined
  /** Keys that count no more, by their kid. */
  readonly denied: readonly string[]
  /** How long caches may keep the key set. */
  readonly maxAgeSeconds: number
}

/** The keys that sign tokens, as the operator decided. */
export const tokenKeysOf = (m: Members): TokenKeySettings => ({
  files: { ...m.token_key_files, ES256: m.token_key_file },
  rotationDays: m.token_key_rotation_days === 'off' ? undefined : m.token_key_rotation_days,
  denied: m.token_keys_denied,
  maxAgeSeconds: m.jwks_max_age_seconds,
})

/** The same by the names of the file. */
export function printTokenKeys({ files: { ES256, ...others }, rotationDays, denied, maxAgeSeconds }: TokenKeySettings) {
  return {
    token_key_file: ES256,
    token_key_files: others,
    token_key_rotation_days: rotationDays ?? 'off',
    token_keys_denied: denied,
    jwks_max_age_seconds: maxAgeSeconds,
  }
}
