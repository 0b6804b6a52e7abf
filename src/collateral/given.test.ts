import { describe, expect, it } from 'vitest'
import { crlAddress } from '../verifiers/snp/address.ts'
import { qeIdentityAddress, tcbInfoAddress } from '../verifiers/tdx/address.ts'
import { withDocuments } from './given.ts'
import type { CollateralRequest, CollateralService } from './service.ts'

const LIST = crlAddress('Milan', 'vcek')
const EARLY = tcbInfoAddress('tdx', '00806f050000', 'early')
const IDENTITY = qeIdentityAddress('tdx', 'early')
const OTHER = crlAddress('Milan', 'vlek')

function recording() {
  const asked: CollateralRequest[] = []
  const remembered: Parameters<CollateralService['remember']>[0][] = []
  const service: CollateralService = {
    obtain: async (request) => {
      asked.push(request)
      const documents = new Map(request.needs.map((address) => [address, Uint8Array.of(1)]))
      return {
        collateral: { documents, missing: new Map(), marks: new Map() },
        fetchedAt: new Map(),
        expiresAt: new Map(),
        retryAfter: undefined,
      }
    },
    remember: async (evidence) => void remembered.push(evidence),
    status: async () => [],
    problems: async () => [],
    start: async () => {},
    stop: async () => {},
  }
  return { asked, remembered, service }
}

const request = { needs: [LIST, OTHER], prefix: 'p', caller: 'anonymous' } as const

describe('given documents', () => {
  it('come before any other, and the service is asked for the rest only', async () => {
    const { asked, service } = recording()
    const { collateral } = await withDocuments(service, new Map([[LIST, Uint8Array.of(7)]])).obtain(request)
    expect([...collateral.documents]).toEqual([
      [OTHER, Uint8Array.of(1)],
      [LIST, Uint8Array.of(7)],
    ])
    expect(asked.map(({ needs }) => needs)).toEqual([[OTHER]])
  })

  it('are handed out where they are wanted, and not looked after', async () => {
    const { asked, service, remembered } = recording()
    const given = withDocuments(service, new Map([[EARLY, Uint8Array.of(7)]]))
    const { collateral } = await given.obtain({ ...request, wants: [EARLY, IDENTITY] })
    expect(collateral.documents.get(EARLY)).toEqual(Uint8Array.of(7))
    expect(asked.map(({ wants }) => wants)).toEqual([[IDENTITY]])
    const offers = new Map([[LIST, Uint8Array.of(2)]])
    await given.remember({ needs: [LIST, EARLY], wants: [EARLY, IDENTITY], offers })
    expect(remembered).toEqual([{ needs: [LIST], wants: [IDENTITY], offers }])
  })

  it('that nobody needs are not handed out', async () => {
    const { service } = recording()
    const { collateral } = await withDocuments(service, new Map([[crlAddress('Turin', 'vcek'), Uint8Array.of(7)]])).obtain(request)
    expect([...collateral.documents.keys()]).toEqual([LIST, OTHER])
  })

  it('that are none change nothing', () => {
    const { service } = recording()
    expect(withDocuments(service, new Map())).toBe(service)
  })
})
