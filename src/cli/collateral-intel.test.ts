import { chmodSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { assay, tempFiles } from '../../test/cli.ts'
import { encryptedPpid } from '../simulator/certification.ts'
import { fakeIntel } from '../simulator/intel.ts'
import { startFakePcs, type FakePcs } from '../simulator/pcs.ts'
import { INTEL_STANDING } from '../collateral/address.ts'

const intel = fakeIntel()
const pck = intel.pck()
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const FMSPC = hex(pck.fields.fmspc)
const files = tempFiles()
const root = files.write('root.der', intel.authority('root').der)
const apiKey = files.write('api-key', 'subscription\n')
let pcs: FakePcs
let pccs: FakePcs
beforeAll(async () => {
  chmodSync(apiKey, 0o600)
  pcs = await startFakePcs(intel, { apiKey: 'subscription' })
  pccs = await startFakePcs(intel, { kind: 'pccs', headers: 'old' })
})
beforeEach(() => pcs.behave('ok'))
afterAll(async () => {
  await pcs.close()
  await pccs.close()
  files.remove()
})

/** Settings with a data folder of their own, under the fake Intel's root and in front of its service. */
const environment = (name: string, more: Readonly<Record<string, unknown>> = {}) => ({
  ASSAY_CONFIG: files.write(`${name}.json`, {
    mode: 'test',
    data_dir: files.path(name),
    insecure_test_roots: [root],
    intel_pcs_url: pcs.url,
    intel_transport: 'DANGEROUSLY_PLAIN_HTTP',
    ...more,
  }),
})

const PLATFORM = ['standard', 'early'].map((update) => `intel/tcb-info/tdx/${FMSPC}/${update}`)
const fetchPlatform = ['collateral', 'fetch', ...PLATFORM.flatMap((address) => ['--document', address])]
const listed = async (settings: Record<string, string>): Promise<readonly string[]> =>
  (JSON.parse((await assay(['collateral', 'list', '--json'], settings)).out) as { address: string }[]).map(({ address }) => address)

describe('documents of Intel’s', () => {
  it.each(['pcs', 'pccs'] as const)('are fetched from a service of kind %s, listed, and carried to another store', async (kind) => {
    const from = environment(`from-${kind}`, kind === 'pccs' ? { intel_pccs_url: pccs.url } : {})
    const before = pcs.requests.length
    expect(await assay(fetchPlatform, from)).toMatchObject({ code: 0 })
    expect(pcs.requests.length - before).toBe(kind === 'pcs' ? 6 : 0)
    expect(new Set(await listed(from))).toEqual(new Set([...INTEL_STANDING, ...PLATFORM]))
    const bundle = files.path(`${kind}-bundle.json`)
    expect((await assay(['collateral', 'export', '--out', bundle], from)).code).toBe(0)
    const to = environment(`to-${kind}`)
    const imported = await assay(['collateral', 'import', bundle], to)
    expect([imported.code, imported.out.match(/^stored /gm)?.length]).toEqual([0, 6])
    expect(await listed(to)).toEqual(await listed(from))
  })

  it('can be written to a bundle alone', async () => {
    const bundle = files.path('alone.json')
    expect((await assay(['collateral', 'fetch', '--vendor', 'intel', '--out', bundle], environment('alone'))).code).toBe(0)
    const { items } = JSON.parse(readFileSync(bundle, 'utf8')) as { items: { kind: string }[] }
    expect(items.map(({ kind }) => kind)).toEqual(['intel-pck-crl', 'intel-pck-crl', 'intel-qe-identity', 'intel-root-ca-crl'])
  })

  it('that are not there, or not genuine, are told apart and not kept', async () => {
    const settings = environment('faults')
    const unknown = await assay(['collateral', 'fetch', '--document', 'intel/tcb-info/tdx/ffffffffffff/standard'], settings)
    expect([unknown.code, unknown.err]).toEqual([3, expect.stringContaining('not-found intel/tcb-info/tdx/ffffffffffff/standard')])
    pcs.serve('/sgx/certification/v4/qe/identity', fakeIntel().qeIdentity({ tee: 'sgx' }))
    const forged = await assay(['collateral', 'fetch', '--document', 'intel/qe-identity/sgx/standard'], settings)
    expect([forged.code, forged.err]).toEqual([1, expect.stringContaining('refused intel/qe-identity/sgx/standard')])
    expect(await listed(settings)).not.toContain('intel/qe-identity/sgx/standard')
    pcs.behave('unavailable', 'pckcrl')
    expect((await assay(['collateral', 'fetch'], settings)).code).toBe(3)
  })

  it('are not asked for where Intel is switched off, or is not the vendor that was named', async () => {
    const before = pcs.requests.length
    expect((await assay(['collateral', 'fetch'], environment('off', { intel_collateral: 'off' }))).code).toBe(0)
    expect((await assay(['collateral', 'fetch', '--vendor', 'amd'], environment('amd'))).code).toBe(0)
    expect(pcs.requests.length).toBe(before)
  })
})

const values = (change: Readonly<Record<string, string>> = {}) =>
  Object.entries({
    'encrypted-ppid': hex(encryptedPpid(pck, 384)),
    cpusvn: hex(pck.fields.cpusvn),
    pcesvn: '0d00',
    pceid: '0000',
    ...change,
  }).flatMap(([name, value]) => [`--${name}`, value])
const subscribed = { intel_pcs_api_key_file: apiKey }

describe('a PCK certificate', () => {
  it('comes with its chain, for those who have a subscription', async () => {
    const file = files.path('chain.pem')
    expect((await assay(['collateral', 'pck', ...values(), '--out', file], environment('pck', subscribed))).code).toBe(0)
    expect(readFileSync(file, 'utf8').match(/BEGIN CERTIFICATE/g)).toHaveLength(3)
    expect((await assay(['collateral', 'pck', ...values()], environment('nobody'))).code).toBe(3)
  })

  it.each([
    ['a value that is too short', { cpusvn: '00' }],
    ['a value that is no hex', { pceid: 'zz' }],
  ])('takes %s for wrong usage', async (_, change) => {
    expect((await assay(['collateral', 'pck', ...values(change)], environment('usage', subscribed))).code).toBe(2)
  })

  it('is not asked for where Intel is switched off', async () => {
    const { code } = await assay(['collateral', 'pck', ...values()], environment('pck-off', { ...subscribed, intel_collateral: 'off' }))
    expect(code).toBe(2)
  })
})
