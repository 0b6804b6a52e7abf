import type { ImaSigner } from './signer.ts'

/** What a policy says of files that ran (specification tpm.md section 12.5), compiled. Paths are as the kernel writes them. */
export type ImaRules = {
  readonly bootAggregate: 'verify' | 'if-quoted' | 'off'
  /** Whether banks other than SHA-1 may have been extended by SHA-1 padded with zeros (kernels before 5.8). */
  readonly legacyPadding: 'refuse' | 'allow'
  /** Accepted contents by path: `sha256:<hex>`. */
  readonly digests: ReadonlyMap<string, ReadonlySet<string>>
  /** Whether a path is left out, by the policy's patterns; linear-time. */
  readonly isExcluded: (path: string) => boolean
  /** Contents of keyrings by name (`sha256:<hex>` of the blob); `ignoredKeyrings` may hold `*`. */
  readonly keyrings: ReadonlyMap<string, ReadonlySet<string>>
  readonly ignoredKeyrings: ReadonlySet<string>
  /** Accepted buffers by name. */
  readonly buffers: ReadonlyMap<string, ReadonlySet<string>>
  /** Keys whose signature over a file accepts it. */
  readonly signers: readonly ImaSigner[]
}
