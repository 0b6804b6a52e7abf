import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { addressOf, collateralLab, paying, type CollateralLab } from '../../test/collateral-lab.ts'
import { memoryStores } from '../stores/memory.ts'
import type { CollateralAddress } from '../verifiers/verifier.ts'
import { needsDigest } from './needs-digest.ts'
import { collateralSummary } from './summary.ts'

const [VCEK, VLEK]: [CollateralAddress, CollateralAddress] = ['amd/crl/Milan/vcek', 'amd/crl/Milan/vlek']

let lab: CollateralLab
beforeAll(async () => {
  lab = await collateralLab()
})
afterEach(() => {
  lab.kds.behave('ok')
  lab.clock.now = lab.now
})
afterAll(() => lab.close())

/** How often the vendor was asked for the certificate of one chip. */
const asked = (address: CollateralAddress): number =>
  lab.kds.requests.filter(({ path }) => path.includes(address.split('/')[3] ?? 'none')).length

const offering = (offers: ReadonlyMap<CollateralAddress, Uint8Array>) => ({ needs: [], offers })

const broken = () => Promise.reject(new Error('disk full'))

describe('a certificate', () => {
  it('is fetched once for all who ask, and then at hand without the vendor, whatever happens to it', async () => {
    const [vek, service] = [lab.amd.vcek({ product: 'Milan' }), lab.service()]
    const address = addressOf(vek)
    const all = await Promise.all(Array.from({ length: 64 }, (_, i) => service.obtain({ ...paying(address), prefix: String(i) })))
    expect(asked(address)).toBe(1)
    const [first] = all
    expect(all.every(({ collateral }) => collateral.documents.get(address) === first?.collateral.documents.get(address))).toBe(true)
    expect(first?.retryAfter).toBeUndefined()
    expect(first?.fetchedAt.get(address)).toEqual(lab.now)
    expect(first?.expiresAt.get(address)?.getUTCFullYear()).toBe(2033)

    lab.kds.behave('hang')
    const later = await service.obtain({ needs: [address], prefix: 'p', caller: 'anonymous' })
    expect(later.collateral.missing.size).toBe(0)
    const restarted = lab.service({ store: service.store })
    expect((await restarted.obtain({ needs: [address], prefix: 'p', caller: 'anonymous' })).collateral.documents.size).toBe(1)
    expect(asked(address)).toBe(1)
  })

  it('is not fetched unless something pays, for the whole set and once', async () => {
    const [a, b] = [addressOf(lab.amd.vcek({ product: 'Milan' })), addressOf(lab.amd.vcek({ product: 'Milan' }))]
    const service = lab.service()
    const nobody = await service.obtain({ needs: [a], prefix: 'p', caller: 'anonymous' })
    expect(nobody.collateral.missing).toEqual(new Map([[a, 'unavailable']]))
    const digests: string[] = []
    const refusing = async (digest: string): Promise<boolean> => {
      digests.push(digest)
      return false
    }
    const refused = await service.obtain({ ...paying(a, b), pay: refusing })
    expect(refused.collateral.missing).toEqual(
      new Map([
        [a, 'unavailable'],
        [b, 'unavailable'],
      ]),
    )
    expect(refused.retryAfter).toBeGreaterThanOrEqual(1)
    expect(digests).toEqual([needsDigest([b, a])])
    expect(asked(a) + asked(b)).toBe(0)
  })

  it('that the vendor does not have is not found, and not asked for again', async () => {
    const vek = lab.amd.vcek({ product: 'Milan' })
    const address = addressOf({ ...vek, hwid: Uint8Array.from(vek.hwid, (byte) => byte ^ 1) })
    const service = lab.service()
    for (let i = 0; i < 3; i += 1) {
      const { collateral, retryAfter } = await service.obtain(paying(address))
      expect(collateral.missing).toEqual(new Map([[address, 'not-found']]))
      expect(retryAfter).toBeGreaterThanOrEqual(1)
    }
    expect(asked(address)).toBe(1)
  })

  it.each(['hang', 'garbage', 'redirect', 'oversized', 'truncated', 'unavailable'] as const)(
    'is unavailable, not stored and not asked for again at once when the vendor answers: %s',
    async (behaviour) => {
      const [address, service] = [addressOf(lab.amd.vcek({ product: 'Milan' })), lab.service()]
      lab.kds.behave(behaviour)
      const { collateral, retryAfter } = await service.obtain(paying(address))
      expect(collateral.missing).toEqual(new Map([[address, 'unavailable']]))
      expect(retryAfter).toBeGreaterThanOrEqual(1)
      lab.kds.behave('ok')
      expect((await service.obtain(paying(address))).collateral.missing.get(address)).toBe('unavailable')
      expect(asked(address)).toBe(1)
      expect(await service.store.get(address)).toBeUndefined()
    },
  )

  it('of another chip, or of another TCB, is not taken for it', async () => {
    const [vek, other] = [lab.amd.vcek({ product: 'Milan' }), lab.amd.vcek({ product: 'Milan' })]
    const address = addressOf(vek)
    lab.kds.serve(`/vcek/v1/Milan/${Buffer.from(vek.hwid).toString('hex')}`, other.der)
    const service = lab.service()
    expect((await service.obtain(paying(address))).collateral.documents.size).toBe(0)
    await service.remember(offering(new Map([[address, other.der]])))
    await service.remember(offering(new Map([[addressOf({ ...vek, tcb: { ...vek.tcb, microcode: vek.tcb.microcode ^ 1 } }), vek.der]])))
    expect(await service.store.list()).toEqual([])
  })

  it('that came with evidence is remembered, and never fetched', async () => {
    const [vek, service] = [lab.amd.vcek({ product: 'Milan' }), lab.service()]
    const address = addressOf(vek)
    await service.remember(offering(new Map([[address, vek.der]])))
    const { collateral } = await service.obtain(paying(address))
    expect(collateral.documents.get(address)).toEqual(vek.der)
    expect((await service.store.get(address))?.bytes).toEqual(vek.der)
    expect(asked(address)).toBe(0)
  })

  it('is the only kind that is remembered', async () => {
    const service = lab.service()
    await service.remember(offering(new Map([[VCEK, lab.amd.crl({ product: 'Milan', number: 99n })]])))
    expect(await service.store.list()).toEqual([])
    expect(await service.store.mark(VCEK)).toBeUndefined()
  })

  it('is proved again when it is read back: what a store makes of it does not count', async () => {
    const [vek, other] = [lab.amd.vcek({ product: 'Milan' }), lab.amd.vcek({ product: 'Milan' })]
    const [address, { collateral: store }] = [addressOf(vek), memoryStores()]
    await store.put({ address, bytes: other.der, fetchedAt: lab.now, expiresAt: new Date('2100-01-01') })
    const { collateral } = await lab.service({ store }).obtain(paying(address))
    expect(asked(address)).toBe(1)
    expect(collateral.documents.get(address)).not.toEqual(other.der)
    expect(collateral.documents.has(address)).toBe(true)
  })

  it('that has expired is fetched anew, and handed out all the same when that fails', async () => {
    const [vek, service] = [lab.amd.vcek({ product: 'Milan' }), lab.service()]
    const address = addressOf(vek)
    await service.remember(offering(new Map([[address, vek.der]])))
    lab.clock.now = new Date('2034-01-01T00:00:00Z')
    lab.kds.behave('unavailable')
    expect((await service.obtain(paying(address))).collateral.documents.get(address)).toEqual(vek.der)
    expect(asked(address)).toBe(1)
  })

  it('is answered although the store can neither be read nor written', async () => {
    const address = addressOf(lab.amd.vcek({ product: 'Milan' }))
    const service = lab.service({ store: { ...memoryStores().collateral, get: broken, put: broken } })
    expect((await service.obtain(paying(address))).collateral.documents.has(address)).toBe(true)
  })
})

