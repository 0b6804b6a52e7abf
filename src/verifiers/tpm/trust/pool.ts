import { hash } from 'node:crypto'
import { readable } from '../../der-attempt.ts'
import { hexOf } from '../../der-values.ts'
import type { ParsedCertificate } from '../../x509.ts'
import type { TpmAnchors } from '../anchors.ts'
import { readTpmCertificate } from './certificate.ts'

/** A certificate with its SHA-256 (lower-case hex), by which anchors know it. */
export type Known = { readonly certificate: ParsedCertificate; readonly sha256: string }

/** Certificates by their subject, as encoded. */
export type Pool = ReadonlyMap<string, readonly Known[]>

/** One certificate, named. */
export const known = (certificate: ParsedCertificate): Known => ({ certificate, sha256: hash('sha256', certificate.der) })

/** The certificates of a set of anchors are read once: the set never changes, and there are some two hundred of them. */
const pools = new WeakMap<TpmAnchors, Pool>()

/** The configured certificates by subject. What cannot be read is left out: it can vouch for nobody. */
export function poolOf(anchors: TpmAnchors): Pool {
  const read = pools.get(anchors)
  if (read !== undefined) return read
  const pool = bySubject(anchors.pool)
  pools.set(anchors, pool)
  return pool
}

const DOCUMENT = { what: 'certificate', code: 'tpm-ak-cert-chain-invalid' } as const

/** Certificates, each DER or one PEM block, by subject; each once. */
export function bySubject(certificates: readonly Uint8Array[]): Pool {
  const pool = new Map<string, Known[]>()
  const seen = new Set<string>()
  for (const bytes of certificates) {
    const certificate = readable(() => readTpmCertificate(bytes, DOCUMENT))
    if (certificate === undefined) continue
    const one = known(certificate)
    const subject = hexOf(certificate.subjectDer)
    if (!seen.has(one.sha256)) pool.set(subject, [...(pool.get(subject) ?? []), one])
    seen.add(one.sha256)
  }
  return pool
}
