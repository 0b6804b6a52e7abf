import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { collateralLab, paying, type CollateralLab } from '../../test/collateral-lab.ts'
import { withDocuments } from './given.ts'
import { collateralSummary } from './summary.ts'

const list = 'amd/crl/Milan/vcek'
let lab: CollateralLab
beforeAll(async () => {
  lab = await collateralLab()
})
afterAll(() => lab.close())

describe('documents that were given', () => {
  it('stand in the place of those that the service has, and are part of the summary', async () => {
    const service = lab.service()
    await service.start()
    const bytes = Uint8Array.from([1])
    const given = withDocuments(service, new Map([[list, bytes]]))
    const { collateral } = await given.obtain(paying(list, 'amd/crl/Milan/vlek'))
    expect(collateral.documents.get(list)).toEqual(bytes)
    expect(collateral.documents.get('amd/crl/Milan/vlek')?.length).toBeGreaterThan(100)
    expect(collateralSummary(await given.obtain(paying(list))).digest).not.toBe(
      collateralSummary(await service.obtain(paying(list))).digest,
    )
  })

  it('change nothing when there are none, or for other addresses', async () => {
    const service = lab.service()
    expect(withDocuments(service, new Map())).toBe(service)
    const given = withDocuments(service, new Map([[list, Uint8Array.from([1])]]))
    expect((await given.obtain(paying('amd/crl/Milan/vlek'))).collateral.missing.size).toBe(1)
  })
})
