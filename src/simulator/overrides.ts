import type { KeyObject } from 'node:crypto'
import type { CertificateSpec } from './certificates.ts'
import type { SimExtension } from './der.ts'
import { markerExtension } from './marker.ts'
import { amdName, type SimName } from './names.ts'

/** A key pair to certify. */
export type KeysOverride = { readonly keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject } }

/** What may differ from a certificate as the vendor would have made it. `serial`, names, dates, `scheme` and `signingKey` replace single fields. */
export type CertificateOverrides = Partial<Omit<CertificateSpec, 'extensions' | 'publicKey'>> &
  Partial<KeysOverride> & {
    /** Common name of the subject; the rest of the name stays the vendor's. */
    readonly commonName?: string
    /** Another issuer, by name and key. */
    readonly signedBy?: { readonly commonName: string; readonly privateKey: KeyObject }
    readonly extensions?: (standard: readonly SimExtension[]) => readonly SimExtension[]
    readonly marker?: 'omit'
  }

/** The certificate as the vendor whose names are `naming` would have made it, with the marker, then as the overrides change it. */
export function applyOverrides(
  standard: CertificateSpec,
  overrides: CertificateOverrides,
  naming: (commonName: string) => SimName = amdName,
): CertificateSpec {
  const { commonName, signedBy, extensions = (same) => same, marker, keys, ...fields } = overrides
  const marked = marker === 'omit' ? standard.extensions : [...standard.extensions, markerExtension]
  return {
    ...standard,
    ...(keys === undefined ? {} : { publicKey: keys.publicKey }),
    ...(commonName === undefined ? {} : { subject: naming(commonName) }),
    ...(signedBy === undefined ? {} : { issuer: naming(signedBy.commonName), signingKey: signedBy.privateKey }),
    ...fields,
    extensions: extensions(marked),
  }
}