describe('what else is asked for', () => {
  it.each(['amd/crl/Genoa/vcek', 'intel/tcb-info/x', 'amd/vcek/Milan/x'] as const)('is unavailable: %s', async (address) => {
    const { collateral, retryAfter } = await lab.service().obtain(paying(address))
    expect(collateral.missing).toEqual(new Map([[address, 'unavailable']]))
    expect(retryAfter).toBeGreaterThanOrEqual(1)
  })
})

describe('the listing', () => {
  it('tells kind, age, end and next refresh of everything kept', async () => {
    const [vek, service] = [lab.amd.vcek({ product: 'Milan' }), lab.service()]
    await service.start()
    await service.remember(offering(new Map([[addressOf(vek), vek.der]])))
    lab.clock.now = new Date('2027-01-01T00:00:00Z')
    const fetched_at = lab.now.toISOString()
    const list = {
      kind: 'crl',
      fetched_at,
      expires_at: '2026-12-23T12:00:00.000Z',
      next_refresh: '2026-12-08T12:00:00.000Z',
      state: 'expired',
    }
    expect(await service.status()).toEqual([
      { address: VCEK, ...list },
      { address: VLEK, ...list },
      { address: addressOf(vek), kind: 'vcek', fetched_at, expires_at: expect.stringMatching(/^2033/), next_refresh: null, state: 'fresh' },
    ])
  })
})

describe('the summary', () => {
  it('names the documents by address and digest, whatever their order, and their earliest times', async () => {
    const service = lab.service()
    await service.start()
    const [a, b] = [await service.obtain(paying(VCEK, VLEK)), await service.obtain(paying(VLEK, VCEK))]
    expect(collateralSummary(a)).toEqual(collateralSummary(b))
    expect(collateralSummary(a)).toMatchObject({ oldest_fetch: lab.now.toISOString(), earliest_expiry: '2026-12-23T12:00:00.000Z' })
    expect(collateralSummary(await service.obtain(paying(VCEK))).digest).not.toBe(collateralSummary(a).digest)
    const swapped = new Map([
      [VCEK, a.collateral.documents.get(VLEK) ?? new Uint8Array()],
      [VLEK, a.collateral.documents.get(VCEK) ?? new Uint8Array()],
    ])
    expect(collateralSummary({ ...a, collateral: { ...a.collateral, documents: swapped } }).digest).not.toBe(collateralSummary(a).digest)
  })

  it('of nothing has no times', async () => {
    expect(collateralSummary(await lab.service().obtain(paying()))).toMatchObject({ oldest_fetch: null, earliest_expiry: null })
  })
})
