import { describe, expect, it } from 'vitest'
import { crlAddress } from '../verifiers/snp/address.ts'
import { withDocuments } from './given.ts'
import type { CollateralRequest, CollateralService } from './service.ts'

const LIST = crlAddress('Milan', 'vcek')
const OTHER = crlAddress('Milan', 'vlek')

function recording() {
  const asked: CollateralRequest[] = []
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
    remember: async () => {},
    status: async () => [],
    problems: async () => [],
    start: async () => {},
    stop: async () => {},
  }
  return { asked, service }
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
