import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ListSource } from '../collateral/tpm-lists.ts'
import { ConfigError } from '../config.ts'
import type { TpmAnchor, TpmAnchors, TpmCrlSource } from '../verifiers/tpm/anchors.ts'
import { NO_TPM_ANCHORS } from '../verifiers/tpm/anchors.ts'
import { spkiDigest, tpmCrlAddress } from '../verifiers/tpm/trust/address.ts'
import { readTpmCertificate } from '../verifiers/tpm/trust/certificate.ts'
import { pinnedTpmAnchors, TPM_BUNDLE_NAMES } from '../verifiers/tpm/trust/pins.ts'
import { unfitForAuthority } from '../verifiers/tpm/trust/usage.ts'
import type { CollateralAddress, Mode } from '../verifiers/verifier.ts'
import { isSimulated } from '../verifiers/x509-ca.ts'
import type { ParsedCertificate } from '../verifiers/x509.ts'
import type { TpmRootFile, TpmTrust } from './tpm-trust.ts'

/** Bounds of one file: all authorities of all manufacturers are 170 certificates and 300 KiB. */
const MOST = { bytes: 4 * 1024 * 1024, certificates: 2000 } as const

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

/**
 * The certificates of an operator's file: one in DER, or PEM blocks with anything between them, as such collections have it.
 * Throws ConfigError for a file that holds none, or one that cannot be read.
 */
export function readTpmFile(path: string, member: string): readonly ParsedCertificate[] {
  try {
    const bytes = new Uint8Array(readFileSync(path))
    if (bytes.length > MOST.bytes) throw new Error(`larger than ${MOST.bytes} bytes`)
    const blocks = Buffer.from(bytes).toString('latin1').match(BLOCK) ?? []
    if (blocks.length > MOST.certificates) throw new Error(`more than ${MOST.certificates} certificates`)
    const pieces = bytes[0] === 0x30 ? [bytes] : blocks.map((text) => new Uint8Array(Buffer.from(text, 'latin1')))
    if (pieces.length === 0) throw new Error('no certificate')
    return pieces.map((piece, at) => readTpmCertificate(piece, { what: `certificate ${at + 1}`, code: 'tpm-ak-cert-chain-invalid' }))
  } catch (error) {
    throw wrong(member, path, error instanceof Error ? error.message : String(error))
  }
}

const wrong = (member: string, origin: string, message: string): ConfigError =>
  new ConfigError([{ path: member, origin, message, expected: 'certificates in PEM, or one in DER' }])

const ROOTS = 'tpm.roots.files'

/** Whom certificates of TPM keys may lead to, with the operator's files read. Throws {@link ConfigError}. */
export function tpmAnchorsOf({ bundles, roots, certificates, crls }: TpmTrust, mode: Mode): TpmAnchors {
  const named = roots.map((row) => ({ row, read: authoritiesIn(row.file, { member: ROOTS, mode }) }))
  const lists = crls.map(({ authority }) => onlyAuthority(authority, mode))
  const others = certificates.flatMap((file) => readTpmFile(file, 'tpm.certificates'))
  const pool = [...named.flatMap(({ read }) => read), ...others, ...lists]
  return {
    ...NO_TPM_ANCHORS,
    roots: [...bundles.flatMap(pinnedTpmAnchors), ...named.flatMap(({ row, read }) => read.map((root) => anchorOf(row, root, mode)))],
    pool: pool.map(({ der }) => der),
    crlSources: lists.map(crlSourceOf),
  }
}

/** Whoever is trusted must be fit for it, and in production no authority of the simulator's. */
function authoritiesIn(file: string, { member, mode }: { readonly member: string; readonly mode: Mode }): readonly ParsedCertificate[] {
  const all = readTpmFile(file, member)
  for (const certificate of all) {
    const fault = mode === 'production' && isSimulated(certificate) ? 'is one of the simulator' : unfitForAuthority(certificate, 0)
    if (fault !== undefined) throw wrong(member, file, `a certificate ${fault}`)
  }
  return all
}

function onlyAuthority(file: string, mode: Mode): ParsedCertificate {
  const [certificate, ...more] = authoritiesIn(file, { member: 'tpm.crls', mode })
  if (certificate === undefined || more.length > 0) throw wrong('tpm.crls', file, 'more than one certificate')
  return certificate
}

const digestOf = ({ der }: ParsedCertificate): string => createHash('sha256').update(der).digest('hex')

const anchorOf = ({ roles, authority, manufacturers }: Omit<TpmRootFile, 'file'>, root: ParsedCertificate, mode: Mode): TpmAnchor => ({
  sha256: digestOf(root),
  roles,
  authority,
  manufacturers,
  origin: mode === 'production' ? 'configured' : 'test',
})

const crlSourceOf = ({ spki }: ParsedCertificate): TpmCrlSource => {
  const issuerSpkiSha256 = spkiDigest(spki)
  return { issuerSpkiSha256, address: tpmCrlAddress(issuerSpkiSha256) }
}

/** What an anchor of the command line may do, unless it is one that is known by its fingerprint. */
const NAMED_AT_COMMAND_LINE: Omit<TpmRootFile, 'file'> = { roles: ['ak', 'ek'], authority: 'trust-anchor', manufacturers: null }

/** Anchors from `--trust-anchor FILE`: a pinned authority is what its bundle says, any other counts for every key. Throws {@link ConfigError}. */
export function trustAnchorsOf(files: readonly string[], mode: Mode): Pick<TpmAnchors, 'roots' | 'pool'> {
  const pinned = new Map(TPM_BUNDLE_NAMES.flatMap(pinnedTpmAnchors).map((anchor) => [anchor.sha256, anchor]))
  const read = files.flatMap((file) => authoritiesIn(file, { member: 'trust_anchor', mode }))
  return {
    roots: read.map((root) => pinned.get(digestOf(root)) ?? anchorOf(NAMED_AT_COMMAND_LINE, root, mode)),
    pool: read.map(({ der }) => der),
  }
}

/** Where the list of each address is had. Throws {@link ConfigError}. */
export const tpmListsOf = ({ crls }: TpmTrust, mode: Mode): ReadonlyMap<CollateralAddress, ListSource> =>
  new Map(crls.map(({ authority, from }) => [crlSourceOf(onlyAuthority(authority, mode)).address, from]))
