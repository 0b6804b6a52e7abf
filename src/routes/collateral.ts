import { json, type Handler } from './call.ts'

/** GET /v1/collateral: what is cached, until when, and when it is next refreshed. Addresses that name a chip are for known callers only. */
export const listCollateral: Handler = async (call, services) => {
  const all = await services.collateral.status()
  const shown = call.caller === undefined ? all.filter(({ kind }) => kind !== 'vcek') : all
  return json(200, { collateral: shown, withheld: all.length - shown.length })
}
