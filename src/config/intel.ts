import type { Transport } from '../collateral/http.ts'
import { INTEL_PCS, type Members } from './members.ts'

/** Where documents of Intel's come from. */
export type IntelSources = {
  /** `required`: the service is not ready without Intel's standing documents. `off`: Intel is never asked; what was imported is used. */
  readonly collateral: 'wanted' | 'required' | 'off'
  readonly pcsUrl: string
  /** The whole URL of the root's revocation list. */
  readonly rootCrlUrl: string
  /** A caching service that is asked instead of Intel. */
  readonly pccsUrl: string | undefined
  /** PEM of the authority (or the certificate itself) that the caching service's TLS must show. */
  readonly pccsCaFile: string | undefined
  readonly transport: Transport
  readonly apiKeyFile: string | undefined
}

/** The list's file beside Intel's own service, and its name below the URL of a mirror. */
const ROOT_CRL = { host: 'https://certificates.trustedservices.intel.com', file: 'IntelSGXRootCA.der' } as const

/** Where Intel’s documents come from, as the operator decided. */
export const intelOf = (m: Members): IntelSources => ({
  collateral: m.intel_collateral,
  pcsUrl: m.intel_pcs_url,
  rootCrlUrl: m.intel_root_crl_url ?? `${m.intel_pcs_url === INTEL_PCS ? ROOT_CRL.host : m.intel_pcs_url}/${ROOT_CRL.file}`,
  pccsUrl: m.intel_pccs_url,
  pccsCaFile: m.intel_pccs_ca,
  transport: m.intel_transport,
  apiKeyFile: m.intel_pcs_api_key_file,
})
