import { describe, expect, it } from 'vitest'
import { fakeIntel } from '../simulator/intel.ts'
import { memoryStores } from '../stores/memory.ts'
import { anchorsOf } from '../verifiers/anchors.ts'
import { readVendorDocument, type VendorDocument } from '../verifiers/tdx/document.ts'
import type { CollateralAddress } from '../verifiers/verifier.ts'
import { addressed } from './bundle-address.ts'
import { BundleError, collateralFromBundles, readBundle, writeBundle, type BundleItem } from './bundle.ts'
import { exportBundle, importBundle } from './transfer.ts'

const now = new Date('2026-11-23T12:00:00Z')
const days = (n: number): Date => new Date(now.getTime() + n * 86_400_000)
const intel = fakeIntel({ now })
const anchors = anchorsOf([], intel.anchors())
const FMSPC = '00806f050000'

const utf8 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')
const signed = (document: VendorDocument) => ({ body: utf8(document.body), issuer_chain: utf8(document.issuerChain) })
const listed = (document: VendorDocument) => ({
  der: Buffer.from(document.body).toString('base64'),
  issuer_chain: utf8(document.issuerChain),
})
const pckCrl = intel.document({ kind: 'pck-crl', ca: 'platform' })

/** One item of each kind as it is written. */
const WRITTEN = {
  tcb: { kind: 'intel-tcb-info', update: 'early', ...signed(intel.tcbInfo({ update: 'early' })) },
  qe: { kind: 'intel-qe-identity', update: 'standard', ...signed(intel.qeIdentity()) },
  pck: { kind: 'intel-pck-crl', ca: 'platform', ...listed(pckCrl) },
  root: { kind: 'intel-root-ca-crl', der: listed(intel.document({ kind: 'root-ca-crl' })).der },
} as const

const bundle = (...items: readonly unknown[]): string => JSON.stringify({ format: 'assay-collateral/1', items })
const itemsOf = (...items: readonly unknown[]): readonly BundleItem[] => readBundle(bundle(...items)).items
const addressesOf = (...items: readonly unknown[]): readonly CollateralAddress[] =>
  itemsOf(...items).flatMap((item) => addressed(item, anchors).map(({ address }) => address))

describe('items of Intel’s', () => {
  it('are written as they were read', () => {
    const text = bundle(...Object.values(WRITTEN))
    expect(JSON.parse(writeBundle(readBundle(text)))).toEqual(JSON.parse(text))
  })

  it('are of the standard set where they do not say', () => {
    const { update, ...silent } = WRITTEN.tcb
    expect(update).toBe('early')
    expect(itemsOf(silent)).toMatchObject([{ update: 'standard' }])
  })

  it.each([
    ['a text that is none', { ...WRITTEN.tcb, body: 1 }, 'items.0.body'],
    ['an empty text', { ...WRITTEN.tcb, body: '' }, 'items.0.body'],
    ['a long text', { ...WRITTEN.tcb, body: 'x'.repeat(1024 * 1024 + 1) }, 'items.0.body'],
    ['no chain', { kind: 'intel-tcb-info', body: '{}' }, 'items.0.issuer_chain'],
    ['a long chain', { ...WRITTEN.qe, issuer_chain: 'x'.repeat(65_537) }, 'items.0.issuer_chain'],
    ['an unknown set', { ...WRITTEN.qe, update: 'late' }, 'items.0.update'],
    ['an unknown authority', { ...WRITTEN.pck, ca: 'root' }, 'items.0.ca'],
    ['a list that is no base64', { ...WRITTEN.root, der: '!' }, 'items.0.der'],
    ['a chain of the root', { ...WRITTEN.root, issuer_chain: 'x' }, 'items.0'],
    ['more than there is', { ...WRITTEN.tcb, fmspc: FMSPC }, 'items.0'],
  ])('are refused with %s', (_, item, path) => {
    expect(() => readBundle(bundle(item))).toThrow(BundleError)
    expect(() => readBundle(bundle(item))).toThrow(`${path}: `)
  })
})

describe('the address of an item', () => {
  it('is its label, or what the text says', () => {
    expect(addressesOf(...Object.values(WRITTEN))).toEqual([
      `intel/tcb-info/tdx/${FMSPC}/early`,
      'intel/qe-identity/tdx/standard',
      'intel/pck-crl/platform',
      'intel/root-ca-crl',
    ])
  })

  it.each([
    ['sgx', { tcbInfo: { id: 'SGX', version: 3, fmspc: FMSPC } }],
    ['sgx', { tcbInfo: { version: 2, fmspc: FMSPC } }],
    ['tdx', { tcbInfo: { id: 'TDX', version: 3, fmspc: FMSPC.toUpperCase() } }],
  ])('of a TCB info is for %s: %j', (tee, text) =>
    expect(addressesOf({ ...WRITTEN.tcb, body: JSON.stringify(text) })).toEqual([`intel/tcb-info/${tee}/${FMSPC}/early`]),
  )

  it.each([
    ['sgx', 'QE'],
    ['tdx', 'TD_QE'],
  ])('of a quoting enclave is for %s: %s', (tee, id) =>
    expect(addressesOf({ ...WRITTEN.qe, body: JSON.stringify({ enclaveIdentity: { id } }) })).toEqual([
      `intel/qe-identity/${tee}/standard`,
    ]),
  )

  it.each([
    'x',
    'null',
    '[]',
    '{"tcbInfo":null}',
    `{"tcbInfo":{"id":"NEW","version":4,"fmspc":"${FMSPC}"}}`,
    '{"tcbInfo":{"id":"TDX","fmspc":"00"}}',
    '{"tcbInfo":{"id":"TDX","fmspc":[]}}',
    '{"enclaveIdentity":{"id":"QE"}}',
    '['.repeat(100_000),
  ])('of a TCB info is none: %.60s', (body) => expect(addressesOf({ ...WRITTEN.tcb, body })).toEqual([]))

  it.each(['{"enclaveIdentity":{"id":"QVE"}}', '{"enclaveIdentity":{"id":"QAE"}}', '{"tcbInfo":{"id":"TDX"}}'])(
    'of an identity is none: %s',
    (body) => expect(addressesOf({ ...WRITTEN.qe, body })).toEqual([]),
  )
})

