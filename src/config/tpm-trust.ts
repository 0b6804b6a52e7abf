import { z } from 'zod'
import type { TpmRole } from '../verifiers/tpm/anchors.ts'
import { TPM_BUNDLE_NAMES, type TpmBundleName } from '../verifiers/tpm/trust/pins.ts'
import { path } from './schemas.ts'

/** Authorities that the operator names by file. */
export type TpmRootFile = {
  readonly file: string
  readonly roles: readonly TpmRole[]
  readonly authority: string
  /** Vendor ids, 8 lower-case hex digits; null: any. */
  readonly manufacturers: readonly string[] | null
}

/** Where the revocation list of one authority is had; `authority`: the file of its certificate. */
type TpmCrl = { readonly authority: string; readonly from: { readonly url: string } | { readonly file: string } }

/** Whose certificates of TPM keys count. */
export type TpmTrust = {
  readonly bundles: readonly TpmBundleName[]
  readonly roots: readonly TpmRootFile[]
  /** Files of certificates that complete chains and are trusted for nothing. */
  readonly certificates: readonly string[]
  readonly crls: readonly TpmCrl[]
}

/** Nobody's, as long as the operator says nothing. */
export const NO_TPM_TRUST: TpmTrust = { bundles: [], roots: [], certificates: [], crls: [] }

/** Names that mean something: those of the bundles, and our own authority. A file that took one would be believed what is Google's to say. */
const RESERVED: readonly string[] = [...TPM_BUNDLE_NAMES, 'assay']

const authority = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'up to 64 lower-case letters, digits, ".", "_" and "-"')
  .refine((name) => !RESERVED.includes(name), 'another name than that of a bundle')

const vendorId = z.string().regex(/^[0-9a-f]{8}$/, 'vendor ids of 8 lower-case hex digits')
const ANY = 'any'

const rootFile = z
  .strictObject({
    file: path,
    roles: z.array(z.enum(['ak', 'ek'])).min(1, 'ak, ek or both'),
    authority,
    manufacturers: z.union([z.literal(ANY), z.array(vendorId).max(64)], `vendor ids, or ${ANY}`).default([]),
  })
  .refine(({ roles, manufacturers }) => !roles.includes('ek') || manufacturers.length > 0, {
    path: ['manufacturers'],
    message: `the vendor ids that it may vouch for, or ${ANY}`,
  })

const url = z.string().max(4096).refine(isListUrl, 'an http or https URL without user, query and fragment')

/** Lists are signed, and authorities publish them over plain http; whoever reads along sees no secret. */
function isListUrl(text: string): boolean {
  const { protocol, origin, pathname, href } = URL.parse(text) ?? { protocol: '', origin: '', pathname: '', href: '-' }
  return ['http:', 'https:'].includes(protocol) && href === `${origin}${pathname}`
}

const crl = z.union(
  [z.strictObject({ authority: path, url }), z.strictObject({ authority: path, file: path })],
  'authority, and url or file',
)

/** The members of `tpm` that say whom to trust, as they are written. */
export const trustMembers = {
  roots: z
    .strictObject({ bundles: z.array(z.enum(TPM_BUNDLE_NAMES)).default([]), files: z.array(rootFile).max(256).default([]) })
    .default({ bundles: [], files: [] }),
  certificates: z.array(path).max(256).default([]),
  crls: z.array(crl).max(64).default([]),
} as const

const written = z.strictObject(trustMembers)

/** Whom to trust. */
export const trustOf = ({ roots, certificates, crls }: z.output<typeof written>): TpmTrust => ({
  bundles: [...new Set(roots.bundles)],
  roots: roots.files.map(({ manufacturers, ...row }) => ({ ...row, manufacturers: manufacturers === ANY ? null : manufacturers })),
  certificates,
  crls: crls.map((row) => ({ authority: row.authority, from: 'url' in row ? { url: row.url } : { file: row.file } })),
})

/** The same as it is written in a file. */
export const printTrust = ({ bundles, roots, certificates, crls }: TpmTrust): z.input<typeof written> => ({
  roots: {
    bundles: [...bundles],
    files: roots.map(({ roles, manufacturers, ...row }) => ({
      ...row,
      roles: [...roles],
      manufacturers: manufacturers === null ? ANY : [...manufacturers],
    })),
  },
  certificates: [...certificates],
  crls: crls.map((row) => ({ authority: row.authority, ...row.from })),
})
