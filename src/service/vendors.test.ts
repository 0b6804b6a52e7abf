import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig, type Config } from '../config.ts'
import type { CollateralAddress } from '../verifiers/verifier.ts'
import { clientOf, pcsOf, vendorsOf } from './vendors.ts'

const INTEL: CollateralAddress = 'intel/root-ca-crl'
const AMD: CollateralAddress = 'amd/crl/Milan/vcek'
const SILENT = 'no vendor may be asked'
const plain = { ASSAY_INTEL_TRANSPORT: 'DANGEROUSLY_PLAIN_HTTP', ASSAY_AMD_KDS_TRANSPORT: 'DANGEROUSLY_PLAIN_HTTP' }

let server: Server
let url: string
const asked: string[] = []
const keys: unknown[] = []
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    keys.push(request.headers['ocp-apim-subscription-key'])
    response.end(Uint8Array.of(0x30, 0x80))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  url = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : ''
})
beforeEach(() => [asked, keys].forEach((seen) => seen.splice(0)))
afterAll(() => {
  server.close()
  rmSync(dirname(apiKey), { recursive: true })
})

type Bytes = [Uint8Array, Uint8Array, Uint8Array, Uint8Array]

const config = (environment: Record<string, string>, file = ''): Config =>
  loadConfig({ environment: { ...plain, ASSAY_CONFIG: 'f', ...environment }, readText: () => file }).config
const reasons = async (given: Config) => {
  const vendor = await vendorsOf(given)
  const answers = await Promise.all([AMD, INTEL].map((address) => vendor.fetch({ address, caller: 'anonymous', prefix: address })))
  return answers.map((answer) => (answer.outcome === 'unavailable' ? answer.reason : answer.outcome))
}

const apiKey = join(mkdtempSync(join(tmpdir(), 'assay-vendors-')), 'key')
writeFileSync(apiKey, 'subscription\n', { mode: 0o600 })

describe('the subscription to Intel’s service', () => {
  it.each([
    ['is used there', {}, 'subscription'],
    ['is not shown to a caching service', { ASSAY_INTEL_PCCS_URL: '/pccs' }, undefined],
  ])('%s', async (_, paths, key) => {
    const named = Object.entries(paths).map(([name, path]) => [name, `${url}${path}`] as const)
    const given = config({ ASSAY_INTEL_PCS_URL: url, ASSAY_INTEL_PCS_API_KEY_FILE: apiKey, ...Object.fromEntries(named) })
    const [encryptedPpid, cpuSvn, pceSvn, pceId] = [384, 16, 2, 2].map((length) => new Uint8Array(length)) as Bytes
    await (await pcsOf(given.intel)).pckCertificate({ encryptedPpid, cpuSvn, pceSvn, pceId })
    expect(keys).toEqual([key])
  })
})

describe('the vendors of a service', () => {
  it('are where the configuration says', async () => {
    expect(await reasons(config({ ASSAY_AMD_KDS_URL: url, ASSAY_INTEL_PCS_URL: `${url}/pcs` }))).toEqual(['found', 'found'])
    expect(asked).toEqual(['/vcek/v1/Milan/crl', '/pcs/IntelSGXRootCA.der'])
  })

  it('are, for Intel’s documents, the caching service where one is named', async () => {
    const given = config({ ASSAY_AMD_KDS_URL: url, ASSAY_INTEL_PCS_URL: `${url}/pcs`, ASSAY_INTEL_PCCS_URL: `${url}/pccs` })
    await reasons(given)
    expect(asked.at(1)).toBe('/pccs/sgx/certification/v4/rootcacrl')
  })

  it('may keep the list of the root elsewhere', async () => {
    await reasons(config({ ASSAY_AMD_KDS_URL: url, ASSAY_INTEL_PCS_URL: `${url}/pcs`, ASSAY_INTEL_ROOT_CRL_URL: `${url}/elsewhere.der` }))
    expect(asked.at(1)).toBe('/elsewhere.der')
  })

  it('are silent where they have nothing to say: under other roots and in the demo, unless one was named', async () => {
    const roots = 'insecure_test_roots: [r]'
    expect(await reasons(config({ ASSAY_MODE: 'test' }, roots))).toEqual([SILENT, SILENT])
    expect(await reasons(config({ ASSAY_MODE: 'demo' }))).toEqual([SILENT, SILENT])
    const named = { ASSAY_MODE: 'test', ASSAY_AMD_KDS_URL: url }
    expect(await reasons(config({ ...named, ASSAY_INTEL_PCS_URL: url }, roots))).toEqual(['found', 'found'])
    expect(await reasons(config({ ...named, ASSAY_INTEL_PCCS_URL: url }, roots))).toEqual(['found', 'found'])
  })

  it('do not include Intel where it is switched off', async () => {
    const off = config({ ASSAY_AMD_KDS_URL: url, ASSAY_INTEL_PCS_URL: url, ASSAY_INTEL_COLLATERAL: 'off' })
    expect(await reasons(off)).toEqual(['found', SILENT])
    expect(await (await clientOf(off)).fetch(INTEL)).toMatchObject({ outcome: 'unavailable' })
    expect(asked).toHaveLength(1)
  })
})
