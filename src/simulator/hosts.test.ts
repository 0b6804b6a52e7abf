import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { bindingInput, reportDataOf } from '../access/binding.ts'
import { readCnfJwk, verifyCnfProof } from '../access/cnf.ts'
import { fakeAmd, type FakeAmd } from './amd.ts'
import { attest, type AttestRequest } from './attest.ts'
import { bindingKey, type BindingKeyKind } from './binding-keys.ts'
import { fakeHost, type FakeHost } from './hosts.ts'

let amd: FakeAmd
let host: FakeHost
beforeAll(async () => {
  amd = await fakeAmd({ products: ['Milan', 'Turin'] })
  host = fakeHost(amd)
})

const decode = (text: string | undefined) => Buffer.from(text ?? '', 'base64')
const reportOf = (item: AttestRequest['evidence'][number] | undefined): Buffer => {
  if (item?.type === 'tsm') return decode(item.outblob)
  if (item?.type !== 'snp') throw new Error('no report')
  return item.report === undefined ? decode(item.report_response).subarray(32) : decode(item.report)
}

/** A service that gives one challenge and keeps what it was sent. */
function fakeService(status = 201) {
  const sent: { path: string; body: AttestRequest | undefined }[] = []
  const nonce = randomBytes(32)
  const target = {
    url: 'http://service.invalid',
    fetch: async (url: string, init: RequestInit): Promise<Response> => {
      const path = new URL(url).pathname
      sent.push({ path, body: typeof init.body === 'string' ? (JSON.parse(init.body) as AttestRequest) : undefined })
      const body = path === '/v1/challenges' ? { nonce: nonce.toString('base64') } : { token: 'made' }
      return Response.json(body, { status })
    },
  }
  return { nonce, sent, target }
}

describe('a fake host that attests', () => {
  it('asks for a challenge, binds it, and posts what the service takes', async () => {
    const service = fakeService()
    const answer = await attest(host, { ...service.target, audience: 'https://cluster.example', policy: 'strict' })
    expect([answer.status, answer.body]).toEqual([201, { token: 'made' }])
    expect(service.sent.map((r) => r.path)).toEqual(['/v1/challenges', '/v1/appraisals'])
    const request = service.sent[1]?.body
    expect([request?.audience, request?.policy, request?.nonce]).toEqual([
      'https://cluster.example',
      'strict',
      service.nonce.toString('base64'),
    ])
    const cnf = readCnfJwk(request?.cnf_jwk)
    const input = bindingInput({ nonce: service.nonce, thumbprint: cnf.thumbprint, audience: 'https://cluster.example' })
    await verifyCnfProof(cnf.key, input, decode(request?.cnf_proof))
    expect(reportOf(request?.evidence[0]).subarray(0x50, 0x90)).toEqual(Buffer.from(reportDataOf(input)))
  })

  it.each<BindingKeyKind>(['P-256', 'P-384', 'Ed25519', 'RSA'])('proves a key of kind %s', async (kind) => {
    const service = fakeService()
    await attest(host, { ...service.target, key: bindingKey(kind), runtimeData: Buffer.from('data') })
    const request = service.sent[1]?.body
    const cnf = readCnfJwk(request?.cnf_jwk)
    const input = bindingInput({ nonce: service.nonce, thumbprint: cnf.thumbprint, runtimeData: Buffer.from('data'), audience: 'default' })
    await verifyCnfProof(cnf.key, input, decode(request?.cnf_proof))
    expect(decode(request?.runtime_data).toString()).toBe('data')
    expect(reportOf(request?.evidence[0]).subarray(0x50, 0x90)).toEqual(Buffer.from(reportDataOf(input)))
  })

  it('binds a bare nonce without a key', async () => {
    const service = fakeService()
    await attest(host, { ...service.target, binding: 'nonce' })
    const request = service.sent[1]?.body
    expect(Object.keys(request ?? {}).toSorted()).toEqual(['binding', 'evidence', 'nonce'])
    expect(reportOf(request?.evidence[0]).subarray(0x50, 0x90)).toEqual(Buffer.concat([service.nonce, Buffer.alloc(32)]))
  })

  it('replays an old nonce, brings its own, and lets a test change the request', async () => {
    const service = fakeService()
    const old = new Uint8Array(32).fill(1)
    await attest(host, { ...service.target, nonce: old, key: 'none' })
    await attest(host, { ...service.target, relyingPartyNonce: old, change: (request) => ({ ...request, extra: 1 }) })
    expect(service.sent.map((r) => r.path)).toEqual(['/v1/appraisals', '/v1/appraisals'])
    expect(service.sent[0]?.body).toMatchObject({ nonce: Buffer.from(old).toString('base64') })
    expect(service.sent[0]?.body).not.toHaveProperty('cnf_jwk')
    expect(service.sent[1]?.body).toMatchObject({ relying_party_nonce: Buffer.from(old).toString('base64'), extra: 1 })
    expect(service.sent[1]?.body).not.toHaveProperty('nonce')
  })

  it('hands on a refused challenge', async () => {
    const service = fakeService(503)
    expect(await attest(host, service.target)).toMatchObject({ status: 503, request: undefined })
    expect(service.sent.length).toBe(1)
  })
})

describe('the evidence of a fake host', () => {
  const data = new Uint8Array(64).fill(5)

  it('travels as report, as driver response and as configfs-tsm', () => {
    const items = (['snp', 'snp-response', 'tsm'] as const).map((envelope) => fakeHost(amd, { envelope, product: 'Turin' }).evidence(data))
    expect(items.map((i) => i.type)).toEqual(['snp', 'snp', 'tsm'])
    for (const item of items) {
      const report = reportOf(item)
      expect(report.length).toBe(1184)
      expect(report.subarray(0x50, 0x90)).toEqual(Buffer.from(data))
    }
  })

  it('ships its VEK in the table, as PEM, or not at all', () => {
    const [table, certificates, nothing] = (['cert-table', 'certificates', 'nothing'] as const).map((ships) =>
      fakeHost(amd, { ships, kind: 'vlek' }).evidence(data),
    )
    expect(Object.keys(table ?? {})).toEqual(['type', 'report', 'cert_table'])
    expect(certificates).toMatchObject({ certificates: [expect.stringMatching(/^-----BEGIN CERTIFICATE-----\n/)] })
    expect(Object.keys(nothing ?? {})).toEqual(['type', 'report'])
    expect(Object.keys(fakeHost(amd, { ships: 'nothing', envelope: 'tsm' }).evidence(data))).toEqual(['type', 'provider', 'outblob'])
  })

  it('can ship another chip’s VEK and keep fields of its own', () => {
    const wrongVek = amd.vcek({ product: 'Milan' })
    const odd = fakeHost(amd, { wrongVek, fields: { guestSvn: 9 }, hwid: new Uint8Array(64).fill(1), tcb: { ...host.vek.tcb, snp: 3 } })
    expect(Buffer.from(odd.certTable()).includes(Buffer.from(wrongVek.der))).toBe(true)
    const report = reportOf(odd.evidence(data, { vmpl: 2 }))
    expect([report[0x4], report[0x30], report[0x1a0], report[0x186]]).toEqual([9, 2, 1, 3])
  })
})
