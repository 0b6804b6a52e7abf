import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ConfigError } from '../config.ts'
import { readCertificateBlob } from '../verifiers/pem.ts'
import type { ListedEks } from '../verifiers/tpm/anchors.ts'
import { pinnedTpmAnchors, TPM_BUNDLE_NAMES } from '../verifiers/tpm/trust/pins.ts'
import { ANY_TPM, isDigest, type EnrolmentSettings, type ListedEk } from './enrolment.ts'

/** Authorities of manufacturers and clouds: to list one would be to list every genuine TPM of theirs. */
const PINNED: ReadonlySet<string> = new Set(TPM_BUNDLE_NAMES.flatMap(pinnedTpmAnchors).map(({ sha256 }) => sha256))

/** The EKs that the operator lists, with the authorities' files read. Throws {@link ConfigError}. */
export function listedEks(settings: EnrolmentSettings | undefined): ListedEks {
  const listed = settings?.listed ?? []
  return {
    spkiSha256: new Set(listed.flatMap((one) => ('spkiSha256' in one ? [one.spkiSha256] : []))),
    authorities: new Set(listed.flatMap(authorityOf)),
  }
}

function authorityOf(one: ListedEk): readonly string[] {
  if (!('authority' in one)) return []
  const sha256 = isDigest(one.authority) ? one.authority : digestOf(one.authority)
  if (PINNED.has(sha256))
    throw wrong(one.authority, 'this is the authority of a TPM manufacturer or cloud', `EKs by their digests, or ek: ${ANY_TPM}`)
  return [sha256]
}

function digestOf(file: string): string {
  try {
    const der = readCertificateBlob(new Uint8Array(readFileSync(file)), 'authority')
    return createHash('sha256').update(der).digest('hex')
  } catch (error) {
    throw wrong(file, error instanceof Error ? error.message : String(error), 'a file with one certificate, PEM or DER')
  }
}

const wrong = (origin: string, message: string, expected: string): ConfigError =>
  new ConfigError([{ path: 'tpm.enrolment.ek', origin, message, expected }])
