import { beforeAll, describe, expect, it } from 'vitest'
import { createApp, type App } from '../src/app.ts'
import { uint } from '../src/simulator/tpm-bytes.ts'
import type { TpmEvidence } from '../src/verifiers/verifier.ts'
import { bootLog, HOST } from './boot-log.ts'
import { ascii, file, violation } from './ima-lists.ts'
import { testServices } from './services.ts'
import { overSocket } from './socket.ts'
import { tpmItemOf } from './tpm-cases.ts'
import { akNameOf, testEvidence, TEST_NONCE } from './tpm-quotes.ts'
import { vectorBytes, vectorsPresent } from './vectors.ts'

let app: App
beforeAll(async () => {
  const fixture = await testServices({})
  app = createApp(fixture.services)
  return fixture.stop
})

async function inspect(...evidence: readonly TpmEvidence[]): Promise<{ readonly status: number; readonly body: unknown }> {
  const body = JSON.stringify({ evidence: evidence.map(tpmItemOf) })
  const response = await overSocket(app, '/v1/inspections', { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  return { status: response.status, body: await response.json() }
}

/** An attestation of a vector with its signature. */
const attestationOf = (name: string): TpmEvidence => ({
  type: 'tpm',
  quotes: [
    {
      quote: vectorBytes(`tpm/swtpm-attest-types/${name}.attest.bin`),
      signature: vectorBytes(`tpm/swtpm-attest-types/${name}.sig.bin`),
      pcrs: {},
    },
  ],
  akCertificates: [],
})

describe('an inspection of TPM evidence', () => {
  it('shows quote, key and logs of every item, and verifies nothing', async () => {
    const evidence = testEvidence()
    const forged = {
      ...evidence,
      quotes: evidence.quotes.map((quote) => ({ ...quote, signature: new Uint8Array(quote.signature).fill(1, 6, 38) })),
    }
    const imaLog = ascii([file('/bin/a', 'a'), violation('/var/log')])
    const { status, body } = await inspect({ ...evidence, eventLog: bootLog(HOST), imaLog }, forged)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      verified: false,
      inspections: [
        {
          type: 'tpm',
          verified: false,
          quotes: [{ type: 'quote', extra_data: Buffer.from(TEST_NONCE).toString('hex'), pcrs_missing: [] }],
          ak_public: { name: akNameOf(evidence) },
          event_log: { trusted: false, events: HOST.length },
          ima_log: { trusted: false, entries: 2, violations: 1 },
        },
        { type: 'tpm', quotes: [{ signature: { r: '01'.repeat(32) } }] },
      ],
    })
    expect(JSON.stringify(body)).not.toContain('token')
  })

  it('names what cannot be read by its code', async () => {
    const evidence = testEvidence()
    const { status, body } = await inspect({ ...evidence, quotes: evidence.quotes.map((quote) => ({ ...quote, quote: uint(64, 1) })) })
    expect([status, body]).toMatchObject([400, { code: 'tpm-attest-magic-invalid' }])
  })

  it.skipIf(!vectorsPresent()).each([
    ['certify', 'certify'],
    ['gettime', 'time'],
    ['nvcertify', 'nv'],
    ['certifycreation', 'creation'],
  ])('shows what TPM2 %s gives, which no appraisal takes', async (name, type) => {
    const { status, body } = await inspect(attestationOf(name))
    expect([status, body]).toMatchObject([200, { inspections: [{ quotes: [{ type }] }] }])
  })
})
