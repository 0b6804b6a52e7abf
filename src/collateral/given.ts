import type { CollateralAddress } from '../verifiers/verifier.ts'
import type { CollateralService } from './service.ts'

/**
 * A service that answers from given documents first (mode test: `--collateral BUNDLE`). They are neither kept nor looked at here: the
 * verifier judges them at use, so that a list which is expired or forged is refused as exactly that.
 */
export function withDocuments(service: CollateralService, given: ReadonlyMap<CollateralAddress, Uint8Array>): CollateralService {
  if (given.size === 0) return service
  const others = (addresses: readonly CollateralAddress[] = []) => addresses.filter((address) => !given.has(address))
  return {
    ...service,
    obtain: async (request) => {
      const { needs, wants = [] } = request
      const obtained = await service.obtain({ ...request, needs: others(needs), wants: others(wants) })
      const used = [...needs, ...wants].flatMap((address) => {
        const bytes = given.get(address)
        return bytes === undefined ? [] : [[address, bytes] as const]
      })
      return { ...obtained, collateral: { ...obtained.collateral, documents: new Map([...obtained.collateral.documents, ...used]) } }
    },
    remember: ({ needs, wants, offers }) => service.remember({ needs: others(needs), wants: others(wants), offers }),
  }
}
