import { createHmac, type KeyObject } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Appraisal } from '../appraisal/appraisal.ts'
import { renderName } from '../appraisal/token-names.ts'
import { AttestationError } from '../verifiers/problems.ts'

/** Whom a token is about. */
export type SubjectInput = {
  readonly appraisal: Appraisal
  readonly audience: string
  /** RFC 7638 thumbprint of the bound key. */
  readonly thumbprint: Uint8Array | undefined
  readonly jti: string
  /** The policy’s template; absent: a pseudonym. */
  readonly template?: string | undefined
}

/** What names an instance or its host; part of the pseudonym, so that no two kinds collide. */
type Kind = 'cnf' | 'tpm' | 'snp' | 'once' | 'host'

/** Bytes of a pseudonym (design section 4). */
const PSEUDONYM_BYTES = 16

/**
 * `sub` is what the policy’s template says. Without one it names the attested instance, never its host (design section 4): the bound key; else the
 * attestation key; else REPORT_ID, which AMD's firmware draws for each guest; else the token alone. `urn:assay:<kind>:<32 hex digits>`, different for every audience.
 */
export function subjectOf(key: KeyObject, { appraisal, audience, thumbprint, jti, template }: SubjectInput): string {
  if (template !== undefined) return nameOf(template, appraisal)
  if (thumbprint !== undefined) return keptPseudonym(key, audience, { kind: 'cnf', value: thumbprint })
  const ak = akOf(appraisal)
  if (ak !== undefined) return keptPseudonym(key, audience, { kind: 'tpm', value: ak })
  const reportId = unlessZero(snpOf(appraisal)?.report_id)
  if (reportId !== undefined) return keptPseudonym(key, audience, { kind: 'snp', value: reportId })
  return pseudonym(key, audience, { kind: 'once', value: Buffer.from(jti, 'utf8') })
}

/** The groups of a token, from the policy’s templates. Throws `internal-error` as {@link subjectOf} does. */
export const groupsOf = (templates: readonly string[], appraisal: Appraisal): readonly string[] =>
  templates.map((template) => nameOf(template, appraisal))

/** What the appraisal found absent was refused there, so that here the fault would be ours. Of several items the first that has the values. */
function nameOf(template: string, { evidence }: Appraisal): string {
  const name = evidence.map(({ claims }) => renderName(template, claims)).find((rendered) => rendered !== undefined)
  if (name === undefined) throw new AttestationError('internal-error', 'a name of the token cannot be formed')
  return name
}

/** `host_id`: CHIP_ID, Intel's PPID, or the digest of the endorsement key, pseudonymised alike; undefined if it is masked, zero or not known. */
export function hostIdOf(key: KeyObject, { appraisal, audience }: SubjectInput): string | undefined {
  const host = unlessZero(snpOf(appraisal)?.chip_id ?? ppidOf(appraisal) ?? tpmOf(appraisal)?.ek?.public_key_sha256)
  return host === undefined ? undefined : keptPseudonym(key, audience, { kind: 'host', value: host })
}

type Named = { readonly kind: Kind; readonly value: Uint8Array }

/** HMAC-SHA-256(key, audience ‖ 00 ‖ kind ‖ 00 ‖ value)[0..16]. Neither audience nor kind can hold a zero byte, so no two inputs are spelled alike. */
function pseudonym(key: KeyObject, audience: string, { kind, value }: Named): string {
  const mac = createHmac('sha256', key).update(`${audience}\0${kind}\0`, 'utf8').update(value).digest()
  return `urn:assay:${kind}:${mac.subarray(0, PSEUDONYM_BYTES).toString('hex')}`
}

/** Pseudonyms that are kept for each key, some 300 bytes each: hosts and guests come back every few minutes. */
const MOST_KEPT = 4096

const kept = new WeakMap<KeyObject, LRUCache<string, string>>()

/** The same from memory, for what comes back. */
function keptPseudonym(key: KeyObject, audience: string, named: Named): string {
  const table = kept.get(key) ?? new LRUCache<string, string>({ max: MOST_KEPT })
  kept.set(key, table)
  const input = `${audience}\0${named.kind}\0${Buffer.from(named.value).toString('latin1')}`
  const text = table.get(input) ?? pseudonym(key, audience, named)
  table.set(input, text)
  return text
}

const snpOf = (appraisal: Appraisal) => appraisal.evidence.find(({ claims }) => claims.snp !== undefined)?.claims.snp

const tpmOf = (appraisal: Appraisal) => appraisal.evidence.find(({ claims }) => claims.tpm !== undefined)?.claims.tpm

/** The name of the attestation key, which is a digest and what it is by; where nothing vouches for it the digest of the key itself, which is shorter. */
function akOf(appraisal: Appraisal): Uint8Array | undefined {
  const ak = tpmOf(appraisal)?.ak
  return unlessZero(ak?.name ?? ak?.spki_sha256)
}

const ppidOf = ({ evidence }: Appraisal): string | undefined =>
  evidence.flatMap(({ claims: { tdx, sgx } }) => tdx?.platform.ppid ?? sgx?.platform.ppid ?? [])[0]

/** The bytes of a hex field; undefined if it is absent or nothing but zeros. */
function unlessZero(hex: string | undefined): Uint8Array | undefined {
  if (hex === undefined || /^0*$/.test(hex)) return undefined
  return Buffer.from(hex, 'hex')
}
