import { beforeAll, describe, expect, it } from 'vitest'
import { fakeAmd, type FakeAmd } from './amd.ts'
import { collateralBundle, intelBundle, joined } from './bundle.ts'
import { fakeIntel } from './intel.ts'

let amd: FakeAmd
beforeAll(async () => {
  amd = await fakeAmd()
})

describe('a bundle of the fake AMD’s collateral', () => {
  it('holds intermediates, lists of both endpoints and the VEKs asked for', () => {
    const vek = amd.vcek({ product: 'Milan' })
    const { format, items } = collateralBundle(amd, [vek])
    expect(format).toBe('assay-collateral/1')
    const certificates = items.filter((item) => item.kind === 'amd-certificate').map((item) => item.der)
    expect(certificates.length).toBe(7)
    expect(certificates.at(-1)).toBe(Buffer.from(vek.der).toString('base64'))
    const lists = items.flatMap((item) => (item.kind === 'amd-crl' ? [`${item.product}/${item.endpoint}`] : []))
    expect(lists).toEqual(['Milan/vcek', 'Milan/vlek', 'Genoa/vcek', 'Genoa/vlek', 'Turin/vcek', 'Turin/vlek'])
  })
})

describe('a bundle of the fake Intel’s collateral', () => {
  const intel = fakeIntel()

  it('holds each document once, as it was served', () => {
    const updates = ['standard', 'early'] as const
    const { items } = intelBundle(intel, [{ updates }, { tee: 'sgx', ca: 'processor' }, {}])
    const names = items.map((item) =>
      'update' in item ? `${item.kind} ${item.update}` : 'ca' in item ? `${item.kind} ${item.ca}` : item.kind,
    )
    expect(names).toEqual([
      'intel-root-ca-crl',
      'intel-pck-crl platform',
      'intel-tcb-info standard',
      'intel-qe-identity standard',
      'intel-tcb-info early',
      'intel-qe-identity early',
      'intel-pck-crl processor',
      'intel-tcb-info standard',
      'intel-qe-identity standard',
    ])
    const infos = items.flatMap((item) => (item.kind === 'intel-tcb-info' ? [item] : []))
    expect(infos.map(({ body }) => JSON.parse(body).tcbInfo.id)).toEqual(['TDX', 'TDX', 'SGX'])
    expect(infos[0]?.issuer_chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
  })

  it('goes with that of the AMD', () => {
    const [one, two] = [collateralBundle(amd), intelBundle(intel)]
    expect(joined(one, two).items.length).toBe(one.items.length + two.items.length)
  })
})
