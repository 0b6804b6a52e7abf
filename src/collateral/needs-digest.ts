import { createHash } from 'node:crypto'
import type { CollateralAddress } from '../verifiers/verifier.ts'

/** Names a set of addresses: SHA-256, lower-case hex, over the sorted addresses, each followed by LF. */
export const needsDigest = (needs: readonly CollateralAddress[]): string =>
  createHash('sha256')
    .update(
      [...new Set(needs)]
        .toSorted()
        .map((address) => `${address}\n`)
        .join(''),
    )
    .digest('hex')
