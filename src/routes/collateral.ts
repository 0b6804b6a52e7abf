import { tpmAuthorities } from '../collateral/tpm-authorities.ts'
import { json, type Handler } from './call.ts'

/**
 * GET /v1/collateral: what is cached, until when, and when it is next refreshed; and the configured authorities of TPM keys. Addresses that name a
 * chip are for known callers only.
 */
export const listCollateral: Handler = async (call, services) => {
  const all = await services.collateral.status()
  const shown = call.caller === undefined ? all.filter(({ kind }) => kind !== 'vcek') : all
  const authorities = tpmAuthorities(services.anchors.tpm, services.now())
  return json(200, { collateral: shown, tpm_authorities: authorities, withheld: all.length - shown.length })
}
