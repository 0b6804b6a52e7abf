import { beforeAll, describe, expect, it } from 'vitest'
import { createApp, type App } from '../src/app.ts'
import { fakeAmd, type FakeAmd } from '../src/simulator/amd.ts'
import { attest, type AttestOptions } from '../src/simulator/attest.ts'
import { fakeHost, type FakeHost } from '../src/simulator/hosts.ts'
import { fetchOf, testServices, type TestServices } from './services.ts'

let amd: FakeAmd
let host: FakeHost
let fixture: TestServices
let app: App
beforeAll(async () => {
  amd = await fakeAmd({ products: ['Milan'] })
  host = fakeHost(amd)
  fixture = await testServices({ amd })
  app = createApp(fixture.services)
  return fixture.stop
})
const ask = (options: Partial<AttestOptions> = {}, on: App = app) =>
  attest(host, { url: 'http://assay.test', fetch: fetchOf(on), ...options })

describe('a genuine host', () => {
  it('gets a token', async () => {
    const answer = await ask()
    expect(answer.body).toMatchObject({ appraisal: { status: 'affirming' } })
    expect(answer.status).toBe(201)
  })
})
