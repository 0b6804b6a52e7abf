import { beforeAll, describe, expect, it } from 'vitest'
import { addressOf } from '../../test/collateral-lab.ts'
import { fakeAmd, type FakeAmd } from '../simulator/amd.ts'
import { memoryStores } from '../stores/memory.ts'
import { anchorsOf } from '../verifiers/anchors.ts'
import type { Anchors } from '../verifiers/verifier.ts'
import { BundleError, collateralFromBundles, readBundle, writeBundle, type BundleItem } from './bundle.ts'
import { fetchCollateral } from './one-shot.ts'
import { exportBundle, importBundle } from './transfer.ts'

const now = new Date('2026-11-23T12:00:00Z')
const day = (n: number): Date => new Date(now.getTime() + n * 86_400_000)
let amd: FakeAmd
let anchors: Anchors
beforeAll(async () => {
  amd = await fakeAmd({ now, products: ['Milan', 'Turin'] })
  anchors = anchorsOf(amd.anchors())
})

const certificate = (der: Uint8Array): BundleItem => ({ kind: 'amd-certificate', der })
const list = (der: Uint8Array, endpoint: 'vcek' | 'vlek' = 'vcek'): BundleItem => ({ kind: 'amd-crl', product: 'Milan', endpoint, der })
const crl = (number: bigint, thisUpdate = day(-1)): Uint8Array => amd.crl({ product: 'Milan', number, thisUpdate })
const bundle = (...items: readonly unknown[]): string => JSON.stringify({ format: 'assay-collateral/1', items })
const problemsOf = (text: string): BundleError['problems'] => {
  try {
    readBundle(text)
  } catch (error) {
    if (error instanceof BundleError) return error.problems
    throw error
  }
  return []
}

describe('the text of a bundle', () => {
  it('is read as it was written', () => {
    const items = [certificate(Uint8Array.from([1, 2])), list(Uint8Array.from([3]), 'vlek')]
    expect(readBundle(writeBundle({ items }))).toEqual({ items })
  })

  it('holds certificates and lists of TPM authorities, and nothing else of theirs', () => {
    const items = [
      { kind: 'tpm-certificate', der: Uint8Array.of(1) },
      { kind: 'tpm-crl', der: Uint8Array.of(2) },
    ] as const
    expect(readBundle(writeBundle({ items }))).toEqual({ items })
    expect(() => readBundle(bundle({ kind: 'tpm-certificate', der: 'AQ==', vendor: 'x' }))).toThrow(/items\.0/)
  })

  it.each([
    ['', '.'],
    ['[]', '.'],
    ['{"format":"assay-collateral/2","items":[]}', 'format'],
    ['{"format":"assay-collateral/1"}', 'items'],
    ['{"format":"assay-collateral/1","items":[],"more":1}', '.'],
    [bundle({ kind: 'amd-certificate' }), 'items.0.der'],
    [bundle({ kind: 'amd-certificate', der: 'AQ=' }), 'items.0.der'],
    [bundle({ kind: 'amd-certificate', der: 'AR==' }), 'items.0.der'],
    [bundle({ kind: 'amd-certificate', der: 'AQ==', name: 'x' }), 'items.0'],
    [bundle({ kind: 'amd-certificate', der: 'A'.repeat(100_000) }), 'items.0.der'],
    [bundle({ kind: 'amd-crl', product: 'Venice', endpoint: 'vcek', der: '' }), 'items.0.product'],
    [bundle({ kind: 'amd-crl', product: 'Milan', endpoint: 'kds', der: '' }), 'items.0.endpoint'],
    [bundle({ kind: 'amd-ctr', der: '' }), 'items.0.kind'],
  ])('is refused with the path of what is wrong: %.60s', (text, path) =>
    expect(problemsOf(text).map((problem) => problem.path)).toEqual([path]),
  )

  it('is refused with all its problems at once', () => {
    expect(
      problemsOf(bundle({ kind: 'amd-certificate', der: '!' }, { kind: 'amd-crl', product: 1, endpoint: 'vcek', der: '' })),
    ).toHaveLength(2)
  })
})

/** Which of several lists for one address is used. */
const chosen = async (...ders: readonly Uint8Array[]) =>
  (await collateralFromBundles([{ items: ders.map((der) => list(der)) }], anchors, now)).documents.get('amd/crl/Milan/vcek')

