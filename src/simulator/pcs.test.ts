import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encryptedPpid } from './certification.ts'
import { fakeIntel } from './intel.ts'
import { RETRY_AFTER } from './loopback.ts'
import { startFakePcs, type FakePcs } from './pcs.ts'

const intel = fakeIntel()
const pck = intel.pck()
let pcs: FakePcs
let pccs: FakePcs
beforeAll(async () => {
  pcs = await startFakePcs(intel, { apiKey: 'subscription' })
  pccs = await startFakePcs(intel, { kind: 'pccs', headers: 'old' })
})
afterAll(async () => {
  await pcs.close()
  await pccs.close()
})

const get = (service: FakePcs, path: string, headers: Record<string, string> = {}) => fetch(`${service.url}${path}`, { headers })
const statuses = (paths: readonly string[]) => Promise.all(paths.map(async (path) => (await get(pcs, path)).status))
const subjects = (header: string | null) =>
  decodeURIComponent(header ?? '')
    .split(/(?<=-----END CERTIFICATE-----\n)/)
    .filter((block) => block !== '')
    .map((block) => /CN=(.*)/.exec(new X509Certificate(block).subject)?.[1])

describe('the fake provisioning certification service', () => {
  it('serves TCB infos of FMSPCs that exist, as they were asked for, with their chain', async () => {
    const response = await get(pcs, '/tdx/certification/v4/tcb?fmspc=00806F050000')
    expect(subjects(response.headers.get('tcb-info-issuer-chain'))).toEqual(['Intel SGX TCB Signing', 'Intel SGX Root CA'])
    expect(await response.json()).toMatchObject({ tcbInfo: { id: 'TDX', fmspc: '00806F050000', tcbEvaluationDataNumber: 20 } })
    const sgx = await get(pcs, '/sgx/certification/v4/tcb?fmspc=00806f050000&update=early')
    expect(await sgx.json()).toMatchObject({ tcbInfo: { id: 'SGX', fmspc: '00806f050000', tcbEvaluationDataNumber: 21 } })
  })

  it('serves identities of both quoting enclaves', async () => {
    const answers = await Promise.all(
      ['/tdx/certification/v4/qe/identity', '/sgx/certification/v4/qe/identity?update=early'].map((path) => get(pcs, path)),
    )
    expect(answers.map((r) => subjects(r.headers.get('sgx-enclave-identity-issuer-chain'))[0])).toEqual(
      Array(2).fill('Intel SGX TCB Signing'),
    )
    const bodies = await Promise.all(answers.map((r) => r.json()))
    expect(bodies).toMatchObject([
      { enclaveIdentity: { id: 'TD_QE', tcbEvaluationDataNumber: 20 } },
      { enclaveIdentity: { id: 'QE', tcbEvaluationDataNumber: 21 } },
    ])
  })

  it('serves lists as DER or PEM, and the root’s at its own address', async () => {
    const der = await get(pcs, '/sgx/certification/v4/pckcrl?ca=platform&encoding=der')
    expect(new Uint8Array(await der.arrayBuffer())[0]).toBe(0x30)
    expect(subjects(der.headers.get('sgx-pck-crl-issuer-chain'))).toEqual(['Intel SGX PCK Platform CA', 'Intel SGX Root CA'])
    const text = await (await get(pcs, '/sgx/certification/v4/pckcrl?ca=processor')).text()
    expect(text).toMatch(/^-----BEGIN X509 CRL-----\n/)
    const root = await fetch(pcs.rootCrlUrl)
    expect([new URL(pcs.rootCrlUrl).pathname, new Uint8Array(await root.arrayBuffer())[0]]).toEqual(['/IntelSGXRootCA.der', 0x30])
  })

  it('knows what Intel refuses', async () => {
    const tcb = '/tdx/certification/v4/tcb'
    const asked = [
      `${tcb}?fmspc=000000000000`,
      `${tcb}?fmspc=00806f0500`,
      `${tcb}?fmspc=00806f050000&update=late`,
      `${tcb}?fmspc=00806f050000&update=early&tcbEvaluationDataNumber=21`,
      `${tcb}?fmspc=00806f050000&tcbEvaluationDataNumber=21`,
      `${tcb}?fmspc=00806f050000&tcbEvaluationDataNumber=3`,
      '/sgx/certification/v4/pckcrl?ca=root',
      '/sgx/certification/v4/qe/identity?update=x',
      '/sgx/certification/v4/rootcacrl',
      '/sgx/certification/v3/tcb?fmspc=00806f050000',
    ]
    expect(await statuses(asked)).toEqual([404, 400, 400, 400, 200, 410, 400, 400, 404, 404])
    expect((await fetch(`${pcs.url}${tcb}?fmspc=00806f050000`, { method: 'POST' })).status).toBe(404)
  })

  it('lists evaluation numbers and FMSPCs', async () => {
    const numbers = await get(pcs, '/sgx/certification/v4/tcbevaluationdatanumbers')
    expect(subjects(numbers.headers.get('tcb-evaluation-data-numbers-issuer-chain'))).toHaveLength(2)
    expect(await numbers.json()).toMatchObject({
      tcbEvaluationDataNumbers: { id: 'SGX', tcbEvalNumbers: [{ tcbEvaluationDataNumber: 21 }, {}] },
    })
    expect(await (await get(pcs, '/sgx/certification/v4/fmspcs')).json()).toEqual([{ fmspc: '00806f050000', platform: 'E5' }])
  })

  it('hands out PCK certificates for the key alone', async () => {
    const ppid = Buffer.from(encryptedPpid(pck, 384)).toString('hex')
    const path = `/sgx/certification/v4/pckcert?encrypted_ppid=${ppid}&cpusvn=${'00'.repeat(16)}&pcesvn=0b00&pceid=0000`
    expect(await statuses([path])).toEqual([401])
    const key = { 'Ocp-Apim-Subscription-Key': 'subscription' }
    const found = await get(pcs, path, key)
    expect(new Uint8Array(new X509Certificate(await found.text()).raw)).toEqual(pck.der)
    expect(subjects(found.headers.get('sgx-pck-certificate-issuer-chain'))).toEqual(['Intel SGX PCK Platform CA', 'Intel SGX Root CA'])
    expect([found.headers.get('sgx-fmspc'), found.headers.get('sgx-pck-certificate-ca-type')]).toEqual(['00806F050000', 'platform'])
    expect(found.headers.get('sgx-tcbm')).toBe('070702020301000900000000000000000B00')
    expect((await get(pcs, path.replace(ppid, '00'.repeat(384)), key)).status).toBe(404)
    expect((await get(pcs, path.replace('0b00', '0b'), key)).status).toBe(400)
  })

  it('serves what was prepared, by path with its query or without', async () => {
    const document = { body: Buffer.from('{}'), issuerChain: Buffer.from('chain /') }
    pcs.serve('/sgx/certification/v4/tcb', document)
    const response = await get(pcs, '/sgx/certification/v4/tcb?fmspc=00806f050000')
    expect([await response.text(), response.headers.get('tcb-info-issuer-chain')]).toEqual(['{}', 'chain%20%2F'])
    pcs.serve('/sgx/certification/v4/pckcrl?ca=processor&encoding=der', document)
    expect(await (await get(pcs, '/sgx/certification/v4/pckcrl?ca=processor&encoding=der')).text()).toBe('{}')
    expect(await (await get(pcs, '/sgx/certification/v4/pckcrl?ca=platform&encoding=der')).text()).not.toBe('{}')
  })

  it('misbehaves on demand and counts what it was asked', async () => {
    const path = '/tdx/certification/v4/qe/identity'
    pcs.behave('too-many-requests', 'qe/identity')
    const refused = await get(pcs, path)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, String(RETRY_AFTER)])
    pcs.behave('ok')
    expect((await get(pcs, path)).status).toBe(200)
    expect(pcs.requests.slice(-2).map((request) => request.path)).toEqual([path, path])
  })
})

