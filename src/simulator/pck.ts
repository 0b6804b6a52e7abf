import { randomBytes, type KeyObject } from 'node:crypto'
import type { PckCa } from '../verifiers/tdx/address.ts'
import { yearsAfter } from './authorities.ts'
import { mintCertificate } from './certificates.ts'
import { extension } from './der.ts'
import { END_ENTITY, newSerial, p256Keys, standardExtensions, type IntelAuthority } from './intel-authorities.ts'
import { SIM_FMSPC } from './intel-documents.ts'
import { platformAt } from './intel-levels.ts'
import { intelName } from './names.ts'
import { applyOverrides, type CertificateOverrides } from './overrides.ts'
import { SGX_OID, sgxExtension, type PckFields, type SgxEntryChanges } from './sgx-extension.ts'

/** What a PCK certificate is minted from; everything has a default: a fully patched TDX platform. */
export type PckRequest = Partial<PckFields> & {
  readonly ca?: PckCa
  /** Changes the SGX extension entry by entry. */
  readonly sgx?: SgxEntryChanges
  readonly overrides?: CertificateOverrides
}

/** A provisioning certification key of the fake Intel, with the private half that real processors never show. */
export type FakePck = {
  readonly ca: PckCa
  readonly fields: PckFields
  readonly serial: bigint
  readonly der: Uint8Array
  /** DER: leaf, PCK CA, root. */
  readonly chain: readonly [leaf: Uint8Array, ca: Uint8Array, root: Uint8Array]
  readonly privateKey: KeyObject
}

const crlUrl = (ca: PckCa) => `https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=${ca}&encoding=der`

/** Who certifies, and when. */
export type PckMaking = { readonly issuer: IntelAuthority; readonly root: IntelAuthority; readonly now: Date }

/** Certifies a PCK as `issuer` would, unless the request says otherwise. */
export function certifyPck(request: PckRequest, { issuer, root, now }: PckMaking): FakePck {
  const { ca = 'platform', sgx, overrides = {}, ...chosen } = request
  const fields = { ...defaultsFor(ca, chosen), ...chosen }
  const { publicKey, privateKey } = overrides.keys ?? p256Keys()
  const keys = { issuer: overrides.signedBy?.privateKey ?? issuer.privateKey, subject: privateKey }
  const spec = applyOverrides(
    {
      serial: newSerial(),
      subject: intelName('Intel SGX PCK Certificate'),
      issuer: intelName(issuer.commonName),
      notBefore: new Date(now.getTime() - 86_400_000),
      notAfter: yearsAfter(now, 7),
      publicKey,
      extensions: [...standardExtensions(keys, crlUrl(ca)), ...END_ENTITY, extension(SGX_OID, sgxExtension(fields, sgx))],
      scheme: 'ecdsa-sha256',
      signingKey: issuer.privateKey,
    },
    overrides,
    intelName,
  )
  const der = mintCertificate(spec)
  return { ca, fields, serial: spec.serial, der, chain: [der, issuer.der, root.der], privateKey }
}

function defaultsFor(ca: PckCa, { components = platformAt('UpToDate').components }: Partial<PckFields>): PckFields {
  const known = ca === 'platform'
  return {
    ppid: new Uint8Array(randomBytes(16)),
    components,
    pcesvn: platformAt('UpToDate').pcesvn,
    cpusvn: Uint8Array.from(components),
    pceid: new Uint8Array(2),
    fmspc: new Uint8Array(Buffer.from(SIM_FMSPC, 'hex')),
    sgxType: known ? 1 : 0,
    platformInstanceId: known ? new Uint8Array(randomBytes(16)) : undefined,
    configuration: known ? { dynamicPlatform: true, cachedKeys: false, smtEnabled: true } : undefined,
  }
}