describe('documents of bundles', () => {
  it('are what a verifier would be given by the vendor', async () => {
    const { documents } = await collateralFromBundles([{ items: itemsOf(...Object.values(WRITTEN)) }], anchors, now)
    const [tcb, pck, root] = [`intel/tcb-info/tdx/${FMSPC}/early`, 'intel/pck-crl/platform', 'intel/root-ca-crl'] as const
    const read = (address: CollateralAddress) => readVendorDocument(documents.get(address) ?? new Uint8Array())
    expect(documents.size).toBe(4)
    expect(signed(read(tcb))).toEqual({ body: WRITTEN.tcb.body, issuer_chain: WRITTEN.tcb.issuer_chain })
    expect(read(pck)).toEqual(pckCrl)
    expect(read(root).issuerChain).toEqual(new Uint8Array())
    expect(listed(read(root)).der).toBe(WRITTEN.root.der)
  })

  it('are the newest genuine ones of several', async () => {
    const older = { ...WRITTEN.qe, ...signed(intel.qeIdentity({ issueDate: days(-3) })) }
    const forged = { ...WRITTEN.qe, ...signed(fakeIntel({ now }).qeIdentity({ issueDate: days(-0.01) })) }
    const newest = itemsOf(WRITTEN.qe).flatMap((item) => addressed(item, anchors))[0]?.bytes
    for (const items of [
      [older, WRITTEN.qe, forged],
      [forged, WRITTEN.qe, older],
    ])
      expect(
        (await collateralFromBundles([{ items: itemsOf(...items) }], anchors, now)).documents.get('intel/qe-identity/tdx/standard'),
      ).toEqual(newest)
  })
})

const to = () => ({ store: memoryStores().collateral, anchors, now })
const tcbInfoAt = (issueDate: Date, update: 'standard' | 'early' = 'standard') =>
  itemsOf({ ...WRITTEN.tcb, update, ...signed(intel.tcbInfo({ issueDate, update })) })

describe('imported and exported', () => {
  it('everything goes through a store and comes out as it went in', async () => {
    const { store, ...rest } = to()
    const results = await importBundle({ items: itemsOf(...Object.values(WRITTEN)) }, { store, ...rest })
    expect(results.map(({ outcome, detail }) => `${outcome} ${detail.slice(0, 11)}`)).toEqual(Array(4).fill('stored valid until'))
    const exported = JSON.parse(await exportBundle(store))
    expect(exported.items).toHaveLength(4)
    expect(exported.items).toEqual(expect.arrayContaining(Object.values(WRITTEN)))
    expect(await store.mark('intel/root-ca-crl')).toMatchObject({ number: 0n })
  })

  it('nothing older than what was seen is stored, each set of documents for itself', async () => {
    const target = to()
    const outcome = async (items: readonly BundleItem[]) => (await importBundle({ items }, target))[0]?.outcome
    expect(await outcome(tcbInfoAt(days(-1)))).toBe('stored')
    expect(await outcome(tcbInfoAt(days(-2)))).toBe('older')
    expect(await outcome(tcbInfoAt(days(-2), 'early'))).toBe('stored')
    expect(await outcome(tcbInfoAt(days(-0.5)))).toBe('stored')
  })

  it('nothing is stored that is not genuine, and what has no address is said to be ignored', async () => {
    const { store, ...rest } = to()
    const foreign = { ...WRITTEN.qe, ...signed(fakeIntel({ now }).qeIdentity()) }
    const respaced = { ...WRITTEN.tcb, body: WRITTEN.tcb.body.replace('"tcbInfo":{', '"tcbInfo":{ ') }
    const unaddressed = { ...WRITTEN.qe, body: '{"enclaveIdentity":{"id":"QVE"}}' }
    const results = await importBundle(
      { items: itemsOf(foreign, respaced, unaddressed, { ...WRITTEN.pck, ca: 'processor' }) },
      { store, ...rest },
    )
    expect(results.map((result) => result.outcome)).toEqual(['refused', 'refused', 'ignored', 'refused'])
    expect(results[2]?.detail).toBe('not the identity of a quoting enclave')
    expect(await store.list()).toEqual([])
  })
})