describe('the fake caching service', () => {
  it('keeps the root’s list as hex, uses older headers and asks for no key', async () => {
    const root = await (await fetch(pccs.rootCrlUrl)).text()
    expect([new URL(pccs.rootCrlUrl).pathname, /^3082[0-9a-f]+$/.test(root)]).toEqual(['/sgx/certification/v4/rootcacrl', true])
    expect((await get(pccs, '/IntelSGXRootCA.der')).status).toBe(404)
    const tcb = await get(pccs, '/tdx/certification/v4/tcb?fmspc=00806f050000')
    expect([tcb.headers.has('tcb-info-issuer-chain'), subjects(tcb.headers.get('sgx-tcb-info-issuer-chain')).length]).toEqual([false, 2])
    const crl = await get(pccs, '/sgx/certification/v4/pckcrl?ca=platform&encoding=der')
    expect(subjects(crl.headers.get('pcs-crl-issuer-chain'))).toHaveLength(2)
    const query = `encrypted_ppid=${Buffer.from(encryptedPpid(pck, 384)).toString('hex')}&cpusvn=${'00'.repeat(16)}&pcesvn=0b00&pceid=0000`
    expect((await get(pccs, `/sgx/certification/v4/pckcert?${query}`)).status).toBe(200)
  })
})