describe('the documents of bundles', () => {
  it('are found by the addresses that a verifier asks for', async () => {
    const [milan, turin] = [amd.vcek({ product: 'Milan' }), amd.vcek({ product: 'Turin' })]
    const ask = amd.intermediate('Milan', 'ask')
    const items = [
      certificate(ask),
      certificate(milan.der),
      certificate(amd.vlek({ product: 'Milan' }).der),
      certificate(Uint8Array.from([1])),
    ]
    const { documents, certificates } = await collateralFromBundles(
      [{ items }, { items: [certificate(turin.der), list(crl(1n))] }],
      anchors,
      now,
    )
    expect(new Set(documents.keys())).toEqual(new Set([addressOf(milan), addressOf(turin), 'amd/crl/Milan/vcek']))
    expect(documents.get(addressOf(milan))).toEqual(milan.der)
    expect(certificates[0]).toEqual(ask)
    expect(certificates).toHaveLength(5)
  })

  it('of one address: the newest that is genuine, so that neither an older nor a forged one takes its place', async () => {
    const [older, newer] = [crl(1n, day(-5)), crl(2n)]
    const forged = amd.crl({ product: 'Milan', number: 9n, overrides: { signWith: amd.authority('Milan', 'ask') } })
    expect(await chosen(forged, older, newer)).toEqual(newer)
    expect(await chosen(newer, older, forged)).toEqual(newer)
    expect(await chosen(forged, Uint8Array.from([1]))).toEqual(forged)
  })
})

const to = () => ({ store: memoryStores().collateral, anchors, now })

describe('a bundle taken into a store', () => {
  it('and out of it again holds the same documents', async () => {
    const [vek, source, target] = [amd.vcek({ product: 'Milan' }), to(), to()]
    const items = [certificate(vek.der), list(crl(3n)), list(crl(4n), 'vlek')]
    expect((await importBundle({ items }, source)).map(({ outcome }) => outcome)).toEqual(['stored', 'stored', 'stored'])
    const text = await exportBundle(source.store)
    await importBundle(readBundle(text), target)
    expect(await exportBundle(target.store)).toBe(text)
    expect(readBundle(text).items).toHaveLength(3)
    expect(await target.store.mark('amd/crl/Milan/vlek')).toEqual({ number: 4n, thisUpdate: day(-1) })
  })

  it('leaves out what does not prove genuine, and what is pinned or of another vendor', async () => {
    const target = to()
    const forged = amd.crl({ product: 'Milan', overrides: { signWith: amd.authority('Milan', 'ask') } })
    const others: readonly BundleItem[] = (['tpm-crl', 'tpm-certificate'] as const).map((kind) => ({ kind, der: Uint8Array.of() }))
    const items = [list(forged), certificate(amd.root('Milan')), ...others, list(crl(1n), 'vlek')]
    const results = await importBundle({ items }, target)
    expect(results.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['amd/crl/Milan/vcek', 'refused'],
      ['amd-certificate', 'ignored'],
      ['tpm-crl', 'ignored'],
      ['tpm-certificate', 'ignored'],
      ['amd/crl/Milan/vlek', 'stored'],
    ])
    expect(results[0]?.detail).toContain('snp-crl-signature')
    expect((await target.store.list()).map(({ address }) => address)).toEqual(['amd/crl/Milan/vlek'])
  })

  it('never puts an older list, or a certificate that ends earlier, in the place of a newer one', async () => {
    const [vek, target] = [amd.vcek({ product: 'Milan' }), to()]
    const longer = amd.vcek({ product: 'Milan', hwid: vek.hwid, tcb: vek.tcb, overrides: { notAfter: day(3650) } })
    await importBundle({ items: [list(crl(5n)), certificate(longer.der)] }, target)
    const results = await importBundle({ items: [list(crl(4n)), certificate(vek.der)] }, target)
    expect(results.map(({ outcome }) => outcome)).toEqual(['older', 'older'])
    expect((await target.store.get(addressOf(vek)))?.bytes).toEqual(longer.der)
  })

  it('takes no list whose mark cannot be believed', async () => {
    const store = { ...memoryStores().collateral, mark: async () => 'strictest' as const }
    const results = await importBundle({ items: [list(crl(1n))] }, { store, anchors, now })
    expect(results.map(({ outcome }) => outcome)).toEqual(['refused'])
    expect(await store.list()).toEqual([])
  })
})

describe('a single fetch', () => {
  it('says of each address what came, or why nothing did', async () => {
    const bytes = Uint8Array.from([1])
    const client = {
      fetch: async (address: string) => {
        if (address === 'amd/a') return { outcome: 'found', bytes } as const
        return address === 'amd/b' ? ({ outcome: 'not-found' } as const) : ({ outcome: 'unavailable', reason: 'down' } as const)
      },
    }
    expect(await fetchCollateral(client, ['amd/a', 'amd/b', 'amd/c'])).toEqual({
      documents: new Map([['amd/a', bytes]]),
      missing: new Map([
        ['amd/b', 'not-found'],
        ['amd/c', 'unavailable'],
      ]),
      marks: new Map(),
    })
  })
})
