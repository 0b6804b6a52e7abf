import { z } from 'zod'
import { readSigner } from '../../verifiers/tpm/ima/signer.ts'
import { line, list, words } from '../policy-values.ts'
import { derOfPem } from './ima-keys.ts'
import { excludesFit } from './ima-excludes.ts'
import { pattern } from './patterns.ts'

/** Entries of the longest lists; a whole document has a megabyte. */
const MOST_NAMES = 100_000
const MOST_EXCLUDES = 256
const MOST_KEYS = 64

const DIGEST = { error: 'expected a hash and a digest in lower-case hex, such as `sha256:…`; `verity:` goes before that of a Merkle tree' }
const FORM =
  /^(?:verity:)?(?:sha1:[0-9a-f]{40}|sha224:[0-9a-f]{56}|(?:sha256|sm3_256):[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/

/** A content as the kernel names it: hash and digest. */
const digests = () => list(z.string(DIGEST).regex(FORM, DIGEST))

const NAME = { error: 'expected a path or name of 1 to 4096 characters as a member' }
const names = () => z.string().min(1, NAME).max(4096, NAME)

/** Contents by path or name. */
const listed = () =>
  z
    .record(names(), digests(), NAME)
    .refine((found) => Object.keys(found).length > 0, { error: 'an empty list is ambiguous: leave the member out, or list something' })
    .refine((found) => Object.keys(found).length <= MOST_NAMES, { error: `expected at most ${MOST_NAMES} names` })

const KEY = { error: 'expected a certificate or public key in PEM: RSA of 2048 bits or more, or EC on P-256, P-384, P-521 or secp256k1' }

/** A key that files may be signed with. */
const key = () => z.string(KEY).refine((text) => isSigner(text), KEY)

function isSigner(text: string): boolean {
  const der = derOfPem(text)
  return der !== undefined && readSigner(der) !== undefined
}

const COSTLY = { error: 'these patterns are too many or too large to be tried on every path' }

/** What a host may have run since it booted, by the kernel's list of measured files (specification tpm.md section 12). */
export const ima = z.strictObject({
  /** `off`: a list is not looked at. */
  mode: words(['off', 'require']).default('off'),
  /** Accepted contents by path as the kernel writes it (spaces are underscores). */
  digests: listed().optional(),
  /** Paths that are left out: regular expressions (RE2) that match from their first character on. */
  excludes: list(pattern())
    .max(MOST_EXCLUDES, COSTLY)
    .refine((patterns) => excludesFit(patterns), COSTLY)
    .optional(),
  /** Keys that may be loaded, by keyring; those of `.ima` and `_ima` then verify signatures of files. */
  keyrings: listed().optional(),
  /** Keyrings whose keys are not looked at; `*`: all. They verify nothing. */
  ignored_keyrings: list(line(255)).optional(),
  /** Other buffers that the kernel measures, by name. */
  buffers: listed().optional(),
  /** Keys whose signature over a file accepts it. */
  verification_keys: list(key()).max(MOST_KEYS).optional(),
  violations: words(['refuse', 'allow']).default('refuse'),
  unattested_tail: words(['allow', 'refuse']).default('allow'),
  /** Whether the list must begin with the digest of the boot that was quoted; `if-quoted`: where its PCRs are quoted. */
  boot_aggregate: words(['verify', 'if-quoted', 'off']).default('verify'),
  /** Kernels before 5.8 extended other banks than SHA-1 by SHA-1 padded with zeros. */
  legacy_padding: words(['refuse', 'allow']).default('refuse'),
})
